"""Whether orjson and the standard library write some data alike, to the byte."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["is_plain"]

_DEPTH: Final = 32
_LEAST: Final = 1e-4  # from here to the next, both write a float without an exponent
_TOO_LARGE: Final = 1e16


def is_plain(value: Any, depth: int = 0) -> bool:  # noqa: PLR0911 - one per kind of data
    """Tell whether *value* is made of nothing but JSON's own types, and of floats of usual size.

    Subclasses, enumerations and whatever else orjson would write in its own manner are not, nor
    is what nests deeply, as something that contains itself does.

    :param depth: how many containers stand around it.
    """
    kind = type(value)
    if kind is dict:
        if depth > _DEPTH:
            return False
        members: dict[Any, Any] = value
        for item in members.values():
            kind = type(item)
            if not (kind is str or kind is int or is_plain(item, depth + 1)):
                return False
        return True
    if kind is list or kind is tuple:
        if depth > _DEPTH:
            return False
        for item in value:
            kind = type(item)
            if not (kind is str or kind is int or is_plain(item, depth + 1)):
                return False
        return True
    if kind is float:
        number: float = value
        return _LEAST <= abs(number) < _TOO_LARGE or number == 0
    return kind is str or kind is int or value is None or kind is bool
