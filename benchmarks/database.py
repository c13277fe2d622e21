# ruff: noqa: INP001 - a script, not a package
"""Reads and inserts without objects against those with: ``python benchmarks/database.py [ROUNDS]``.

Each request is made in this process, through Flask. The variants take turns, so that a noisy
machine disturbs all alike. Printed are medians of processor time in microseconds above a view that
asks no database: of the short way, of the same resource by way of objects, and of the driver alone,
which is the floor. SQLite, and with ``DATABASE_URL`` that server as well.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import sqlite3
import statistics
import sys
from typing import Any

from calling import Call, caller, one_round
from marshmallow import Schema, fields, validate
from sqlalchemy import DateTime, String, bindparam, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy import Blueprint, Carboy, Database, Flask, Resource
from carboy.fast.json import dumps
from carboy.testing import fresh_database

TIMES = 50
ROWS = 1000
PAGE = 50


class Model(DeclarativeBase):
    """The base of all models."""


class User(Model):
    """An account of eight columns."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254))
    age: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    created: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=lambda: dt.datetime.now(dt.UTC)
    )
    note: Mapped[str | None]
    score: Mapped[float]


class UserIn(Schema):
    """What a caller sends."""

    name = fields.String(required=True, validate=validate.Length(1, 80))
    email = fields.Email(required=True)
    age = fields.Integer(validate=validate.Range(0, 150), allow_none=True)
    active = fields.Boolean()
    note = fields.String(allow_none=True)
    score = fields.Float()


class UserOut(UserIn):
    """What is answered."""

    id = fields.Integer()
    created = fields.DateTime()


class Users(Resource):
    """Accounts."""

    model, schema, writable = User, UserOut, UserIn
    only = ("list", "read", "create")
    filters = {"age": ("gte",)}  # noqa: RUF012 - as in projects


class Recent(Users):
    """The same, with a query of its own."""

    def query(self) -> Any:
        """Leave none out, by a condition with a value of this request."""
        return select(User).where(User.id > 0)


BODY = dumps({"name": "Ada", "email": "ada@example.com", "age": 36, "active": True, "score": 1.5})
BY_ID = select(User).where(User.id == bindparam("number"))


def service(url: str) -> tuple[Flask, Database]:
    """Make an app with the resources, the same by hand, and rows."""
    app, api, db = Flask("benchmark"), Blueprint("api", __name__), Database(Model)
    secret = secrets.token_hex(32)
    told = {"APP_ENV": "Production", "SECRET_KEY": secret, "TRUSTED_HOSTS": "*"}
    Carboy(app, {**told, "DATABASE_URL": url})
    db.init_app(app)
    api.resource("/users", Users)
    api.resource("/recent", Recent)

    @api.get("/rows/<int:number>")
    @api.output(UserOut)
    def row(number: int) -> Any:
        return db.row(BY_ID, number=number)

    @api.get("/rows")
    @api.output(UserOut(many=True))
    def rows() -> Any:
        return db.rows(select(User).order_by(User.id).limit(PAGE))

    @api.get("/objects/<int:number>")
    @api.output(UserOut)
    def one(number: int) -> Any:
        return db.get_or_abort(User, number)

    @api.get("/objects")
    @api.output(UserOut(many=True))
    def objects() -> Any:
        return list(db.session.scalars(select(User).order_by(User.id).limit(PAGE)))

    @app.get("/bare")
    def bare() -> Any:
        return app.response_class(b"{}", content_type="application/json")

    app.register_blueprint(api)
    with app.app_context():
        Model.metadata.create_all(db.engine)
        db.session.add_all(
            User(name=f"name {n}", email=f"{n}@example.com", age=n % 90, score=n / 7)
            for n in range(ROWS)
        )
        db.session.commit()
    return app, db


def floors(url: str) -> dict[str, Call]:
    """Give the same statements on a connection of the driver, and what they find as JSON."""
    if url.startswith("postgres"):
        import psycopg

        driver: Any = psycopg.connect(url, autocommit=True)
        mark = "%s"
    else:
        driver = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        mark = "?"
    columns = "id, name, email, age, active, created, note, score"
    by_id = f"SELECT {columns} FROM users WHERE id = {mark}"  # noqa: S608 - constants
    page = f"SELECT {columns} FROM users ORDER BY id LIMIT {PAGE + 1}"  # noqa: S608
    added = "name, email, age, active, created, score"
    marks = ", ".join([mark] * 6)
    add = f"INSERT INTO users ({added}) VALUES ({marks}) RETURNING {columns}"  # noqa: S608
    names = columns.split(", ")

    def insert() -> bytes:
        now = dt.datetime.now(dt.UTC)
        row = driver.execute(
            add, ("Ada", "ada@example.com", 36, True, now if mark == "%s" else str(now), 1.5)
        ).fetchall()[0]
        return dumps(dict(zip(names, row, strict=True)))

    return {
        "read": lambda: dumps(
            dict(zip(names, driver.execute(by_id, (5,)).fetchone(), strict=True))
        ),
        "list of 50": lambda: dumps(
            [dict(zip(names, row, strict=True)) for row in driver.execute(page).fetchall()]
        ),
        "insert": insert,
    }


def without(app: Flask, call: Call) -> Call:
    """Make the same call with the short way closed."""

    def long() -> None:
        lane = app.extensions.pop("carboy.lane")
        try:
            call()
        finally:
            app.extensions["carboy.lane"] = lane

    return long


def measure(url: str, rounds: int) -> None:
    """Print a table for one database."""
    app, db = service(url)
    floor = floors(url)
    paths: dict[str, tuple[Any, ...]] = {
        "read": ("/users/5",),
        "read, own query": ("/recent/5",),
        "list of 50": (f"/users?limit={PAGE}",),
        "list, filtered": (f"/users?limit={PAGE}&age_gte=0",),
        "insert": ("/users", BODY, "201 CREATED"),
    }
    calls: dict[tuple[str, str], Call] = {("", "bare"): caller(app, "/bare")}
    for name, request in paths.items():
        call = caller(app, *request)
        calls[name, "short"] = call
        calls[name, "objects"] = without(app, call)
        if name in floor:
            calls[name, "driver"] = floor[name]
    for name, short, long, like in (
        ("by hand: read", "/rows/5", "/objects/5", "read"),
        ("by hand: 50", "/rows", "/objects", "list of 50"),
    ):
        calls[name, "short"] = caller(app, short)
        calls[name, "objects"] = caller(app, long)
        calls[name, "driver"] = floor[like]
    found: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for call in calls.values():
        one_round(call, TIMES)
    for _ in range(rounds):
        for key, call in calls.items():
            found[key].append(one_round(call, TIMES))
    bare = statistics.median(found["", "bare"])
    middle = {key: statistics.median(times) for key, times in found.items()}
    heads = f"{'short way':>12}{'objects':>12}{'driver':>12}{'ratio':>8}"
    print(f"{url.partition(':')[0]:18}{heads}")  # noqa: T201 - its purpose
    for name in dict.fromkeys(name for name, _ in calls if name):
        short, long = middle[name, "short"] - bare, middle[name, "objects"] - bare
        alone = middle.get((name, "driver"))
        shown = "" if alone is None else f"{alone:.1f}"
        print(f"{name:18}{short:12.1f}{long:12.1f}{shown:>12}{long / short:8.1f}")  # noqa: T201
    with app.app_context():
        db.engine.dispose()


def main(rounds: int) -> None:
    """Measure on SQLite, and on the server that ``DATABASE_URL`` names."""
    given = os.environ.get("DATABASE_URL", "")
    for url in ("sqlite://", given) if given.startswith("postgres") else ("sqlite://",):
        with fresh_database(url) as made:
            measure(made, rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
