# ruff: noqa: INP001 - a script, not a package
"""Compiled schemas against marshmallow: ``python benchmarks/schema.py``.

Eight fields. Rounds alternate, so that a noisy machine disturbs both alike. Printed are medians of
processor time in microseconds for one call, and their ratio.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields, validate

from carboy.fast.schema import dump, load

ROUNDS = 40


class User(Schema):
    """An account."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, validate=validate.Length(1, 80))
    email = fields.Email(required=True)
    age = fields.Integer(validate=validate.Range(0, 150))
    active = fields.Boolean()
    created = fields.DateTime()
    note = fields.String(allow_none=True)
    score = fields.Float()


class Kept:
    """An object with attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


VALUES: dict[str, Any] = {
    "id": 1,
    "name": "Ada",
    "email": "ada@example.com",
    "age": 36,
    "active": True,
    "created": dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
    "note": None,
    "score": 1.5,
}


def one_round(call: Callable[[], Any], times: int) -> float:
    """Call *times* times and give the microseconds of one."""
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times * 1e6


def main() -> None:
    """Measure and print a table."""
    schema = User()
    objects = [Kept(**VALUES) for _ in range(100)]
    rows = [dict(VALUES) for _ in range(100)]
    sent = {**VALUES, "created": "2026-01-31T12:00:00+00:00", "note": "x"}
    cases: dict[str, tuple[Callable[[], Any], Callable[[], Any], int]] = {
        "dump 100 objects": (
            lambda: schema.dump(objects, many=True),
            lambda: dump(schema, objects, many=True),
            20,
        ),
        "dump 100 rows": (
            lambda: schema.dump(rows, many=True),
            lambda: dump(schema, rows, many=True),
            20,
        ),
        "load one object": (lambda: schema.load(sent), lambda: load(schema, sent), 500),
    }
    print(f"{'':20}{'marshmallow':>14}{'compiled':>12}{'ratio':>8}")  # noqa: T201 - its purpose
    for name, (genuine, compiled, times) in cases.items():
        assert genuine() == compiled()  # noqa: S101 - else nothing is compared
        measured: tuple[list[float], list[float]] = [], []
        for _ in range(ROUNDS):
            for call, found in zip((genuine, compiled), measured, strict=True):
                found.append(one_round(call, times))
        slow, fast = (statistics.median(found) for found in measured)
        print(f"{name:20}{slow:14.1f}{fast:12.1f}{slow / fast:8.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
