"""Whether orjson and the standard library write some data alike, to the byte."""

from __future__ import annotations

from typing import Any

__all__ = ["is_plain"]

_LEAVES = frozenset({str, int, bool, type(None)})
_DEPTH = 32
_LEAST, _TOO_LARGE = 1e-4, 1e16  # between them, both write a float without an exponent


def is_plain(value: Any, depth: int = 0) -> bool:
    """Tell whether *value* is made of nothing but JSON's own types, and of floats of usual size.

    Subclasses, enumerations and whatever else orjson would write in its own manner are not, nor
    is what nests deeply, as something that contains itself does.

    :param value: a dictionary, a list or a tuple, of exactly that type.
    :param depth: how many stand around it.
    """
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind in _LEAVES:
            continue
        if kind is dict or kind is list or kind is tuple:
            if depth > _DEPTH or not is_plain(item, depth + 1):
                return False
        elif kind is not float or not (_LEAST <= abs(item) < _TOO_LARGE or item == 0):
            return False
    return True
