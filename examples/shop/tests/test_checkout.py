"""Buying, under the test client and over HTTP."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

CHECKOUT = "/api/v1/checkout"
ORDERS = "/api/v1/orders"


@pytest.fixture
def buyer(customer):
    return customer.client


def stock(client, product):
    return client.get(f"/api/v1/products/{product['id']}").data["stock"]


def line(product, quantity=1):
    return {"product_id": product["id"], "quantity": quantity}


def test_an_order_of_several_lines_is_read_back_with_exact_totals(customer, buyer, products):
    first, second, third = products(3)
    before = [stock(buyer, product) for product in (first, second, third)]
    sent = {"lines": [line(third, 3), line(first, 2), line(second)]}
    answer = buyer.post(CHECKOUT, json=sent)
    assert answer.status == 201
    order = answer.data
    assert answer.headers["Location"] == f"{ORDERS}/{order['id']}"
    assert buyer.get(answer.headers["Location"]).data == order
    assert order["user_id"] == customer.account["id"]
    bought = {each["product_id"]: each for each in order["lines"]}
    for product, quantity in ((first, 2), (second, 1), (third, 3)):
        held = bought[product["id"]]
        assert (held["sku"], held["name"]) == (product["sku"], product["name"])
        assert (held["price"], held["quantity"]) == (product["price"], quantity)
        assert Decimal(held["total"]) == Decimal(product["price"]) * quantity
    assert Decimal(order["total"]) == sum(Decimal(each["total"]) for each in order["lines"])
    after = [stock(buyer, product) for product in (first, second, third)]
    assert [b - a for b, a in zip(before, after, strict=True)] == [2, 1, 3]


def test_a_product_on_two_lines_becomes_one(buyer, product):
    sent = {"lines": [line(product, 1), line(product, 2)]}
    order = buyer.post(CHECKOUT, json=sent).data
    assert [each["quantity"] for each in order["lines"]] == [3]


def test_asking_for_more_than_is_left_says_how_many_and_takes_nothing(customer, buyer, products):
    plenty, scarce = products(2)
    before = stock(buyer, plenty)
    left = stock(buyer, scarce)
    sent = {"lines": [line(plenty), line(scarce, left + 1)]}
    answer = buyer.post(CHECKOUT, json=sent)
    assert answer.status == 409
    assert answer.json["code"] == "out_of_stock"
    assert answer.fields == {
        "product_id": scarce["id"],
        "name": scarce["name"],
        "left": left,
        "asked": left + 1,
    }
    assert scarce["name"] in answer.json["message"]
    assert stock(buyer, plenty) == before
    assert stock(buyer, scarce) == left
    assert buyer.get(f"{customer.path}/purchases").data["items"] == []


def test_an_unknown_product_is_refused_naming_its_line(buyer, product):
    before = stock(buyer, product)
    sent = {"lines": [line(product), {"product_id": 2**62, "quantity": 1}]}
    answer = buyer.post(CHECKOUT, json=sent)
    assert answer.status == 422
    assert answer.fields == {"lines": {"1": {"product_id": [f"No product {2**62}."]}}}
    assert stock(buyer, product) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
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
        pytest.param({"user_id": 1}, "user_id", id="for somebody else"),
        pytest.param({"total": "0.01"}, "total", id="a total of one's own"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_field(buyer, product, change, field):
    sent = {"lines": [line(product)], **change}
    answer = buyer.post(CHECKOUT, json=sent)
    assert answer.status == 422
    assert answer.fields.keys() == {field}


@pytest.mark.parametrize("number", [10**19, 10**400])
def test_a_number_no_machine_word_holds_is_refused(buyer, number):
    sent = {"lines": [{"product_id": number, "quantity": 1}]}
    answer = buyer.post(CHECKOUT, json=sent)
    assert answer.status in (400, 422)


@pytest.mark.parametrize("number", [0, 2**62, 2**63, 10**40])
def test_an_unknown_order_is_404_however_large_its_number(clerk, number):
    assert clerk.get(f"{ORDERS}/{number}").status == 404


def test_an_order_outlives_its_account(clerk, customer, buyer, product):
    order = buyer.post(CHECKOUT, json={"lines": [line(product)]}).data
    assert buyer.delete(customer.path).status == 204
    assert clerk.get(f"{ORDERS}/{order['id']}").data == {**order, "user_id": None}


def test_nobody_buys_without_signing_in(client, product):
    answer = client.post(CHECKOUT, json={"lines": [line(product)]})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_order_is_for_its_buyer_and_for_clerks(client, clerk, buyer, make_customer, product):
    order = buyer.post(CHECKOUT, json={"lines": [line(product)]}).data
    path = f"{ORDERS}/{order['id']}"
    stranger = make_customer().client
    assert client.get(path).status == 401
    assert stranger.get(path).status == 404
    assert stranger.get(ORDERS).data["items"] == []
    assert clerk.get(path).data == buyer.get(path).data == order
    assert clerk.get(f"{ORDERS}?user_id={order['user_id']}").data["items"] == [order]
    assert stranger.get(f"{ORDERS}?user_id={order['user_id']}").data["items"] == []


def test_a_checkout_that_is_sent_again_buys_once(buyer, product):
    before = stock(buyer, product)
    key = {"Idempotency-Key": uuid.uuid4().hex}
    sent = {"lines": [line(product, 2)]}
    first = buyer.post(CHECKOUT, json=sent, headers=key)
    again = buyer.post(CHECKOUT, json=sent, headers=key)
    assert (first.status, first.body) == (again.status, again.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert stock(buyer, product) == before - 2
    other = buyer.post(CHECKOUT, json={"lines": [line(product)]}, headers=key)
    assert other.status == 422
    assert other.json["code"] == "idempotency_key_reused"


def test_a_key_belongs_to_its_buyer(buyer, make_customer, product):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    sent = {"lines": [line(product)]}
    mine = buyer.post(CHECKOUT, json=sent, headers=key)
    theirs = make_customer().client.post(CHECKOUT, json=sent, headers=key)
    assert mine.status == theirs.status == 201
    assert mine.data["id"] != theirs.data["id"]


def test_50_parallel_checkouts_with_one_key_buy_once(buyer, products):
    (wanted,) = products(1, at_least=60)
    before = stock(buyer, wanted)
    key = {"Idempotency-Key": uuid.uuid4().hex}

    def send(_):
        return buyer.post(CHECKOUT, json={"lines": [line(wanted)]}, headers=key)

    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(send, range(50)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    assert stock(buyer, wanted) == before - 1


def test_a_key_is_free_again_when_the_stock_did_not_suffice(buyer, product):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    left = stock(buyer, product)
    refused = buyer.post(CHECKOUT, json={"lines": [line(product, left + 1)]}, headers=key)
    assert refused.status == 409
    assert buyer.post(CHECKOUT, json={"lines": [line(product)]}, headers=key).status == 201


def test_50_parallel_checkouts_of_the_last_10_pieces_sell_exactly_10(buyer, products):
    (wanted,) = products(1, at_least=11)
    surplus = stock(buyer, wanted) - 10
    sent = {"lines": [line(wanted, surplus)]}
    assert buyer.post(CHECKOUT, json=sent).status == 201
    assert stock(buyer, wanted) == 10

    def buy_one(_):
        return buyer.post(CHECKOUT, json={"lines": [line(wanted)]})

    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(buy_one, range(50)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [201] * 10 + [409] * 40
    assert len({answer.data["id"] for answer in answers if answer.status == 201}) == 10
    assert stock(buyer, wanted) == 0


def test_checkouts_of_the_same_products_in_opposite_order_do_not_lock_each_other_out(
    buyer, products
):
    pair = [line(product) for product in products(2, at_least=20)]

    def buy(turn):
        lines = pair if turn % 2 else pair[::-1]
        return buyer.post(CHECKOUT, json={"lines": lines}).status

    with ThreadPoolExecutor(10) as crowd:
        assert set(crowd.map(buy, range(20))) == {201}
