"""The migrations and the models are two accounts of the same tables; they must agree."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from shop.auth import auth
from shop.database import Model, db

FIRST = "1795200000"
SECRET = "correct horse battery"
AT = "2026-01-02 03:04:05+00:00"
OLD_ROWS = (
    f"""INSERT INTO products
        (id, sku, name, description, category, price_cents, stock, search_text, created_at)
        VALUES (3, 'A-1', 'Cup', 'A cup.', 'Kitchen', 350, 4, 'a-1 cup', '{AT}')""",
    f"""INSERT INTO orders (id, user_id, currency, total_cents, created_at)
        VALUES (5, 7, 'EUR', 700, '{AT}'), (6, NULL, 'EUR', 350, '{AT}')""",
    """INSERT INTO order_lines (id, order_id, product_id, sku, name, price_cents, quantity)
        VALUES (1, 5, 3, 'A-1', 'Cup', 350, 2), (2, 6, 3, 'A-1', 'Cup', 350, 1)""",
)


def tables(app):
    with app.app_context(), db.engine.connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_migrations_make_what_the_models_say(new_shop):
    with new_shop.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Model.metadata) == []


def test_the_checks_on_the_tables_are_those_of_the_models(new_shop):
    with new_shop.app_context(), db.engine.connect() as connection:
        made = {
            check["name"]
            for table in Model.metadata.tables
            for check in inspect(connection).get_check_constraints(table)
        }
    assert made == {
        "ck_products_stock_not_negative",
        "ck_products_price_not_negative",
        "ck_order_lines_quantity_positive",
    }


def test_a_downgrade_takes_everything_away_and_an_upgrade_brings_it_back(new_shop, command):
    assert tables(new_shop) == set(Model.metadata.tables)
    command(new_shop, "db", "downgrade", "base")
    assert tables(new_shop) == set()
    command(new_shop, "db", "upgrade")
    assert tables(new_shop) == set(Model.metadata.tables)


def test_migrating_twice_does_nothing_the_second_time(new_shop, command):
    command(new_shop, "db", "upgrade")
    assert tables(new_shop) == set(Model.metadata.tables)


def rows_of(app):
    """Read everything that is in the database: table → its rows, in order."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table: [
                dict(row)
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings()
            ]
            for table in ("users", "products", "orders", "order_lines")
        }


@pytest.fixture
def old_shop(shop_without_tables, command):
    """A shop of before people signed in: two accounts, one of which bought something."""
    command(shop_without_tables, "db", "upgrade", FIRST)
    with shop_without_tables.app_context(), db.engine.begin() as connection:
        users = [
            {
                "id": number,
                "name": name,
                "key": name.casefold(),
                "email": f"{name}@example.com",
                "email_key": f"{name}@example.com".casefold(),
                "hash": auth.password_hash(SECRET),
                "at": AT,
            }
            for number, name in ((1, "Renee"), (7, "anna"))
        ]
        connection.execute(
            text(
                "INSERT INTO users (id, username, username_key, email, email_key, full_name, "
                "password_hash, created_at) "
                "VALUES (:id, :name, :key, :email, :email_key, :name, :hash, :at)"
            ),
            users,
        )
        for statement in OLD_ROWS:
            connection.execute(text(statement))
        if connection.dialect.name == "postgresql":  # ids that were given move no sequence
            for table in ("users", "products", "orders", "order_lines"):
                last = f"(SELECT max(id) FROM {table})"
                connection.execute(text(f"SELECT setval('{table}_id_seq', {last})"))
    return shop_without_tables


def test_an_upgrade_keeps_every_row_and_its_people_sign_in(old_shop, command):
    before = rows_of(old_shop)
    command(old_shop, "db", "upgrade")
    after = rows_of(old_shop)
    for table, rows in before.items():
        for then, now in zip(rows, after[table], strict=True):
            added = set(now) - set(then)
            assert {name: now[name] for name in then} == then
            assert {now[name] for name in added} <= {None}
    client = old_shop.test_client()
    sent = {"username": "ANNA@example.com", "password": SECRET}
    token = client.post("/api/v1/sessions", json=sent).get_json()["data"]["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/users/7", headers=bearer).get_json()["data"]["role"] == "customer"
    (order,) = client.get("/api/v1/orders", headers=bearer).get_json()["data"]["items"]
    assert (order["id"], order["total"], order["refunded_at"]) == (5, "7.00", None)
    told = command(old_shop, "orders", "refund", "5")
    assert "2 pieces are back" in told


def test_a_downgrade_keeps_every_row_of_before(old_shop, command, sign_in):
    before = rows_of(old_shop)
    command(old_shop, "db", "upgrade")
    command(old_shop, "users", "set-role", "renee", "admin")
    command(old_shop, "orders", "refund", "6")
    client = sign_in(old_shop, "clerk")  # leaves an account, a session and a key behind
    asked = {"name": "export", "scopes": ["orders:export"]}
    assert client.post("/api/v1/api-keys", json=asked).status == 201
    command(old_shop, "db", "downgrade")
    assert tables(old_shop) == set(before)
    after = rows_of(old_shop)
    assert [row["username"] for row in after.pop("users")][:2] == ["Renee", "anna"]
    assert after.pop("products") == [{**before["products"][0], "stock": 5}]  # the refund stays
    assert after == {name: before[name] for name in ("orders", "order_lines")}
    command(old_shop, "db", "upgrade")
    assert tables(old_shop) == set(Model.metadata.tables)


def test_ids_of_what_was_deleted_are_not_given_again_after_an_upgrade(
    old_shop, command, sign_in, new_product
):
    command(old_shop, "db", "upgrade")
    clerk = sign_in(old_shop, "clerk")
    first = new_product(clerk)["id"]
    assert first > 3
    assert clerk.delete(f"/api/v1/products/{first}").status == 204
    assert new_product(clerk)["id"] > first
