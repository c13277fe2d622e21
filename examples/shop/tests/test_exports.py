"""Whole lists as files: the catalogue, which can be imported again, and the orders."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

PRODUCTS = "/api/v1/products/export"
ORDERS = "/api/v1/orders/export"
EXPORTS = (PRODUCTS, ORDERS)
ODD = [
    {"name": "=1+1", "description": "@SUM(A1)", "category": "-"},
    {"name": "+49 30 1234", "description": "-20 %", "category": "＝1"},  # noqa: RUF001
    {"name": 'A "quoted", name', "description": "two\nlines", "category": "'=1+1"},
    {"name": "a;b\u2028c", "description": "a\r\nb\rc\td", "category": "日本語 😀"},
    {"name": "\ufeffmark", "description": "", "category": "a,b"},
    {"name": "''-5", "description": "'tis '=1", "category": "'"},
    {"name": "0.00", "price": "0.00", "stock": 0},
    {"name": "n" * 120, "description": "d" * 2000, "price": "1000000.00", "stock": 1_000_000},
]


def rows_of(answer):
    """Read an export, whatever its format."""
    if answer.headers["Content-Type"].startswith("text/csv"):
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))
    return [json.loads(line) for line in answer.body.splitlines()]


@pytest.fixture
def buy(customer, product):
    """Buy one piece of something; gives the order."""
    lines = [{"product_id": product["id"], "quantity": 1}]
    return lambda: customer.client.post("/api/v1/checkout", json={"lines": lines}).data


@pytest.mark.parametrize("path", EXPORTS)
@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        pytest.param("", None, "text/csv", id="CSV unless something else is asked for"),
        pytest.param("?format=csv", "application/x-ndjson", "text/csv", id="the address wins"),
        pytest.param("?format=ndjson", None, "application/x-ndjson", id="NDJSON by the address"),
        pytest.param("", "application/x-ndjson", "application/x-ndjson", id="NDJSON by a header"),
    ],
)
def test_an_export_has_the_format_asked_for(clerk, path, query, accept, kind):
    answer = clerk.get(path + query, headers={"Accept": accept} if accept else {})
    assert answer.status == 200
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    name = f"{path.split('/')[-2]}.{'csv' if kind == 'text/csv' else 'ndjson'}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", EXPORTS)
def test_a_format_that_there_is_not_is_refused(clerk, path):
    assert clerk.get(path + "?format=xlsx").fields.keys() == {"format"}
    assert clerk.get(path, headers={"Accept": "image/png"}).status == 406


@pytest.mark.parametrize("path", EXPORTS)
def test_exports_are_for_clerks(client, customer, admin, path):
    assert client.get(path).status == 401
    assert customer.client.get(path).status == 403
    assert admin.get(path).status == 200


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_the_catalogue_is_exported_whole(client, clerk, walk, kind):
    exported = rows_of(clerk.get(f"{PRODUCTS}?format={kind}"))
    shown = {product["sku"]: product for product in walk("/api/v1/products?limit=100")}
    assert len(exported) == len(shown) >= 200
    for row in exported:
        assert row.keys() == {"sku", "name", "description", "category", "price", "stock"}
        product = shown[row["sku"]]
        assert {**row, "stock": int(row["stock"])} == {name: product[name] for name in row}


def test_an_exported_catalogue_can_be_imported_again_unchanged(
    new_shop, sign_in, new_product, command, tmp_path
):
    clerk = sign_in(new_shop, "clerk")
    for odd in ODD:
        new_product(clerk, **odd)
    file = tmp_path / "products.csv"
    file.write_bytes(clerk.get(PRODUCTS).body)
    again = command(new_shop, "shop", "import-catalogue", "--restock", str(file))
    assert again == f"0 added, 0 changed, {len(ODD)} unchanged, 0 bad lines left out.\n"
    before = clerk.get(f"{PRODUCTS}?format=ndjson").text.splitlines()
    for product in clerk.get("/api/v1/products?limit=100").data["items"]:
        assert clerk.delete(f"/api/v1/products/{product['id']}").status == 204
    again = command(new_shop, "shop", "import-catalogue", str(file))
    assert again == f"{len(ODD)} added, 0 changed, 0 unchanged, 0 bad lines left out.\n"
    assert clerk.get(f"{PRODUCTS}?format=ndjson").text.splitlines() == before


def test_a_spreadsheet_that_opens_the_catalogue_runs_nothing(new_shop, sign_in, new_product):
    clerk = sign_in(new_shop, "clerk")
    new_product(clerk, name="=WEBSERVICE(A1)", description="@SUM(A1)", category="+1|x")
    (row,) = rows_of(clerk.get(PRODUCTS))
    assert [row[name] for name in ("name", "description", "category")] == [
        "'=WEBSERVICE(A1)", "'@SUM(A1)", "'+1|x",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_every_order_is_exported_on_one_line(clerk, customer, buy, kind):
    bought = [buy() for _ in range(3)]
    rows = rows_of(clerk.get(f"{ORDERS}?format={kind}"))
    numbers = [int(row["id"]) for row in rows]
    assert numbers == sorted(numbers)
    mine = [row for row in rows if str(row["user_id"]) == str(customer.account["id"])]
    for row, order in zip(mine, bought, strict=True):
        assert list(row) == ["id", "user_id", "total", "currency", "created_at", "refunded_at"]
        nothing = "" if kind == "csv" else None
        written = str if kind == "csv" else lambda value: value
        assert row == {
            name: nothing if order[name] is None else written(order[name]) for name in row
        }


def test_a_key_with_the_scope_exports_orders_and_does_nothing_else(client, clerk, buy):
    order = buy()
    asked = {"name": "nightly export", "scopes": ["orders:export"]}
    key = client.holding(clerk.post("/api/v1/api-keys", json=asked).data["key"])
    exported = rows_of(key.get(f"{ORDERS}?format=ndjson"))
    assert order["id"] in {row["id"] for row in exported}
    for path in (PRODUCTS, "/api/v1/orders", f"/api/v1/orders/{order['id']}", "/api/v1/users"):
        assert key.get(path).status == 403
    lines = [{"product_id": order["lines"][0]["product_id"], "quantity": 1}]
    assert key.post("/api/v1/checkout", json={"lines": lines}).status == 403


def test_a_customer_makes_no_key_that_exports(customer):
    asked = {"name": "mine", "scopes": ["orders:export"]}
    assert customer.client.post("/api/v1/api-keys", json=asked).fields.keys() == {"scopes"}


def test_a_key_made_at_the_command_line_exports_until_it_is_revoked(new_shop, sign_in, command):
    clerk = sign_in(new_shop, "clerk")
    (account,) = clerk.get("/api/v1/users").data["items"]
    made = command(
        new_shop, "auth", "create-key", account["username"], "--name", "x", "--scope",
        "orders:export",
    )  # fmt: skip
    key = clerk.holding(next(word for word in made.split() if word.startswith("cbk_")))
    assert key.get(ORDERS).status == 200
    (row,) = clerk.get("/api/v1/api-keys").data
    command(new_shop, "auth", "revoke-key", row["id"])
    assert key.get(ORDERS).status == 401


def test_orders_are_bought_while_they_are_exported(clerk, buy):
    first = buy()

    def export(_):
        return rows_of(clerk.get(f"{ORDERS}?format=ndjson"))

    with ThreadPoolExecutor(4) as crowd:
        exports = crowd.map(export, range(4))
        bought = [first, *(buy() for _ in range(4))]
        assert all(first["id"] in {row["id"] for row in rows} for rows in exports)
    assert {order["id"] for order in bought} <= {row["id"] for row in export(0)}
