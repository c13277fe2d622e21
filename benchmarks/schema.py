# ruff: noqa: INP001 - a script, not a package
"""Compiled schemas, marshmallow, and pydantic if it is there: ``python benchmarks/schema.py``.

Eight fields. Rounds alternate, so that a noisy machine disturbs all alike. Printed are medians of
processor time in microseconds for one call, and marshmallow's and pydantic's in terms of ours.
"""

from __future__ import annotations

import datetime as dt
import statistics
from typing import Annotated, Any

import marshmallow
from calling import Call, one_round
from marshmallow import fields, validate

from carboy import Schema
from carboy.fast.schema import dump, load, rows_dumper

ROUNDS = 40


class User(marshmallow.Schema):
    """An account."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, validate=validate.Length(1, 80))
    email = fields.Email(required=True)
    age = fields.Integer(validate=validate.Range(0, 150))
    active = fields.Boolean()
    created = fields.DateTime()
    note = fields.String(allow_none=True)
    score = fields.Float()


class Compiled(User, Schema):
    """The same, compiled."""


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
SENT = {**VALUES, "created": "2026-01-31T12:00:00+00:00", "note": "x"}


def pydantic_calls() -> dict[str, Call]:
    """Give pydantic's calls for the same, with the same checks; none if it is not installed."""
    try:
        from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, TypeAdapter
    except ImportError:
        return {}

    def is_email(text: str) -> str:
        # pydantic's EmailStr parses the address with another package; this check is marshmallow's.
        check(text)
        return text

    check = validate.Email()

    class Account(BaseModel):
        model_config = ConfigDict(extra="forbid", from_attributes=True)

        id: int
        name: Annotated[str, Field(min_length=1, max_length=80)]
        email: Annotated[str, AfterValidator(is_email)]
        age: Annotated[int, Field(ge=0, le=150)]
        active: StrictBool
        created: dt.datetime
        note: str | None
        score: float

    several = TypeAdapter(list[Account])
    objects = [Kept(**VALUES) for _ in range(100)]
    rows = [dict(VALUES) for _ in range(100)]
    return {
        "dump 100 objects": lambda: several.dump_python(
            several.validate_python(objects, from_attributes=True), mode="json"
        ),
        "dump 100 rows": lambda: several.dump_python(several.validate_python(rows), mode="json"),
        "load one object": lambda: Account.model_validate(SENT),
    }


def calls() -> dict[str, tuple[Call, Call, int]]:
    """Give marshmallow's calls, ours for the same, and how often each makes a round."""
    schema = User()
    objects = [Kept(**VALUES) for _ in range(100)]
    rows = [dict(VALUES) for _ in range(100)]
    tuples = [tuple(VALUES.values()) for _ in range(100)]
    by_name = rows_dumper(schema, [*VALUES])
    return {
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
        "dump 100 tuples": (
            lambda: schema.dump([dict(zip(VALUES, row, strict=True)) for row in tuples], many=True),
            lambda: by_name(tuples),
            20,
        ),
        "load one object": (lambda: schema.load(SENT), lambda: load(schema, SENT), 500),
        "make a schema": (User, Compiled, 200),
        "make, dump one": (lambda: User().dump(VALUES), lambda: Compiled().dump(VALUES), 200),
        "make with only, dump": (
            lambda: User(only=("id", "name")).dump(VALUES),
            lambda: Compiled(only=("id", "name")).dump(VALUES),
            200,
        ),
        "make, look, dump": (
            lambda: bool(schema := User()) and bool(schema.fields) and schema.dump(VALUES),
            lambda: bool(schema := Compiled()) and bool(schema.fields) and schema.dump(VALUES),
            200,
        ),
    }


def main() -> None:
    """Measure and print a table."""
    theirs = pydantic_calls()
    print(f"{'':22}{'compiled':>10}{'marshmallow':>20}{'pydantic':>20}")  # noqa: T201 - its purpose
    for name, (genuine, compiled, times) in calls().items():
        others = [genuine, *([theirs[name]] if name in theirs else [])]
        for _ in range(100):
            assert name == "make a schema" or genuine() == compiled()  # noqa: S101 - else nothing is compared
        measured: dict[Call, list[float]] = {call: [] for call in (compiled, *others)}
        for _ in range(ROUNDS):
            for call, found in measured.items():
                found.append(one_round(call, times))
        ours, *rest = (statistics.median(found) for found in measured.values())
        compared = "".join(f"{one:12.1f}{one / ours:6.1f} x" for one in rest)
        print(f"{name:22}{ours:10.1f}{compared}")  # noqa: T201


if __name__ == "__main__":
    main()
