"""Loading one by one is noticed: a warning in Development, a failure in tests."""

import logging
import secrets

import pytest
from flask import Flask
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from carboy import Carboy, Database
from carboy.testing import fresh_database
from carboy.testing.plugin import carboy_repeats
from carboy.testing.repeats import RepeatedStatements

__all__ = ["carboy_repeats"]


class Model(DeclarativeBase):
    pass


class Customer(Model):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")


class Order(Model):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship(back_populates="orders")


@pytest.fixture
def serve(tmp_path):
    """Make a shop with twelve customers, each with an order; the settings say for whom."""
    with fresh_database() as url:
        made = []

        def serve(**settings):
            app = Flask("shop", instance_path=str(tmp_path))
            Carboy(app, {"DATABASE_URL": url, **settings})
            db = Database(Model)
            db.init_app(app)
            made.append((app, db))
            _views(app, db)
            with app.app_context():
                Model.metadata.create_all(db.engine)
                db.session.add_all(Customer(orders=[Order()]) for _ in range(12))
                db.session.commit()
            return app

        yield serve
        for app, db in made:
            with app.app_context():
                db.engine.dispose()


def _views(app, db):
    @app.get("/lazy/<int:number>")
    def lazy(number):
        found = db.session.scalars(select(Customer).limit(number))
        return [len(customer.orders) for customer in found.all()]

    @app.get("/eager")
    def eager():
        found = db.session.scalars(select(Customer).options(selectinload(Customer.orders)))
        return [len(customer.orders) for customer in found.all()]

    @app.get("/rows/<int:number>")
    def rows(number):
        return [db.row(select(Order.id).where(Order.id == each + 1)).id for each in range(number)]

    @app.get("/objects")
    def objects():
        wanted = range(1, 13)
        return [
            db.session.scalars(select(Order).where(Order.id == each)).one().id for each in wanted
        ]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        pytest.param("/lazy/3", ["Customer.orders was loaded 3", "selectinload(Customer.orders)"],
                     id="relatives of each object"),
        pytest.param("/rows/10", ["In rows the same statement ran 10 times", "in_("],
                     id="rows one by one"),
        pytest.param("/objects", ["In objects the same statement ran 12 times", "FROM orders"],
                     id="objects one by one"),
    ],
)  # fmt: skip
def test_a_request_that_repeats_statements_fails_its_test(serve, carboy_repeats, path, told):
    client = serve(APP_ENV="Testing").test_client()
    with pytest.raises(RepeatedStatements) as raised:
        client.get(path)
    for words in told:
        assert words in str(raised.value)
    carboy_repeats.pause()
    assert client.get(path).status_code == 200
    assert carboy_repeats.found[0].view == path.split("/")[1]


@pytest.mark.usefixtures("carboy_repeats")
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/eager", id="all relatives at once"),
        pytest.param("/lazy/2", id="those of two objects"),
        pytest.param("/rows/9", id="a few rows"),
    ],
)
def test_what_is_loaded_together_passes(serve, path):
    client = serve(APP_ENV="Testing").test_client()
    for _ in range(3):
        assert client.get(path).status_code == 200


def test_development_is_warned_once_for_a_request(serve, caplog):
    caplog.set_level(logging.WARNING)
    client = serve(APP_ENV="Development", SECRET_KEY="k" * 40).test_client()
    assert client.get("/lazy/12").status_code == 200
    warned = [record.getMessage() for record in caplog.records if "loaded" in record.getMessage()]
    assert len(warned) == 1
    assert "In lazy Customer.orders" in warned[0]


def test_production_does_not_listen(serve):
    app = serve(APP_ENV="Production", SECRET_KEY=secrets.token_hex(32), TRUSTED_HOSTS="*")
    assert app.test_client().get("/lazy/12").status_code == 200
    assert "carboy.repeats" not in app.extensions
    with app.app_context():
        assert not app.extensions["sqlalchemy"].engine.dispatch.before_cursor_execute
