"""Buying, under the test client and over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

CHECKOUT = "/api/v1/checkout"
ORDERS = "/api/v1/orders"


def stock(client, product):
    return client.get(f"/api/v1/products/{product['id']}").data["stock"]


def line(product, quantity=1):
    return {"product_id": product["id"], "quantity": quantity}


def test_an_order_of_several_lines_is_read_back_with_exact_totals(client, user, products):
    first, second, third = products(3)
    before = [stock(client, product) for product in (first, second, third)]
    sent = {"user_id": user["id"], "lines": [line(third, 3), line(first, 2), line(second)]}
    answer = client.post(CHECKOUT, json=sent)
    assert answer.status == 201
    order = answer.data
    assert answer.headers["Location"] == f"{ORDERS}/{order['id']}"
    assert client.get(answer.headers["Location"]).data == order
    assert order["user_id"] == user["id"]
    bought = {each["product_id"]: each for each in order["lines"]}
    for product, quantity in ((first, 2), (second, 1), (third, 3)):
        held = bought[product["id"]]
        assert (held["sku"], held["name"]) == (product["sku"], product["name"])
        assert (held["price"], held["quantity"]) == (product["price"], quantity)
        assert Decimal(held["total"]) == Decimal(product["price"]) * quantity
    assert Decimal(order["total"]) == sum(Decimal(each["total"]) for each in order["lines"])
    after = [stock(client, product) for product in (first, second, third)]
    assert [b - a for b, a in zip(before, after, strict=True)] == [2, 1, 3]


def test_a_product_on_two_lines_becomes_one(client, user, product):
    sent = {"user_id": user["id"], "lines": [line(product, 1), line(product, 2)]}
    order = client.post(CHECKOUT, json=sent).data
    assert [each["quantity"] for each in order["lines"]] == [3]


def test_asking_for_more_than_is_left_says_how_many_and_takes_nothing(client, user, products):
    plenty, scarce = products(2)
    before = stock(client, plenty)
    left = stock(client, scarce)
    sent = {"user_id": user["id"], "lines": [line(plenty), line(scarce, left + 1)]}
    answer = client.post(CHECKOUT, json=sent)
    assert answer.status == 409
    assert answer.json["code"] == "out_of_stock"
    assert answer.fields == {
        "product_id": scarce["id"],
        "name": scarce["name"],
        "left": left,
        "asked": left + 1,
    }
    assert scarce["name"] in answer.json["message"]
    assert stock(client, plenty) == before
    assert stock(client, scarce) == left
    assert client.get(f"/api/v1/users/{user['id']}/purchases").data["items"] == []


def test_an_unknown_product_is_refused_naming_its_line(client, user, product):
    before = stock(client, product)
    sent = {"user_id": user["id"], "lines": [line(product), {"product_id": 2**62, "quantity": 1}]}
    answer = client.post(CHECKOUT, json=sent)
    assert answer.status == 422
    assert answer.fields == {"lines": {"1": {"product_id": [f"No product {2**62}."]}}}
    assert stock(client, product) == before


def test_an_unknown_user_is_refused(client, product):
    answer = client.post(CHECKOUT, json={"user_id": 2**62, "lines": [line(product)]})
    assert answer.status == 422
    assert answer.fields.keys() == {"user_id"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"user_id": 2**63}, "user_id", id="a user beyond 64 bits"),
        pytest.param({"user_id": 0}, "user_id", id="a user zero"),
        pytest.param({"user_id": "1"}, "user_id", id="a user in a string"),
        pytest.param({"user_id": True}, "user_id", id="a user that is true"),
        pytest.param({"user_id": 1.5}, "user_id", id="half a user"),
        pytest.param({"lines": []}, "lines", id="no lines"),
        pytest.param({"lines": {}}, "lines", id="an object for the list"),
        pytest.param({"lines": [7]}, "lines", id="a number for a line"),
        pytest.param({"lines": [{}]}, "lines", id="an empty line"),
        pytest.param({"lines": [{"product_id": 1, "quantity": 0}]}, "lines", id="none of it"),
        pytest.param({"lines": [{"product_id": 1, "quantity": -1}]}, "lines", id="less than none"),
        pytest.param({"lines": [{"product_id": 1, "quantity": 1001}]}, "lines", id="too many"),
        pytest.param({"lines": [{"product_id": 1, "quantity": 2**64 - 1}]}, "lines", id="far more"),
        pytest.param({"lines": [{"product_id": 2**63, "quantity": 1}]}, "lines", id="far product"),
        pytest.param({"lines": [{"product_id": 1, "quantity": 1}] * 101}, "lines", id="101 lines"),
        pytest.param({"price": "0.01"}, "price", id="a price of one's own"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_field(client, user, product, change, field):
    sent = {"user_id": user["id"], "lines": [line(product)], **change}
    answer = client.post(CHECKOUT, json=sent)
    assert answer.status == 422
    assert answer.fields.keys() == {field}


@pytest.mark.parametrize("number", [10**19, 10**400])
def test_a_number_no_machine_word_holds_is_refused(client, user, number):
    sent = {"user_id": user["id"], "lines": [{"product_id": number, "quantity": 1}]}
    answer = client.post(CHECKOUT, json=sent)
    assert answer.status in (400, 422)


@pytest.mark.parametrize("number", [0, 2**62, 2**63, 10**40])
def test_an_unknown_order_is_404_however_large_its_number(client, number):
    assert client.get(f"{ORDERS}/{number}").status == 404


def test_an_order_outlives_its_account(client, make_user, product):
    user = make_user()
    order = client.post(CHECKOUT, json={"user_id": user["id"], "lines": [line(product)]}).data
    assert client.delete(f"/api/v1/users/{user['id']}").status == 204
    assert client.get(f"{ORDERS}/{order['id']}").data == {**order, "user_id": None}


def test_50_parallel_checkouts_of_the_last_10_pieces_sell_exactly_10(client, user, products):
    (wanted,) = products(1, at_least=11)
    surplus = stock(client, wanted) - 10
    sent = {"user_id": user["id"], "lines": [line(wanted, surplus)]}
    assert client.post(CHECKOUT, json=sent).status == 201
    assert stock(client, wanted) == 10

    def buy_one(_):
        return client.post(CHECKOUT, json={"user_id": user["id"], "lines": [line(wanted)]})

    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(buy_one, range(50)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [201] * 10 + [409] * 40
    assert len({answer.data["id"] for answer in answers if answer.status == 201}) == 10
    assert stock(client, wanted) == 0


def test_checkouts_of_the_same_products_in_opposite_order_do_not_lock_each_other_out(
    client, user, products
):
    pair = [line(product) for product in products(2, at_least=20)]

    def buy(turn):
        lines = pair if turn % 2 else pair[::-1]
        return client.post(CHECKOUT, json={"user_id": user["id"], "lines": lines}).status

    with ThreadPoolExecutor(10) as crowd:
        assert set(crowd.map(buy, range(20))) == {201}
