"""``flask shop import-catalogue``: good lines, bad lines, unusable files."""

from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from shop.database import db
from shop.products.models import Product

HERE = Path(__file__).resolve().parent.parent
HEAD = "sku,name,description,category,price,stock\n"
GOOD = "A-1,Cup,A cup.,Kitchen,3.50,4\n"


@pytest.fixture
def bring(new_shop: Flask, tmp_path):
    """Import a file with this content; give the exit status and all that was printed."""

    def run(content: str | bytes, *options: str):
        file = tmp_path / "catalogue.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        result = new_shop.test_cli_runner().invoke(
            args=["shop", "import-catalogue", *options, str(file)]
        )
        return result.exit_code, result.output

    return run


@pytest.fixture
def held(new_shop: Flask):
    """What is in the shop: sku → product."""

    def read() -> dict[str, Product]:
        with new_shop.app_context():
            return {product.sku: product for product in db.session.scalars(select(Product))}

    return read


def test_the_catalogue_of_the_shop_is_good_to_the_last_line(bring):
    assert bring((HERE / "catalogue.csv").read_bytes()) == (
        0, "200 added, 0 changed, 0 unchanged, 0 bad lines left out.\n"
    )  # fmt: skip


def test_importing_twice_changes_nothing(bring, held):
    assert bring(HEAD + GOOD) == (
        0, "1 added, 0 changed, 0 unchanged, 0 bad lines left out.\n"
    )  # fmt: skip
    assert bring(HEAD + GOOD)[1].startswith("0 added, 0 changed, 1 unchanged")
    assert held().keys() == {"A-1"}


def test_a_known_product_is_changed_and_found_by_its_new_name(bring, new_shop):
    bring(HEAD + GOOD)
    status, output = bring(HEAD + "A-1,Mug,A mug.,Kitchen,3.60,4\n")
    assert status == 0
    assert output.startswith("0 added, 1 changed")
    client = new_shop.test_client()
    found = client.get("/api/v1/products?search=mug").get_json()["data"]["items"]
    assert [(item["name"], item["price"]) for item in found] == [("Mug", "3.60")]
    assert client.get("/api/v1/products?search=cup").get_json()["data"]["items"] == []


@pytest.mark.parametrize(
    ("options", "left"),
    [
        pytest.param([], 1, id="importing again does not bring back what was sold"),
        pytest.param(["--restock"], 4, id="unless the stock is asked for"),
    ],
)
def test_stock_of_a_known_product(bring, held, new_shop, options, left):
    bring(HEAD + GOOD)
    with new_shop.app_context():
        db.session.execute(update(Product).values(stock=1))
        db.session.commit()
    bring(HEAD + GOOD, *options)
    assert held()["A-1"].stock == left


def test_a_product_the_file_does_not_name_stays(bring, held):
    bring(HEAD + GOOD)
    bring(HEAD + GOOD.replace("A-1", "B-1"))
    assert held().keys() == {"A-1", "B-1"}


def test_if_empty_leaves_a_filled_shop_alone(bring, held):
    assert bring(HEAD + GOOD, "--if-empty")[1].startswith("1 added")
    status, output = bring(HEAD + GOOD.replace("A-1", "B-1"), "--if-empty")
    assert (status, output) == (0, "There are products already (1); nothing imported.\n")
    assert held().keys() == {"A-1"}


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        pytest.param("a-2,Cup,,Kitchen,1,1", "line 3, sku:", id="a sku in small letters"),
        pytest.param("A-2,,,Kitchen,1,1", "line 3, name:", id="no name"),
        pytest.param("A-2,Cup,,,1,1", "line 3, category:", id="no category"),
        pytest.param("A-2,Cup,,Kitchen,cheap,1", "line 3, price:", id="a price in words"),
        pytest.param("A-2,Cup,,Kitchen,1.005,1", "line 3, price:", id="a fraction of a cent"),
        pytest.param("A-2,Cup,,Kitchen,-1,1", "line 3, price:", id="a price below zero"),
        pytest.param("A-2,Cup,,Kitchen,NaN,1", "line 3, price:", id="a price that is none"),
        pytest.param("A-2,Cup,,Kitchen,1e999999,1", "line 3, price:", id="an endless price"),
        pytest.param("A-2,Cup,,Kitchen,1,-1", "line 3, stock:", id="a stock below zero"),
        pytest.param("A-2,Cup,,Kitchen,1,1.5", "line 3, stock:", id="half a piece"),
        pytest.param("A-2,Cup,,Kitchen,1,99999999999", "line 3, stock:", id="an endless stock"),
        pytest.param("A-2,Cu\0p,,Kitchen,1,1", "line 3, name:", id="a NUL"),
        pytest.param("A-2,Cup,,Kitchen,1", "line 3: Not as many", id="a field too few"),
        pytest.param("A-2,Cup,,Kitchen,1,1,1", "line 3: Not as many", id="a field too many"),
        pytest.param("A-1,Cup,,Kitchen,1,1", "line 3, sku: Already on line 2", id="a sku twice"),
        pytest.param('\n"A\n2",C,,K,1,1', "line 4, sku:", id="after an empty line, over two"),
    ],
)
def test_a_bad_line_is_told_and_the_good_ones_are_imported(bring, held, bad, told):
    status, output = bring(f"{HEAD}{GOOD}{bad}\nA-3,Jug,,Kitchen,7,2\n")
    assert status == 1
    assert told in output
    assert output.endswith("2 added, 0 changed, 0 unchanged, 1 bad line left out.\n")
    assert held().keys() == {"A-1", "A-3"}


def test_everything_wrong_with_a_line_is_told(bring):
    _, output = bring(f"{HEAD}a,,x,y,z,-1\n")
    for column in ("sku", "name", "price", "stock"):
        assert f"line 2, {column}:" in output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "lacks sku, name", id="an empty file"),
        pytest.param(b"sku,name\nA-1,Cup\n", "lacks description, category", id="columns missing"),
        pytest.param((HEAD + GOOD).encode("utf-16"), "not UTF-8", id="another encoding"),
        pytest.param((HEAD + "A,é,,K,1,1").encode("latin-1"), "not UTF-8", id="Latin 1"),
        pytest.param((HEAD + GOOD + '"open').encode(), "not CSV at line 3", id="an open quote"),
        pytest.param(
            (HEAD + GOOD + "B-1," + "x" * 200_000).encode(),
            "not CSV at line 3",
            id="an endless field",
        ),
    ],
)
def test_an_unusable_file_is_one_clear_line_and_nothing_is_written(bring, held, content, told):
    status, output = bring(content)
    assert status == 2
    assert told in output
    assert len(output.splitlines()) == 1
    assert held() == {}


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_cannot_be_opened_is_one_clear_line(new_shop, tmp_path, name):
    result = new_shop.test_cli_runner().invoke(
        args=["shop", "import-catalogue", str(tmp_path / name)]
    )
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert "catalogue" in result.output or "missing.csv" in result.output


def test_columns_may_stand_in_any_order_with_others_between_and_a_byte_order_mark(bring, held):
    text = (
        "\ufeffstock,colour,price,category,description,name,sku\r\n4,red,3.50,Kitchen,,Cup,A-1\r\n"
    )
    assert bring(text)[0] == 0
    assert str(held()["A-1"].price) == "3.50"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quoted_field_may_hold_line_breaks_of_any_kind(bring, held, end):
    assert bring(f'{HEAD}A-1,Cup,"two{end}lines",Kitchen,1,1\r\n')[0] == 0
    assert held()["A-1"].description == f"two{end}lines"


def test_without_tables_the_command_says_what_to_do(tmp_path, shop_without_tables):
    file = tmp_path / "catalogue.csv"
    file.write_text(HEAD + GOOD)
    result = shop_without_tables.test_cli_runner().invoke(
        args=["shop", "import-catalogue", str(file)]
    )
    assert result.exit_code == 1
    assert "flask db upgrade" in result.output
    assert len(result.output.splitlines()) == 1


def test_with_debug_the_command_shows_where_it_failed(tmp_path, shop_without_tables, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    result = shop_without_tables.test_cli_runner().invoke(
        args=["shop", "import-catalogue", str(tmp_path / "any.csv")]
    )
    assert isinstance(result.exception, SQLAlchemyError)


def test_an_import_that_meets_another_writes_nothing_and_says_so(bring, held, new_shop):
    def be_first(session, *_):
        # the row of the other import, which committed after this one had looked
        texts = dict.fromkeys(("name", "description", "category", "search_text"), "")
        session.execute(insert(Product).values(sku="A-1", price=Decimal(1), stock=1, **texts))

    with new_shop.app_context():
        event.listen(db.sessionmaker.class_, "before_flush", be_first, once=True)
    status, output = bring(HEAD + GOOD)
    assert status == 1
    assert "at the same time" in output
    assert held() == {}


def test_help_lists_the_exit_statuses(new_shop):
    help_text = new_shop.test_cli_runner().invoke(args=["shop", "import-catalogue", "--help"])
    assert "\n  Exit status: 0 all lines were good" in help_text.output


def test_thousands_of_lines_are_one_transaction(bring, new_shop):
    rows = "".join(f"A-{n},Cup {n},,Kitchen,{n / 100:.2f},1\n" for n in range(2000))
    assert bring(HEAD + rows)[1].startswith("2000 added")
    with new_shop.app_context():
        cents = db.session.scalar(select(func.sum(Product.price)))
    assert str(cents) == "19990.00"
