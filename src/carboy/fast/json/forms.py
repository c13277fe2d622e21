"""The forms that values of Python have in JSON."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any

import orjson

OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME
"""orjson loses the zero in front of microseconds below 100,000 of a time of day."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MOMENTS = (dt.datetime, dt.date, dt.time)


def form_of(value: Any) -> Any:
    """Give what JSON has in the place of what orjson does not know, or writes wrongly.

    :raises TypeError: for a type that has no such form.
    """
    if isinstance(value, _MOMENTS):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else None
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"{type(value).__name__} has no JSON form.")


def rebuilt(value: Any) -> Any:  # noqa: PLR0911 - one per type
    """Make *value* anew from what the standard library writes, as orjson would have.

    :raises TypeError: where a type has no form in JSON.
    :raises RecursionError: where it is too deep, or in itself.
    """
    if isinstance(value, enum.Enum):
        return rebuilt(value.value)
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [rebuilt(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): rebuilt(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: rebuilt(getattr(value, name)) for name in names if name[0] != "_"}
    try:
        return json.loads(orjson.dumps(value, option=OPTIONS))  # UUIDs
    except TypeError:
        return rebuilt(form_of(value))


def _key(key: Any) -> str:
    plain = rebuilt(key)
    return plain if isinstance(plain, str) else json.dumps(plain)
