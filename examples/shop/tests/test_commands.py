"""The shop at the command line, and its settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from carboy.errors import SettingsError
from shop import create_app
from shop.settings import ShopDevelopment, ShopProduction, ShopSettings
from shop.users import accounts

HERE = Path(__file__).resolve().parent.parent
SECRET = "correct horse battery"


@pytest.fixture
def add(new_shop):
    def run(*words):
        result = new_shop.test_cli_runner().invoke(
            args=["users", "add", *words, "--full-name", "Renée"], env={"SHOP_PASSWORD": SECRET}
        )
        return result.exit_code, result.output

    return run


def test_an_account_is_added(add, new_shop):
    assert add("renee", "renee@example.com") == (0, "Added renee as user 1.\n")
    profile = new_shop.test_client().get("/api/v1/profiles/renee").get_json()["data"]
    assert profile["full_name"] == "Renée"


def test_the_password_is_asked_for_and_not_shown(new_shop):
    result = new_shop.test_cli_runner().invoke(
        args=["users", "add", "renee", "r@example.com", "--full-name", "R"],
        input=f"{SECRET}\n{SECRET}\n",
    )
    assert result.exit_code == 0
    assert SECRET not in result.output


@pytest.mark.parametrize(
    ("username", "email", "told"),
    [
        pytest.param("r", "r@example.com", "username:", id="an account that cannot be"),
        pytest.param("RENEE", "r@example.com", "username: This username is taken", id="taken"),
    ],
)
def test_an_account_that_is_refused_says_why(add, username, email, told):
    add("renee", "renee@example.com")
    status, output = add(username, email)
    assert status == 1
    assert told in output
    assert SECRET not in output


def test_a_fault_that_is_no_conflict_is_not_called_one(new_shop):
    with new_shop.app_context(), pytest.raises(IntegrityError):
        accounts.register(username="ann", email="a@example.com", full_name=None, password=SECRET)


def test_an_order_is_shown(new_shop, add, command, tmp_path):
    file = tmp_path / "one.csv"
    file.write_text("sku,name,description,category,price,stock\nA-1,Cup,,Kitchen,3.50,4\n")
    command(new_shop, "shop", "import-catalogue", str(file))
    add("renee", "renee@example.com")
    bought = new_shop.test_client().post(
        "/api/v1/checkout", json={"user_id": 1, "lines": [{"product_id": 1, "quantity": 3}]}
    )
    assert bought.status_code == 201
    shown = command(new_shop, "orders", "show", "1")
    for text in ("Order 1", "A-1", "Cup", "3.50", "10.50", "EUR"):
        assert text in shown


def test_an_unknown_order_is_one_clear_line(new_shop, command):
    assert command(new_shop, "orders", "show", "7", status=1) == "Error: No order 7.\n"


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
