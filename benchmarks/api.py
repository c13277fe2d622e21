# ruff: noqa: INP001 - a script, not a package
"""What declared inputs and outputs cost, against the same view without them.

Runs in one process; the variants take turns, so that a noisy machine hits all of them
alike, and medians are compared. Needs the checkout's environment and nothing else::

    python benchmarks/api.py [ROUNDS]
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter
from typing import Any

import flask
from calling import caller
from marshmallow import Schema, fields
from webargs.flaskparser import FlaskParser

from carboy.api.blueprint import Blueprint
from carboy.fast.json import dumps

REQUESTS = 200
BODY = dumps({"name": "Ada", "email": "ada@example.com", "age": 36, "tags": ["a", "b"]})


class User(Schema):
    """Four ordinary fields."""

    name = fields.String(required=True)
    email = fields.String()
    age = fields.Integer()
    tags = fields.List(fields.String())


def service() -> flask.Flask:
    """Make one view in each way."""
    app = flask.Flask(__name__)
    api = Blueprint("api", __name__)
    schema = User()
    parser = FlaskParser()

    @app.post("/bare")
    def bare() -> Any:
        return app.response_class(dumps(flask.request.get_json()), mimetype="application/json")

    @app.post("/by-hand")
    def by_hand() -> Any:
        data = schema.load(flask.request.get_json())
        return app.response_class(dumps(schema.dump(data)), mimetype="application/json")

    @app.post("/webargs")
    @parser.use_args(schema)
    def webargs(data: Any) -> Any:
        return app.response_class(dumps(schema.dump(data)), mimetype="application/json")

    @api.post("/undeclared")
    def undeclared() -> Any:
        return flask.request.get_json()

    @api.post("/declared")
    @api.input(User)
    @api.output(User)
    def declared(data: Any) -> Any:
        return data

    app.register_blueprint(api)
    return app


def main(rounds: int) -> None:
    """Print the median of each variant in microseconds a request."""
    app = service()
    paths = ["/bare", "/by-hand", "/webargs", "/undeclared", "/declared"]
    callers = {path: caller(app, path, BODY) for path in paths}
    times: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(rounds):
        for path, call in callers.items():
            start = perf_counter()
            for _ in range(REQUESTS):
                call()
            times[path].append((perf_counter() - start) / REQUESTS * 1e6)
    base = median(times["/bare"])
    for path in paths:
        took = median(times[path])
        print(f"{path:12} {took:7.1f} µs   {took - base:+7.1f} µs")  # noqa: T201 - its output


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
