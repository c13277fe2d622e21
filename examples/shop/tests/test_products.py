"""The catalogue, under the test client and over HTTP."""

from decimal import Decimal

import pytest

PRODUCTS = "/api/v1/products"


def test_every_product_is_listed_once_in_a_stable_order(client):
    total = client.get(PRODUCTS).data["total"]
    seen = []
    for offset in range(0, total, 70):
        page = client.get(f"{PRODUCTS}?limit=70&offset={offset}").data
        assert page["total"] == total
        seen += [product["id"] for product in page["items"]]
    assert len(seen) == len(set(seen)) == total >= 200


def test_a_page_says_what_it_is(client):
    page = client.get(f"{PRODUCTS}?limit=3&offset=5").data
    assert (page["limit"], page["offset"], len(page["items"])) == (3, 5, 3)


def test_a_page_beyond_the_end_is_empty(client):
    answer = client.get(f"{PRODUCTS}?offset={2**63 - 1}")
    assert answer.status == 200
    assert answer.data["items"] == []


def test_a_price_is_text_with_two_decimals(client):
    for product in client.get(f"{PRODUCTS}?limit=100").data["items"]:
        assert isinstance(product["price"], str)
        assert Decimal(product["price"]).as_tuple().exponent == -2
        assert product["currency"] == "EUR"


def test_a_product_reads_as_in_the_list(client):
    listed = client.get(f"{PRODUCTS}?limit=1").data["items"][0]
    assert client.get(f"{PRODUCTS}/{listed['id']}").data == listed


@pytest.mark.parametrize(
    ("search", "names"),
    [
        pytest.param("oak stool", {"Oak Stool"}, id="all words must be there"),
        pytest.param("STOOL oAk", {"Oak Stool"}, id="in any order and case"),
        pytest.param("fur-01", {"Oak Stool"}, id="the sku counts"),
        pytest.param("wedged", {"Oak Stool"}, id="the description counts"),
        pytest.param("30 °C", {"Rag Doll"}, id="letters beyond ASCII are found"),
        pytest.param("%", set(), id="a percent sign is just a percent sign"),
        pytest.param("_____", set(), id="so is an underscore"),
        pytest.param("'; DROP TABLE products; --", set(), id="and a quote is just a quote"),
        pytest.param("no such thing", set(), id="nothing is found: an empty page"),
    ],
)
def test_search(client, search, names):
    answer = client.get(PRODUCTS, query={"search": search, "limit": 100})
    assert answer.status == 200
    assert {item["name"].partition(",")[0] for item in answer.data["items"]} == names


def test_a_category_narrows_a_search(client):
    tea = client.get(PRODUCTS, query={"search": "tea", "limit": 100}).data
    pantry = client.get(PRODUCTS, query={"search": "tea", "category": "Pantry"}).data
    assert 0 < pantry["total"] < tea["total"]
    assert {item["category"] for item in pantry["items"]} == {"Pantry"}


def test_the_categories_count_every_product(client):
    categories = client.get(f"{PRODUCTS}/categories").data
    assert [each["name"] for each in categories] == sorted(each["name"] for each in categories)
    assert sum(each["products"] for each in categories) == client.get(PRODUCTS).data["total"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("limit", "0", id="a limit of nothing"),
        pytest.param("limit", "101", id="a limit too high"),
        pytest.param("limit", "9" * 3000, id="a limit of three thousand digits"),
        pytest.param("limit", "ten", id="a limit in words"),
        pytest.param("offset", "-1", id="an offset below zero"),
        pytest.param("offset", str(2**63), id="an offset beyond 64 bits"),
        pytest.param("search", "a\0b", id="a search with a NUL"),
        pytest.param("search", "x" * 101, id="a search too long"),
        pytest.param("category", "\0", id="a category that is a NUL"),
    ],
)
def test_a_query_that_cannot_be_is_refused_naming_the_parameter(client, name, value):
    answer = client.get(PRODUCTS, query={name: value})
    assert answer.status == 422
    assert answer.fields.keys() == {name}


@pytest.mark.parametrize(
    "number", ["0", "-1", "seven", "99999999", str(2**63), "9" * 100, "%00", "1%00"]
)
def test_an_unknown_product_is_404_however_odd_its_number(client, number):
    assert client.get(f"{PRODUCTS}/{number}").status == 404


def test_the_front_door_greets_and_its_links_lead_somewhere(client):
    answer = client.get("/")
    assert answer.data["message"]
    for link in answer.data["links"].values():
        assert client.get(link).status == 200
