"""How a value is known to be right on its way out, and what is shown of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from marshmallow import fields
from marshmallow.fields import Field

from carboy.fast.schema.source import Source
from carboy.fast.schema.stock import field_kind

__all__ = ["Dumped", "Way", "way_out"]

_ISO = frozenset({"iso", "iso8601"})
_DATES: Mapping[type, type] = {
    fields.DateTime: dt.datetime,
    fields.NaiveDateTime: dt.datetime,
    fields.AwareDateTime: dt.datetime,
    fields.Date: dt.date,
    fields.Time: dt.time,
}
_NUMBERS: Mapping[type, str] = {fields.Integer: "int", fields.Float: "float"}
Dumped = Callable[[fields.Nested], Callable[[Any], Any]]
"""Makes of a nested field what dumps its values."""


class Way(NamedTuple):
    """How a value leaves.

    :param test: true when the value is of the usual type; empty: any type will do.
    :param value: what is shown of it.
    """

    test: str
    value: str

    def shown(self, v: str, otherwise: str) -> str:
        """Write what is shown of *v*, where *otherwise* is for what is neither usual nor null."""
        if not self.test:
            return self.value
        if self.value == v:
            return f"({v} if {self.test} or {v} is None else {otherwise})"
        return f"({self.value} if {self.test} else None if {v} is None else {otherwise})"


def way_out(source: Source, field: Field[Any], v: str, dumped: Dumped) -> Way | None:
    """Say how the value *v* of a field is dumped; ``None``: as the field itself does it."""
    kind = field_kind(field, loading=False)
    if kind is None:
        return None
    if kind in (fields.Raw, fields.Boolean):
        return Way("", v)
    if kind is fields.List:
        return _list_out(source, field, v, dumped)
    if kind is fields.Nested and type(field) is fields.Nested:
        return Way("", f"{source.name(dumped(field))}({v})")
    return _written(source, kind, field, v)


def _written(source: Source, kind: type, field: Any, v: str) -> Way | None:
    if kind is fields.String:
        return Way(f"type({v}) is str", v)
    if kind in _NUMBERS:
        return Way(f"type({v}) is {_NUMBERS[kind]}", f"str({v})" if field.as_string else v)
    if kind is fields.UUID:
        return Way(f"type({v}) is {source.name(uuid.UUID)}", f"{source.name(_text)}({v})")
    if kind is fields.Decimal:
        return _decimal_out(source, field, v)
    if kind in _DATES and (field.format or field.DEFAULT_FORMAT) in _ISO:
        kept = _DATES[kind]
        text = f"{source.name(_moment)}({v})" if kept is dt.datetime else f"{v}.isoformat()"
        return Way(f"type({v}) is {source.name(kept)}", text)
    return None


def _moment(value: dt.datetime) -> str:
    """Give what ``isoformat`` gives; orjson has the usual ones in a third of its time."""
    zone = value.tzinfo
    return _text(value) if zone is None or zone is dt.UTC else value.isoformat()


def _text(value: dt.datetime | uuid.UUID) -> str:
    return _written_json(value)[1:-1].decode()


_written_json = orjson.dumps


def _decimal_out(source: Source, field: fields.Decimal, v: str) -> Way:
    test = f"type({v}) is {source.name(Decimal)} and {v}.is_finite()"
    value = v
    if field.places is not None:
        places, rounding = source.name(field.places), source.name(field.rounding)
        value = f"{v}.quantize({places}, rounding={rounding})"
    return Way(test, f"format({value}, 'f')" if field.as_string else value)


def _list_out(source: Source, field: Any, v: str, dumped: Dumped) -> Way | None:
    inner = field.inner
    kind = field_kind(inner, loading=False)
    if kind is None:
        return None
    if kind is fields.Nested and type(inner) is fields.Nested:
        each = f"{source.name(dumped(inner))}(e)"
    else:
        way = None if kind is fields.List else way_out(source, inner, "e", dumped)
        if way is None:
            return None
        each = way.shown("e", f"{source.name(inner)}._serialize(e, None, None)")
    return Way("", f"(None if {v} is None else [{each} for e in {v}])")
