"""Rows of a database as a schema shows them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from marshmallow import Schema

from carboy.backing.records import Record, Records
from carboy.fast.schema import dump, rows_dumper
from carboy.fast.schema.shown import attributes_shown

__all__ = ["dumped"]

_REMEMBERED = 512


def dumped(schema: Schema, data: Record | Records) -> Any:
    """Dump rows as ``schema.dump`` does, from their tuples where values are all it looks at."""
    if isinstance(data, Records) and schema.many:
        dumper = _dumper(schema, data.names)
        return dump(schema, list(data)) if dumper is None else dumper(data.tuples)
    if isinstance(data, Record) and not schema.many:
        dumper = _dumper(schema, data._fields)
        return dump(schema, data) if dumper is None else dumper((data,))[0]
    return dump(schema, data)


@lru_cache(maxsize=_REMEMBERED)
def _dumper(schema: Schema, names: tuple[str, ...]) -> Callable[[Any], list[Any]] | None:
    return None if attributes_shown(schema) is None else rows_dumper(schema, names)
