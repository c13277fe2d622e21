"""A service around the blueprint under test, its requests made through the crate."""

import datetime as dt
from types import SimpleNamespace

import flask
import pytest
from marshmallow import Schema, fields, validate
from sqlalchemy import JSON, REAL, ForeignKey, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy.api.blueprint import Blueprint
from carboy.app import Carboy
from carboy.testing.plugin import carboy_contract

__all__ = ["carboy_contract"]
from carboy.backing.database import Database
from carboy.testing import fresh_database


@pytest.fixture
def api():
    return Blueprint("api", __name__)


@pytest.fixture
def serve():
    """Register blueprints on an app of their own and return its test client."""

    def serve(*blueprints, app=None, **options):
        app = app or flask.Flask(__name__)
        Carboy(app, {"APP_ENV": "Testing", "API_DOCS": False}, **options)
        for blueprint in blueprints:
            app.register_blueprint(blueprint)
        return app.test_client()

    return serve


class Model(DeclarativeBase):
    pass


class Thing(Model):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(20), default="plain")
    weight: Mapped[int | None]
    sold: Mapped[dt.date | None]
    worth: Mapped[float] = mapped_column(Numeric(6, 2), default=1)
    pull: Mapped[float | None] = mapped_column(REAL)
    box: Mapped[dict] = mapped_column(JSON, default=dict)
    secret: Mapped[str] = mapped_column(String(20), default="hidden")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("things.id"))


class Box(Schema):
    size = fields.Integer(required=True)
    colour = fields.String()


class ThingIn(Schema):
    name = fields.String(required=True, validate=validate.Length(min=1))
    kind = fields.String()
    weight = fields.Integer(allow_none=True)
    worth = fields.Decimal(as_string=True, places=2)
    sold_on = fields.Date(attribute="sold", allow_none=True)
    box = fields.Nested(Box)
    owner_id = fields.Integer(allow_none=True)


class ThingOut(ThingIn):
    id = fields.Integer(required=True)


@pytest.fixture
def things():
    """The model and its schemas."""
    return SimpleNamespace(Model=Model, Thing=Thing, In=ThingIn, Out=ThingOut, Box=Box)


@pytest.fixture
def shelf(tmp_path):
    """Serve resources over things in a database of their own; it has ``.client`` and ``.db``."""
    with fresh_database() as url:
        opened = []

        def put_up(*kinds, rows=(), rule="/things", blueprint=None, **settings):
            api = blueprint or Blueprint("api", __name__)
            for kind in kinds:
                api.resource(rule if len(kinds) == 1 else f"/{kind.__name__.lower()}", kind)
            app = flask.Flask(__name__, instance_path=str(tmp_path))
            Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": url, **settings})
            db = Database(Model)
            db.init_app(app)
            app.register_blueprint(api)
            opened.append((app, db))
            with app.app_context():
                Model.metadata.create_all(db.engine)
                db.session.add_all(Thing(**row) for row in rows)
                db.session.commit()
            return SimpleNamespace(app=app, db=db, client=app.test_client(), url=url)

        yield put_up
        for app, db in opened:
            with app.app_context():
                db.engine.dispose()
