"""The migrations and the models are two accounts of the same tables; they must agree."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from shop.database import Model, db


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
