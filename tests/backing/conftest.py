"""A small service on a database of its own: SQLite, or PostgreSQL when DATABASE_URL names it."""

import os
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from flask import Flask, current_app, request
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from werkzeug.exceptions import HTTPException

from carboy.backing.database import Database
from carboy.errors import ApiError
from carboy.settings import Testing
from carboy.testing import fresh_database


class Model(DeclarativeBase):
    pass


class Counter(Model):
    __tablename__ = "counters"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


class User(Model):
    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("first", "last", name="one_of_each_name"),
        CheckConstraint("age >= 0", name="age_is_positive"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    first: Mapped[str | None]
    last: Mapped[str | None]
    age: Mapped[int] = mapped_column(default=0)


class Pet(Model):
    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def answer(error):
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, ApiError):
        return {"message": error.message, "data": error.data}, error.status, error.headers
    for translator in current_app.extensions["carboy.translators"]:
        meant = translator(error)
        if meant is not None:
            return answer(meant)
    raise error


@pytest.fixture
def on_postgresql():
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("DATABASE_URL does not name PostgreSQL")


@pytest.fixture
def on_sqlite():
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("DATABASE_URL names PostgreSQL; the run without it covers SQLite")


@pytest.fixture
def url():
    with fresh_database() as made:
        yield made


@pytest.fixture
def make_app(tmp_path):
    """Make apps by settings; what the crate will do is done here in three lines each."""
    opened = []

    def make(db=None, *, order="settings first", root=tmp_path, **settings):
        app = Flask("service", instance_path=str(tmp_path / "instance"), root_path=str(root))
        settings = {"DATABASE_TIMEOUT_S": 5.0, **settings}

        def settle():
            app.config.update(Testing.load(environ={}, **settings).as_config())

        if order == "settings first":
            settle()
        db = db or Database(Model)
        db.init_app(app)
        if order == "database first":
            settle()
        app.extensions["carboy.read_only"] = lambda: (
            bool(request) and request.method in ("GET", "HEAD", "OPTIONS")
        )
        app.register_error_handler(Exception, answer)
        app.db = db
        opened.append(app)
        return app

    yield make
    for app in opened:
        with app.app_context():
            app.db.engine.dispose()


@pytest.fixture
def service(make_app, url):
    """An app with tables, and its database and client at hand."""
    app = make_app(DATABASE_URL=url)
    with app.app_context():
        Model.metadata.create_all(app.db.engine)
        app.db.session.add(Counter(id=1))
        app.db.session.commit()
    return SimpleNamespace(app=app, db=app.db, client=app.test_client(), url=url)


@pytest.fixture
def elsewhere():
    """Call something in another thread, which shares no session with the test."""
    with ThreadPoolExecutor(1) as threads:
        yield lambda call, *given: threads.submit(call, *given).result(30)


@pytest.fixture
def models():
    return SimpleNamespace(Model=Model, Counter=Counter, User=User, Pet=Pet)
