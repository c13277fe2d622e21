# ruff: noqa: INP001 - a script, not a package
"""carboy.Flask against flask.Flask: ``python benchmarks/fast_flask.py``.

The same views on both, called as a WSGI server calls them. *Cold* is a call right after an ORM
query, which leaves the processor's caches as a request finds them in life; *hot* is one call after
the other. Rounds alternate, so that a noisy machine disturbs both alike. Printed are medians of
processor time in microseconds for one call, and their ratio.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import carboy

ROUNDS, CALLS = 30, 60
BODY = json.dumps({"items": [{"id": n, "name": "x" * 20, "ok": True} for n in range(19)]}).encode()


class Base(DeclarativeBase):
    """What models derive from."""


class Row(Base):
    """Something to ask for."""

    __tablename__ = "row"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def app_of(kind: type[flask.Flask], *, hooks: bool = False) -> flask.Flask:
    """Make an app with the views that are measured."""
    app = kind(__name__)
    app.secret_key = "a key that nobody has to guess"  # noqa: S105 - no secret
    app.add_url_rule("/json", "json", lambda: {"message": "Hello, World!"})
    app.add_url_rule("/users/<int:id>", "user", lambda id: {"id": id, "name": "Ada"})  # noqa: A006
    app.add_url_rule("/echo", "echo", lambda: flask.request.json, methods=["POST"])
    if hooks:
        app.before_request(lambda: None)
        app.after_request(lambda response: response)
        app.teardown_request(lambda _: None)
    return app


def environ(path: str, method: str = "GET", body: bytes = b"") -> dict[str, Any]:
    """Make what a server passes on, with the headers of a browser's request."""
    made = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:8000",
        "HTTP_USER_AGENT": "benchmark",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body:
        made |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"}
    return made


def answer(app: Any, made: dict[str, Any]) -> tuple[Any, ...]:
    """Call *app* as a server does."""
    started: list[Any] = []
    body = app(made, lambda *given: started.append(given))
    sent = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return started, sent


def one_round(app: Any, make: Callable[[], dict[str, Any]], between: Callable[[], Any]) -> float:
    """Call *app* some times and give the microseconds of one call."""
    made = [make() for _ in range(CALLS)]
    spent = 0
    for each in made:
        between()
        began = time.thread_time_ns()
        answer(app, each)
        spent += time.thread_time_ns() - began
    return spent / CALLS / 1000


def main() -> None:
    """Measure and print a table."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    session = Session(engine)
    session.add(Row(id=1, name="Ada"))
    session.commit()

    def query() -> None:
        session.expire_all()
        session.scalars(select(Row).where(Row.id == 1)).one()

    plain = app_of(flask.Flask), app_of(carboy.Flask)
    hooked = app_of(flask.Flask, hooks=True), app_of(carboy.Flask, hooks=True)
    cases: dict[str, tuple[tuple[flask.Flask, flask.Flask], Callable[[], dict[str, Any]]]] = {
        "JSON view": (plain, lambda: environ("/json")),
        "converter route": (plain, lambda: environ("/users/42")),
        "1 KB JSON echo": (plain, lambda: environ("/echo", "POST", BODY)),
        "404": (plain, lambda: environ("/nowhere")),
        "with hooks": (hooked, lambda: environ("/json")),
    }
    print(f"{'':18}{'':6}{'flask':>10}{'carboy':>10}{'ratio':>8}")  # noqa: T201 - its purpose
    for name, (apps, make) in cases.items():
        assert answer(apps[0], make()) == answer(apps[1], make())  # noqa: S101 - else it is no race
        for state, between in (("cold", query), ("hot", lambda: None)):
            found: tuple[list[float], list[float]] = [], []
            for _ in range(ROUNDS):
                for app, times in zip(apps, found, strict=True):
                    times.append(one_round(app, make, between))
            slow, fast = (statistics.median(times) for times in found)
            print(f"{name:18}{state:6}{slow:10.1f}{fast:10.1f}{slow / fast:8.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
