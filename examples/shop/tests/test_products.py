"""The catalogue, under the test client and over HTTP."""

from decimal import Decimal

import pytest

PRODUCTS = "/api/v1/products"


@pytest.mark.parametrize("sort", ["name", "-price", "stock,-price", "-created_at"])
def test_every_product_is_listed_once_in_any_order(client, walk, sort):
    categories = client.get(f"{PRODUCTS}/categories").data
    seen = [product["id"] for product in walk(f"{PRODUCTS}?limit=70&sort={sort}")]
    total = sum(category["products"] for category in categories)
    assert len(seen) == len(set(seen)) == total >= 200


def test_a_list_is_in_the_order_asked_for(walk):
    prices = [Decimal(product["price"]) for product in walk(f"{PRODUCTS}?limit=70&sort=-price")]
    assert prices == sorted(prices, reverse=True)


def test_a_page_links_to_the_next_and_back(client):
    first = client.get(f"{PRODUCTS}?limit=3")
    assert len(first.data["items"]) == first.data["limit"] == 3
    assert first.data["links"]["prev"] is None
    second = client.get(first.data["links"]["next"]).data
    assert client.get(second["links"]["prev"]).data == first.data
    assert first.headers["Link"] == f'<{first.data["links"]["next"]}>; rel="next"'


def test_filters_narrow_a_list(walk):
    found = walk(f"{PRODUCTS}?limit=100&price_gte=10&price_lte=20.50&category=Pantry,Furniture")
    assert found
    assert all(Decimal(10) <= Decimal(product["price"]) <= Decimal("20.50") for product in found)
    assert {product["category"] for product in found} <= {"Pantry", "Furniture"}


def test_who_has_the_list_already_is_told_so(client):
    answer = client.get(f"{PRODUCTS}/1")
    again = client.get(f"{PRODUCTS}/1", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


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
    assert 0 < len(pantry["items"]) < len(tea["items"])
    assert {item["category"] for item in pantry["items"]} == {"Pantry"}


def test_the_categories_count_every_product(client, walk):
    categories = client.get(f"{PRODUCTS}/categories").data
    assert [each["name"] for each in categories] == sorted(each["name"] for each in categories)
    assert sum(each["products"] for each in categories) == len(walk(f"{PRODUCTS}?limit=100"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("limit", "0", id="a limit of nothing"),
        pytest.param("limit", "101", id="a limit too high"),
        pytest.param("limit", "9" * 3000, id="a limit of three thousand digits"),
        pytest.param("limit", "ten", id="a limit in words"),
        pytest.param("price_gte", "1.001", id="a fraction of a cent"),
        pytest.param("price_lte", "1e300", id="a price of three hundred digits"),
        pytest.param("stock_gte", str(2**63), id="a stock beyond 64 bits"),
        pytest.param("price_gt", "1", id="a filter there is not"),
        pytest.param("sort", "sku", id="an order there is not"),
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
