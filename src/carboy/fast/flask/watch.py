"""Noticing that somebody has put another method into a class, as agents that trace do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from types import MethodType, SimpleNamespace
from typing import Any, Final

__all__ = ["UNTOUCHED", "Methods", "Watch", "is_same"]

UNTOUCHED: Final = 1 << 19
"""``Py_TPFLAGS_VALID_VERSION_TAG``, of CPython's ``object.h``: the type's cache of methods holds.

It is taken from a class, and from all that inherit it, when anything is assigned to the class; a
look for an attribute gives it back. A class that nobody looks at loses it for good, which makes it
a witness at the price of reading one number. CPython has it up to 3.12; from 3.13 on
:meth:`Watch.changed` is told by the interpreter, or else compares, every time.
"""

_NO_WITNESS = SimpleNamespace(__flags__=0)


class _Quiet:
    """Keeps a witness from being announced to the classes it watches."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        del kwargs


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two are the same, or tuples of the same: what wraps another may equal it."""
    if type(one) is tuple and type(other) is tuple:
        return len(one) == len(other) and all(map(is_same, one, other))
    if type(one) is MethodType and type(other) is MethodType:
        # Of a class: another one whenever somebody looks.
        return one.__func__ is other.__func__ and one.__self__ is other.__self__
    return one is other


class Methods:
    """Some methods of a class.

    :ivar defined: what it had when this was made, right after the class.
    """

    def __init__(self, kind: type, *names: str) -> None:
        self._kind = kind
        self._names = names
        self.defined = self.taken()

    def taken(self) -> tuple[Any, ...]:
        """Take what the class itself has at present."""
        return tuple(vars(self._kind).get(name) for name in self._names)


class Watch:
    """Looks after classes.

    :param classes: whose attributes matter; also those that they inherit.
    :param look: takes what matters, to be compared.

    :ivar witness: as long as it has the flag :data:`UNTOUCHED`, nothing was assigned.
    """

    def __init__(self, classes: tuple[type, ...], look: Callable[[], Any]) -> None:
        self._look = look
        self.witness = self._witness(classes)
        self._notices = _notices()
        self._noticed = self._arm()
        self._seen = look()

    def changed(self) -> bool:
        """Tell whether anything is no longer what it was."""
        if self._notices is not None and self._notices.count == self._noticed:
            return False
        self._noticed = self._arm()
        return not is_same(self._look(), self._seen)

    def _arm(self) -> int:
        """Put the witness into its place.

        :return: how many notices there have been; each one after that is news.
        """
        hasattr(self.witness, "armed")
        if self._notices is None:
            return 0
        if not self._notices.reach(self.witness):
            self._notices = None
            return 0
        return int(self._notices.count)

    @staticmethod
    def _witness(classes: tuple[type, ...]) -> Any:
        if any(type(kind) is not type for kind in classes):
            return _NO_WITNESS  # a metaclass may do anything
        try:
            return type("Witness", (_Quiet, *classes), {})
        except TypeError:
            return _NO_WITNESS


@cache
def _notices() -> Any:
    if sys.version_info < (3, 13):
        return None
    try:
        from carboy.fast.flask.notices import notices  # ctypes is not needed by older Pythons
    except (ImportError, AttributeError, OSError, RuntimeError):
        return None
    return notices
