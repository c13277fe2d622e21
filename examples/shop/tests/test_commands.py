"""The shop at the command line, and its settings."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from carboy.errors import Conflict, SettingsError
from shop import create_app
from shop.checkout import orders
from shop.settings import ShopDevelopment, ShopProduction, ShopSettings
from shop.users import accounts

HERE = Path(__file__).resolve().parent.parent
SECRET = "correct horse battery"


@pytest.fixture
def create(new_shop):
    """Run ``flask users create`` and give the exit status and what was printed."""

    def run(*words, typed=None, password=SECRET):
        environment = {"SHOP_PASSWORD": password} if password else {}
        result = new_shop.test_cli_runner().invoke(
            args=["users", "create", *words], env=environment, input=typed
        )
        return result.exit_code, result.output

    return run


@pytest.fixture
def bought(new_shop, sign_in, new_product):
    """A customer who bought 3 of 4 cups and all of 2 jugs."""
    clerk = sign_in(new_shop, "clerk")
    cup = new_product(clerk, sku="A-1", name="Cup", price="3.50", stock=4)
    jug = new_product(clerk, sku="A-2", name="Jug", price="10.00", stock=2)
    customer = sign_in(new_shop, "customer")
    lines = [{"product_id": cup["id"], "quantity": 3}, {"product_id": jug["id"], "quantity": 2}]
    assert customer.post("/api/v1/checkout", json={"lines": lines}).status == 201
    return customer


def stock(client):
    listed = client.get("/api/v1/products").data["items"]
    return {product["sku"]: product["stock"] for product in listed}


def figures(app, command):
    return json.loads(command(app, "stats", "--json"))


def test_an_account_is_made_and_signs_in(create, new_shop):
    words = ("--email", "renee@example.com", "--full-name", "Renée", "--role", "clerk")
    assert create("renee", *words) == (0, "Created renee as user 1, clerk.\n")
    sent = {"username": "renee", "password": SECRET}
    assert new_shop.test_client().post("/api/v1/sessions", json=sent).status_code == 201
    profile = new_shop.test_client().get("/api/v1/profiles/renee").get_json()["data"]
    assert profile["full_name"] == "Renée"


def test_what_is_not_given_is_asked_for_and_the_password_is_not_shown(create):
    typed = f"renee@example.com\nRenée\n{SECRET}\n{SECRET}\n"
    status, output = create("renee", typed=typed, password=None)
    assert status == 0
    for asked in ("E-mail address: ", "Full name: ", "Password: ", "Repeat for confirmation: "):
        assert asked in output
    assert output.endswith("Created renee as user 1, customer.\n")
    assert SECRET not in output


def test_a_password_typed_in_two_ways_is_asked_for_again(create):
    typed = f"r@example.com\nRenée\n{SECRET}\nsomething else\n{SECRET}\n{SECRET}\n"
    status, output = create("renee", typed=typed, password=None)
    assert status == 0
    assert output.count("Repeat for confirmation: ") == 2


def test_who_stops_answering_makes_no_account(create, new_shop, command):
    status, output = create("renee", typed="r@example.com\n", password=None)
    assert status == 1
    assert "Aborted" in output
    assert figures(new_shop, command)["users"] == 0


@pytest.mark.parametrize(
    ("username", "email", "told"),
    [
        pytest.param("r", "r@example.com", "username:", id="an account that cannot be"),
        pytest.param("RENEE", "r@example.com", "username: This username is taken", id="taken"),
        pytest.param("anna", "RENEE@example.com", "email: There is an account", id="address taken"),
        pytest.param("anna", "nowhere", "email: Not a valid", id="no address"),
    ],
)
def test_an_account_that_is_refused_says_why(create, username, email, told):
    assert create("renee", "--email", "renee@example.com", "--full-name", "Renée")[0] == 0
    status, output = create(username, "--email", email, "--full-name", "Renée")
    assert status == 1
    assert told in output
    assert SECRET not in output


def test_a_role_that_there_is_not_is_refused_naming_those_there_are(create):
    words = ("--email", "r@example.com", "--full-name", "R", "--role", "boss")
    status, output = create("renee", *words)
    assert status == 2
    for role in ("customer", "clerk", "admin"):
        assert role in output


def test_another_role_counts_from_the_next_request_on(new_shop, sign_in, command):
    client = sign_in(new_shop, "customer")
    assert client.get("/api/v1/orders/export").status == 403
    name = client.get("/api/v1/users/1").data["username"]
    assert command(new_shop, "users", "set-role", name.upper(), "clerk") == f"{name} is clerk.\n"
    assert client.get("/api/v1/orders/export").status == 200
    command(new_shop, "users", "set-role", name, "customer")
    assert client.get("/api/v1/orders/export").status == 403


@pytest.mark.parametrize("name", ["nobody", "", "\x1b", "a" * 500])
def test_nobody_gets_no_role(new_shop, command, name):
    told = command(new_shop, "users", "set-role", name, "admin", status=1)
    assert told == "Error: No such user.\n"


def test_a_fault_that_is_no_conflict_is_not_called_one(new_shop):
    with new_shop.app_context(), pytest.raises(IntegrityError):
        accounts.register(username="ann", email="a@example.com", full_name=None, password=SECRET)


def test_an_order_is_shown(new_shop, bought, command):
    shown = command(new_shop, "orders", "show", "1")
    for text in ("Order 1", "A-1", "Cup", "3.50", "10.50", "Jug", "30.50", "EUR"):
        assert text in shown
    assert "Refunded" not in shown


def test_a_refund_puts_the_pieces_back_and_is_told(new_shop, bought, command):
    assert stock(bought) == {"A-1": 1, "A-2": 0}
    told = command(new_shop, "orders", "refund", "1")
    assert told == "Order 1 is refunded: 30.50 EUR; 5 pieces are back in the stock.\n"
    assert stock(bought) == {"A-1": 4, "A-2": 2}
    assert bought.get("/api/v1/orders/1").data["refunded_at"] is not None
    assert "Refunded at 20" in command(new_shop, "orders", "show", "1")


def test_an_order_is_refunded_once(new_shop, bought, command):
    command(new_shop, "orders", "refund", "1")
    first = bought.get("/api/v1/orders/1").data
    told = command(new_shop, "orders", "refund", "1", status=1)
    assert told.startswith("Error: Order 1 was refunded at 20")
    assert len(told.splitlines()) == 1
    assert stock(bought) == {"A-1": 4, "A-2": 2}
    assert bought.get("/api/v1/orders/1").data == first


def test_of_many_refunds_at_once_one_is_done(new_shop, bought):
    def refund(_):
        with new_shop.app_context():
            try:
                orders.refund(1)
            except Conflict:
                return "refused"
            return "done"

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(refund, range(8))) == ["done"] + ["refused"] * 7
    assert stock(bought) == {"A-1": 4, "A-2": 2}


def test_refunds_and_checkouts_at_once_neither_lose_nor_invent_a_piece(new_shop, bought, command):
    command(new_shop, "orders", "refund", "1")
    lines = [{"product_id": 2, "quantity": 1}, {"product_id": 1, "quantity": 1}]

    def buy_and_return(_):
        answer = bought.post("/api/v1/checkout", json={"lines": lines})
        if answer.status == 201:
            with new_shop.app_context():
                orders.refund(answer.data["id"])
        return answer.status

    with ThreadPoolExecutor(6) as crowd:
        statuses = set(crowd.map(buy_and_return, range(12)))
    assert 201 in statuses <= {201, 409}
    assert stock(bought) == {"A-1": 4, "A-2": 2}


@pytest.mark.parametrize("word", ["show", "refund"])
@pytest.mark.parametrize("number", ["7", "0", str(2**63), "9" * 50])
def test_an_unknown_order_is_one_clear_line(new_shop, command, word, number):
    told = command(new_shop, "orders", word, number, status=1)
    assert told == f"Error: No order {number}.\n"


@pytest.mark.parametrize("number", ["one", "1.5", ""])
def test_what_is_no_number_is_no_order(new_shop, command, number):
    assert "is not a valid integer" in command(new_shop, "orders", "refund", number, status=2)


def test_the_figures_of_an_empty_shop_are_zero(new_shop, command):
    assert figures(new_shop, command) == {
        "users": 0, "products": 0, "orders": 0, "refunded": 0, "out_of_stock": 0, "revenue": {},
    }  # fmt: skip
    assert re.findall(r"[\w.]+", command(new_shop, "stats")) == [
        "users", "0", "products", "0", "out", "of", "stock", "0", "orders", "0", "refunded", "0",
        "revenue", "0.00",
    ]  # fmt: skip


def test_refunded_orders_are_no_revenue(new_shop, bought, command):
    lines = [{"product_id": 1, "quantity": 1}]
    assert bought.post("/api/v1/checkout", json={"lines": lines}).status == 201
    counted = {"users": 2, "products": 2, "orders": 2}
    before = {**counted, "refunded": 0, "out_of_stock": 2, "revenue": {"EUR": "34.00"}}
    assert figures(new_shop, command) == before
    command(new_shop, "orders", "refund", "1")
    after = {**counted, "refunded": 1, "out_of_stock": 0, "revenue": {"EUR": "3.50"}}
    assert figures(new_shop, command) == after
    shown = command(new_shop, "stats")
    assert "revenue, EUR" in shown
    assert "3.50" in shown


def test_every_currency_has_a_revenue_of_its_own(new_shop, bought, command):
    new_shop.config["CURRENCY"] = "CHF"
    lines = [{"product_id": 1, "quantity": 1}]
    assert bought.post("/api/v1/checkout", json={"lines": lines}).status == 201
    assert figures(new_shop, command)["revenue"] == {"CHF": "3.50", "EUR": "30.50"}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["stats"], id="stats"),
        pytest.param(["stats", "--json"], id="stats for programs"),
        pytest.param(["orders", "refund", "1"], id="refund"),
        pytest.param(["users", "set-role", "renee", "admin"], id="set-role"),
    ],
)
def test_without_tables_a_command_says_what_to_do(shop_without_tables, command, words):
    told = command(shop_without_tables, *words, status=1)
    assert "flask db upgrade" in told
    assert len(told.splitlines()) == 1


def test_the_shell_has_the_database_and_the_models(new_shop):
    with new_shop.app_context():
        names = new_shop.make_shell_context().keys()
    assert {"db", "User", "Product", "Order", "OrderLine"} <= names


def test_commands_work_from_a_terminal(tmp_path):
    ours = {"INSTANCE_PATH": str(tmp_path), "APP_ENV": "dev"}
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    for words in (["db", "upgrade"], ["shop", "import-catalogue", "--if-empty", "catalogue.csv"]):
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            cwd=HERE,
            env=inherited | ours,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "200 added" in done.stdout


@pytest.mark.parametrize(
    ("environment", "kind"),
    [("", ShopDevelopment), ("Dev", ShopDevelopment), ("Production", ShopProduction)],
)
def test_the_environment_chooses_the_settings_of_the_shop(environment, kind):
    environ = {"APP_ENV": environment, "SECRET_KEY": "x7Kd" * 4 + "9vTzQw2mRb" * 3,
               "TRUSTED_HOSTS": "*"}  # fmt: skip
    assert type(ShopSettings.load(environ=environ, dotenv=None)) is kind


@pytest.mark.parametrize("currency", ["eur", "EURO", "€", ""])
def test_a_currency_that_is_none_stops_the_start(currency):
    with pytest.raises(SettingsError, match="CURRENCY is"):
        ShopSettings.load(environ={"CURRENCY": currency}, dotenv=None)


def test_the_greeting_and_the_currency_are_those_of_the_settings(tmp_path):
    settings = ShopSettings.load(APP_ENV="Testing", MSG="Hello.", INSTANCE_PATH=str(tmp_path))
    front = create_app(settings).test_client().get("/").get_json()
    assert front["data"]["message"] == "Hello."
