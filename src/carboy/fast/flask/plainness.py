"""Whether orjson and the standard library write some data alike, to the byte."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

__all__ = ["is_plain"]

_LEAVES: Final = frozenset({str, int, bool, type(None)})
_NUMBERS_TOO: Final = _LEAVES | {float}
_CONTAINERS: Final = frozenset({dict, list, tuple})
_KNOWN: Final = _NUMBERS_TOO | _CONTAINERS
_OBJECTS: Final = frozenset({dict})
_DEPTH: Final = 32
_LEAST, _TOO_LARGE = 1e-4, 1e16  # between them, both write a float without an exponent
_values, _chain = dict.values, chain.from_iterable


def is_plain(value: Any, depth: int = 0) -> bool:  # noqa: PLR0911 - one per kind of data
    """Tell whether *value* is made of nothing but JSON's own types, and of floats of usual size.

    Subclasses, enumerations and whatever else orjson would write in its own manner are not, nor
    is what nests deeply, as something that contains itself does. Types are looked at many at a
    time, which costs half as much as a loop does.

    :param value: a dictionary, a list or a tuple, of exactly that type.
    :param depth: how many stand around it.
    """
    items: Any = _values(value) if type(value) is dict else value
    if _LEAVES.issuperset(map(type, items)):
        return True
    kinds = set(map(type, items))
    if depth > _DEPTH or not kinds <= _KNOWN:
        return False
    if kinds == _OBJECTS:
        if _LEAVES.issuperset(map(type, _chain(map(_values, items)))):
            return True
        if _NUMBERS_TOO.issuperset(map(type, _chain(map(_values, items)))):
            return _are_usual(_chain(map(_values, items)))
    elif float in kinds and not _are_usual(items):
        return False
    for item in items:  # noqa: SIM110 - quicker than a generator
        if type(item) in _CONTAINERS and not is_plain(item, depth + 1):
            return False
    return True


def _are_usual(items: Iterable[Any]) -> bool:
    """Tell whether both write all floats among *items* alike."""
    return all(
        _LEAST <= abs(item) < _TOO_LARGE or item == 0 for item in items if type(item) is float
    )
