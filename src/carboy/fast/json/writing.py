"""Writing JSON: by orjson, and what it refuses although JSON has it by the standard library."""

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

_LONE_SURROGATE = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")
# orjson loses the zero in front of microseconds below 100,000 of a time of day.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME
_MOMENTS = (dt.datetime, dt.date, dt.time)


def dumps(value: Any) -> bytes:
    """Write *value* as JSON, UTF-8 encoded.

    Dates and times are ISO 8601, decimals, UUIDs and paths are strings, enumerations their
    values, data classes objects, sets lists. NaN and the infinities become ``null``, since
    JSON has neither; a lone surrogate becomes U+FFFD. Large integers are written in full.

    :raises TypeError: for a type that has no such form.
    """
    try:
        return orjson.dumps(value, _default, _OPTIONS)
    except TypeError:
        # What orjson refuses but JSON has: large integers, keys that are not text,
        # text with lone surrogates. Anything else raises its TypeError again in there.
        plain = _plain(value)
        return json.dumps(
            plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()


def _default(value: Any) -> Any:
    """Give orjson something it can write for the types it does not know, or writes wrongly."""
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


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one per type
    """Rebuild *value* from what the standard library writes, as orjson would have."""
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: _plain(getattr(value, name)) for name in names if name[0] != "_"}
    try:
        return json.loads(orjson.dumps(value, option=_OPTIONS))  # UUIDs
    except TypeError:
        return _plain(_default(value))


def _key(key: Any) -> str:
    plain = _plain(key)
    return plain if isinstance(plain, str) else json.dumps(plain)
