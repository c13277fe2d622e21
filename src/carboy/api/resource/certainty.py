"""Whether a row can be shown is sometimes known before it is written."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

import sqlalchemy as sa
from marshmallow import Schema, fields
from sqlalchemy.orm import InstrumentedAttribute

from carboy.backing.moment import Moment
from carboy.fast.schema.stock import field_kind

__all__ = ["Certainty"]

# What columns of these types give back, if it was put in as the same. Others convert by code of
# the project's, or hold what cannot be told before.
_GIVEN: Mapping[type[Any], type[Any]] = {
    **dict.fromkeys((sa.String, sa.Text, sa.Unicode, sa.UnicodeText, sa.VARCHAR, sa.TEXT), str),
    **dict.fromkeys((sa.Integer, sa.BigInteger, sa.SmallInteger), int),
    **dict.fromkeys((sa.Float, sa.Double, sa.REAL), float),
    **dict.fromkeys((sa.DateTime, Moment), dt.datetime),
    sa.Numeric: Decimal,
    sa.Boolean: bool,
    sa.Date: dt.date,
    sa.Time: dt.time,
    sa.Uuid: uuid.UUID,
}
# What fields show of any such value, short of None, which all of them show.
_SHOWN: Mapping[type[Any], frozenset[type[Any]]] = {
    fields.String: frozenset(_GIVEN.values()),
    fields.Integer: frozenset({int, bool}),
    fields.Float: frozenset({int, float, bool}),
    fields.Decimal: frozenset({int, Decimal}),
    fields.Boolean: frozenset({bool}),
    fields.DateTime: frozenset({dt.datetime}),
    fields.NaiveDateTime: frozenset({dt.datetime}),
    fields.AwareDateTime: frozenset({dt.datetime}),
    fields.Date: frozenset({dt.date}),
    fields.Time: frozenset({dt.time}),
    fields.UUID: frozenset({uuid.UUID}),
}
_FORMATS = (None, "iso")
_BROAD = frozenset({float, Decimal})  # which whole numbers become in such a column


class Certainty:
    """What is known of the rows of a model and how a schema shows them.

    :param columns: attribute → column, of all that *schema* reads.
    """

    def __init__(self, schema: Schema, columns: Mapping[str, InstrumentedAttribute[Any]]) -> None:
        self._kinds: dict[str, type[Any]] | None = {}
        for name, field in schema.dump_fields.items():
            column = columns[field.attribute or name].property.columns[0]
            given = _given(column.type)
            if given is None or not _shows(field, given):
                self._kinds = None
                return
            self._kinds[column.key] = given

    def of(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a row with these values, by column, is shown for certain."""
        if self._kinds is None:
            return False
        return all(
            (value := values.get(name)) is None or _comes_back(value, kind)
            for name, kind in self._kinds.items()
        )


def _given(kind: Any) -> type[Any] | None:
    if isinstance(kind, sa.Numeric) and kind.asdecimal is isinstance(kind, sa.Float):
        return None
    return _GIVEN.get(type(kind))


def _shows(field: fields.Field[Any], given: type[Any]) -> bool:
    kind = field_kind(field, loading=False)
    return (
        kind is not None
        and given in _SHOWN.get(kind, ())
        and getattr(field, "format", None) in _FORMATS
        and getattr(field, "places", None) is None
    )


def _comes_back(value: Any, kind: type[Any]) -> bool:
    """Tell whether a value is not at the edge of what databases, clocks or JSON have."""
    if type(value) is not kind and not (type(value) is int and kind in _BROAD):
        return False
    if isinstance(value, (float, Decimal)):
        return isfinite(value)
    return not isinstance(value, dt.datetime) or dt.MINYEAR < value.year < dt.MAXYEAR
