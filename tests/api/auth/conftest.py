"""A small service with accounts, sessions and keys, on a database of its own."""

import logging
from types import SimpleNamespace

import flask
import pytest
from sqlalchemy import ForeignKey, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy.api.auth import (
    ApiKeyMixin,
    Auth,
    SessionMixin,
    UserMixin,
    current_user,
    owned_by,
    public,
    requires,
)
from carboy.api.blueprint import Blueprint
from carboy.app import Carboy
from carboy.backing.database import Database
from carboy.testing import fresh_database

PASSWORD = "correct horse battery"
ROLES = {
    "customer": {"orders:read", "orders:write"},
    "clerk": {"orders:*", "stock:read"},
    "admin": {"*"},
}


class Model(DeclarativeBase):
    metadata = MetaData()


class User(UserMixin, Model):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    email: Mapped[str] = mapped_column(String(80), unique=True)


class Session(SessionMixin, Model):
    __tablename__ = "sessions"


class ApiKey(ApiKeyMixin, Model):
    __tablename__ = "api_keys"


class Order(Model):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


def shop_views(db):
    """Make a closed blueprint with a view of each kind."""
    shop = Blueprint("shop", __name__, requires=True)
    mine = owned_by("user_id", unless="orders:any")

    @shop.get("/me")
    def me():
        return {
            "id": current_user.id,
            "permissions": list(current_user.permissions),
            "method": current_user.method,
            "claims": dict(current_user.claims),
        }

    @shop.get("/me/name")
    def my_name():
        return {"username": current_user.username}

    @shop.get("/stock")
    @requires("stock:read")
    def stock():
        return []

    @shop.get("/welcome")
    @public
    def welcome():
        return {"authenticated": current_user.is_authenticated, "id": current_user.id}

    @shop.get("/orders")
    @requires("orders:read")
    def orders():
        from sqlalchemy import select

        return [row.id for row in db.session.scalars(mine.restrict(select(Order)))]

    @shop.get("/orders/<int:number>")
    @requires("orders:read")
    def order(number):
        return {"id": mine.require(db.session.get(Order, number)).id}

    @shop.post("/orders")
    @requires("orders:write")
    def make_order():
        row = Order(user_id=current_user.id)
        db.session.add(row)
        db.session.commit()
        return {"id": row.id}

    return shop


@pytest.fixture
def url():
    with fresh_database() as made:
        yield made


@pytest.fixture
def make_service(url, tmp_path):
    """Make a service; options are those of ``Auth``, capitals are settings."""
    opened = []

    def make(*blueprints, **options):
        settings = {name: options.pop(name) for name in list(options) if name.isupper()}
        db = Database(Model)
        app = flask.Flask("service", instance_path=str(tmp_path))
        Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": url, **settings})
        db.init_app(app)
        outbox = []
        options = {
            "user": User,
            "session": Session,
            "api_key": ApiKey,
            "roles": ROLES,
            "default_role": "customer",
            "mail": lambda purpose, user, token: outbox.append((purpose, user.username, token)),
            **options,
        }
        auth = Auth(db, **options)
        auth.init_app(app)
        app.register_blueprint(auth.blueprint)
        for blueprint in blueprints or [shop_views(db)]:
            app.register_blueprint(blueprint)
        with app.app_context():
            Model.metadata.create_all(db.engine)
        opened.append((app, db))
        return Service(app=app, db=db, auth=auth, outbox=outbox, client=app.test_client())

    yield make
    for app, db in opened:
        with app.app_context():
            db.engine.dispose()


class Service(SimpleNamespace):
    """An app and what tests do with it."""

    def add(self, username, *, password=PASSWORD, **values):
        with self.app.app_context():
            row = User(
                username=username,
                email=f"{username}@example.com",
                password_hash=self.auth.password_hash(password),
                **values,
            )
            self.db.session.add(row)
            self.db.session.commit()
            return row.id

    def sign_in(self, username, password=PASSWORD, **headers):
        sent = {"username": username, "password": password}
        return self.client.post("/sessions", json=sent, headers=headers)

    def token(self, username):
        return self.sign_in(username).json["data"]["token"]

    def call(self, method, path, token=None, scheme="Bearer", **options):
        headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
        return self.client.open(path, method=method, headers=headers, **options)

    def rows(self, statement):
        with self.app.app_context():
            return self.db.session.scalars(statement).all()

    def change(self, statement):
        with self.app.app_context():
            self.db.session.execute(statement)
            self.db.session.commit()


@pytest.fixture
def service(make_service):
    made = make_service()
    made.add("ada")
    made.add("bob")
    made.add("clara", role="clerk")
    return made


@pytest.fixture
def models():
    return SimpleNamespace(User=User, Session=Session, ApiKey=ApiKey, Order=Order)


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog
