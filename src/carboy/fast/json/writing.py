"""Writing JSON: by orjson, and what it refuses although JSON has it by the standard library."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from carboy.fast.json.forms import OPTIONS, form_of, rebuilt

_dumps: Final = orjson.dumps
_form_of: Final = form_of
_OPTIONS: Final = OPTIONS


def dumps(value: Any) -> bytes:
    """Write *value* as JSON, UTF-8 encoded.

    Dates and times are ISO 8601, decimals, UUIDs and paths are strings, enumerations their
    values, data classes objects, sets lists. NaN and the infinities become ``null``, since
    JSON has neither; a lone surrogate becomes U+FFFD. Large integers are written in full.

    :raises TypeError: for a type that has no such form.
    """
    try:
        return _dumps(value, _form_of, _OPTIONS)
    except TypeError:
        # What orjson refuses but JSON has: large integers, keys that are not text,
        # text with lone surrogates. Anything else raises its TypeError again in there.
        return json.dumps(
            rebuilt(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
