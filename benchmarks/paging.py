# ruff: noqa: INP001, T201 - a script that prints
"""What a page costs, near the start of a list and far from it.

Fills a table with a million rows and reads lists of a hundred: by cursor, walking from
the first page to the last, and by number. Prints the median time of a request through
the test client near the start and at the end.

    python benchmarks/paging.py [ROWS]

SQLite in a temporary file, or the server that DATABASE_URL names, in a database of its own.
"""

from __future__ import annotations

import sys
import time
from statistics import median

from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields
from sqlalchemy import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy import Blueprint, Carboy, Cursor, Database, Pages, Resource
from carboy.testing import fresh_database

LIMIT = 100
SAMPLE = 50


class Model(DeclarativeBase):
    """The tables of the benchmark."""


class Reading(Model):
    """One measurement; neighbours in the list lie far apart in the table."""

    __tablename__ = "readings"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(index=True)


class ReadingOut(Schema):
    """A measurement as it is answered."""

    id = fields.Integer(required=True)
    value = fields.Integer(required=True)


class ByCursor(Resource):
    """Pages that say where the next begins."""

    model = Reading
    schema = ReadingOut
    only = ("list",)
    default_sort = ("value",)
    paging = Cursor(limit=LIMIT)


class ByNumber(ByCursor):
    """Pages that are counted."""

    paging = Pages(limit=LIMIT)


def make_app(url: str, rows: int) -> Flask:
    """Make an app with a table of so many rows."""
    db = Database(Model.metadata)
    api = Blueprint("api", __name__)
    api.resource("/cursor", ByCursor)
    api.resource("/number", ByNumber)
    app = Flask("paging")
    Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": url})
    db.init_app(app)
    app.register_blueprint(api)
    with app.app_context():
        Model.metadata.create_all(db.engine)
        for start in range(0, rows, 10_000):
            batch = range(start, min(start + 10_000, rows))
            db.session.execute(insert(Reading), [{"value": n * 7919 % 1_000_003} for n in batch])
        db.session.commit()
    return app


def timed(client: FlaskClient, path: str) -> tuple[float, dict[str, str | None]]:
    """Read a page; gives milliseconds and its links."""
    started = time.perf_counter()
    answer = client.get(path)
    took_ms = (time.perf_counter() - started) * 1000
    return took_ms, answer.get_json()["data"]["links"]


def main() -> None:
    """Print the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with fresh_database() as url:
        client = make_app(url, rows).test_client()
        walked: list[float] = []
        path: str | None = "/cursor"
        while path:
            took_ms, links = timed(client, path)
            walked.append(took_ms)
            path = links["next"]
        last = rows // LIMIT
        first_pages = [timed(client, f"/number?page={n}")[0] for n in range(1, SAMPLE + 1)]
        last_pages = [timed(client, f"/number?page={last - n}")[0] for n in range(SAMPLE)]
    kind = url.partition(":")[0]
    print(f"{rows:,} rows on {kind}, {LIMIT} a page, {len(walked):,} pages; median ms of {SAMPLE}")
    print(
        f"cursor  first {median(walked[1 : SAMPLE + 1]):7.2f}  last {median(walked[-SAMPLE:]):7.2f}"
    )
    print(f"number  first {median(first_pages):7.2f}  last {median(last_pages):7.2f}")


if __name__ == "__main__":
    main()
