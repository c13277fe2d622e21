"""The catalogue, under the test client and over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import event

from shop.database import db

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


def test_a_clerk_puts_a_product_into_the_catalogue(client, clerk, new_product):
    made = new_product(clerk, name="  Café bowl ", price="7.5", stock=3)
    assert (made["name"], made["price"], made["stock"]) == ("Café bowl", "7.50", 3)
    assert made["picture"] is None
    assert client.get(f"{PRODUCTS}/{made['id']}").data == made
    found = client.get(PRODUCTS, query={"search": f"CAFÉ {made['sku']}"}).data["items"]
    assert found == [made]


def test_replacing_a_product_replaces_everything_and_search_follows(client, clerk, new_product):
    made = new_product(clerk, name="Cup")
    path = f"{PRODUCTS}/{made['id']}"
    whole = {**sendable(made), "name": "Zylinder", "description": "", "price": "0.00", "stock": 0}
    replaced = clerk.put(path, json=whole)
    assert replaced.status == 200
    assert replaced.data == {**made, **whole} == client.get(path).data
    assert client.get(PRODUCTS, query={"search": f"cup {made['sku']}"}).data["items"] == []
    assert clerk.put(path, json={"name": "Cup"}).fields.keys() == {
        "sku", "description", "category", "price", "stock"
    }  # fmt: skip


def test_changing_a_product_leaves_the_rest(client, clerk, new_product):
    made = new_product(clerk)
    path = f"{PRODUCTS}/{made['id']}"
    changed = clerk.patch(path, json={"price": "4.00"})
    assert (changed.status, changed.data) == (200, {**made, "price": "4.00"})
    assert client.get(path).data == changed.data


def test_a_product_is_changed_only_as_it_was_read(clerk, new_product):
    path = f"{PRODUCTS}/{new_product(clerk)['id']}"
    read = {"If-Match": clerk.get(path).headers["ETag"]}
    first = clerk.patch(path, json={"stock": 9}, headers=read)
    assert first.status == 200
    assert first.headers["ETag"] != read["If-Match"]
    for late in (
        clerk.patch(path, json={"stock": 5}, headers=read),
        clerk.put(path, json=sendable(first.data), headers=read),
        clerk.delete(path, headers=read),
    ):
        assert (late.status, late.json["code"]) == (412, "stale_version")
    assert clerk.get(path).data["stock"] == 9
    assert clerk.delete(path, headers={"If-Match": first.headers["ETag"]}).status == 204


def test_who_counts_up_at_once_with_what_they_read_loses_nothing(clerk, new_product):
    path = f"{PRODUCTS}/{new_product(clerk, stock=0)['id']}"

    def count_up(_):
        status = 412
        while status == 412:
            read = clerk.get(path)
            more = {"stock": read.data["stock"] + 1}
            status = clerk.patch(path, json=more, headers={"If-Match": read.headers["ETag"]}).status
        return status

    with ThreadPoolExecutor(5) as crowd:
        assert set(crowd.map(count_up, range(10))) == {200}
    assert clerk.get(path).data["stock"] == 10


def test_a_product_that_is_deleted_is_gone(client, clerk, new_product):
    path = f"{PRODUCTS}/{new_product(clerk)['id']}"
    assert clerk.delete(path).status == 204
    assert client.get(path).status == 404
    assert clerk.delete(path).status == 404


def test_a_product_that_was_ordered_stays(client, clerk, customer, new_product):
    made = new_product(clerk)
    lines = [{"product_id": made["id"], "quantity": 1}]
    assert customer.client.post("/api/v1/checkout", json={"lines": lines}).status == 201
    refused = clerk.delete(f"{PRODUCTS}/{made['id']}")
    assert (refused.status, refused.json["code"]) == (409, "ordered")
    assert "stock to 0" in refused.json["message"]
    assert client.get(f"{PRODUCTS}/{made['id']}").status == 200


def test_a_product_that_is_deleted_while_it_is_bought_is_not_bought(new_shop, sign_in, new_product):
    clerk = sign_in(new_shop, "clerk")
    made = new_product(clerk)
    with new_shop.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        pytest.skip("who buys holds the only write lock of SQLite: nobody deletes meanwhile")

    waiting = [made]

    def delete(connection, cursor, statement, *_):
        if statement.startswith("UPDATE products") and waiting:
            waiting.clear()
            assert clerk.delete(f"{PRODUCTS}/{made['id']}").status == 204

    event.listen(engine, "before_cursor_execute", delete)
    lines = [{"product_id": made["id"], "quantity": 1}]
    refused = sign_in(new_shop, "customer").post("/api/v1/checkout", json={"lines": lines})
    assert refused.status == 409
    assert "removed" in refused.json["message"]


@pytest.mark.parametrize("method", ["create", "replace", "update"])
def test_a_sku_belongs_to_one_product(clerk, new_product, method):
    held, other = new_product(clerk), new_product(clerk)
    path = f"{PRODUCTS}/{other['id']}"
    refused = {
        "create": lambda: clerk.post(PRODUCTS, json=sendable(held)),
        "replace": lambda: clerk.put(path, json=sendable(held)),
        "update": lambda: clerk.patch(path, json={"sku": held["sku"]}),
    }[method]()
    assert refused.status == 409
    assert refused.fields.keys() == {"sku"}
    assert clerk.get(path).data == other


def test_parallel_products_with_one_sku_become_one(clerk, new_product):
    held = new_product(clerk)
    sent = {**sendable(held), "sku": f"{held['sku']}-P"}
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: clerk.post(PRODUCTS, json=sent), range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    (made,) = (answer for answer in answers if answer.status == 201)
    assert clerk.delete(made.headers["Location"]).status == 204


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_clerks_write_products(client, clerk, customer, new_product, method):
    made = new_product(clerk)
    path = PRODUCTS if method == "POST" else f"{PRODUCTS}/{made['id']}"
    sent = {**sendable(made), "name": "Mine"}
    refused = customer.client.request(method, path, json=sent)
    assert (refused.status, refused.json["code"]) == (403, "insufficient_scope")
    assert client.request(method, path, json=sent).status == 401
    assert client.get(f"{PRODUCTS}/{made['id']}").data == made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("sku", "a-1", id="a sku in small letters"),
        pytest.param("sku", "A" * 33, id="a sku too long"),
        pytest.param("name", " ", id="a blank name"),
        pytest.param("name", "a\0b", id="a name with a NUL"),
        pytest.param("category", "", id="no category"),
        pytest.param("price", "1.005", id="a fraction of a cent"),
        pytest.param("price", "-0.01", id="a price below zero"),
        pytest.param("price", "1000000.01", id="a price too high"),
        pytest.param("price", "NaN", id="a price that is none"),
        pytest.param("stock", -1, id="a stock below zero"),
        pytest.param("stock", "4", id="a stock in a string"),
        pytest.param("stock", 2**31, id="a stock beyond its column"),
        pytest.param("id", 1, id="an id of one's own"),
        pytest.param("picture_key", "0" * 32, id="a picture of somebody else"),
        pytest.param("search_text", "tea", id="words it is not found by"),
    ],
)
def test_what_no_product_can_be_is_refused_naming_the_field(clerk, new_product, name, value):
    made = new_product(clerk)
    for method, path in (("POST", PRODUCTS), ("PUT", f"{PRODUCTS}/{made['id']}")):
        refused = clerk.request(method, path, json={**sendable(made), name: value})
        assert refused.status == 422
        assert refused.fields.keys() == {name}
    assert clerk.get(f"{PRODUCTS}/{made['id']}").data == made


def sendable(product):
    """What a clerk sends to keep a product as it is."""
    return {
        name: product[name] for name in ("sku", "name", "description", "category", "price", "stock")
    }
