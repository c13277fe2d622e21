"""Noticing that somebody has put another method into a class, as agents that trace do."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

__all__ = ["UNTOUCHED", "Watch"]

UNTOUCHED = 1 << 19
"""``Py_TPFLAGS_VALID_VERSION_TAG``, of CPython's ``object.h``: the type's cache of methods holds.

It is taken from a class, and from all that inherit it, when anything is assigned to the class; a
look for an attribute gives it back. A class that nobody looks at loses it for good, which makes it
a witness at the price of reading one number. CPython has it up to 3.12. Where it is missing,
:meth:`Watch.changed` compares, every time.
"""


_NO_WITNESS = SimpleNamespace(__flags__=0)


class _Quiet:
    """Keeps a witness from being announced to the classes it watches."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        del kwargs


class Watch:
    """Looks after classes.

    :param classes: whose attributes matter; also those that they inherit.
    :param look: takes what matters, to be compared.

    :ivar witness: as long as it has the flag :data:`UNTOUCHED`, nothing was assigned.
    """

    def __init__(self, classes: tuple[type, ...], look: Callable[[], Any]) -> None:
        self._look = look
        self.witness = self._witness(classes)
        self._arm()
        self._seen = look()

    def changed(self) -> bool:
        """Compare; ``False`` puts the witness back into its place."""
        self._arm()
        return bool(self._look() != self._seen)

    def _arm(self) -> None:
        hasattr(self.witness, "armed")

    @staticmethod
    def _witness(classes: tuple[type, ...]) -> Any:
        if any(type(kind) is not type for kind in classes):
            return _NO_WITNESS  # a metaclass may do anything
        try:
            return type("Witness", (_Quiet, *classes), {})
        except TypeError:
            return _NO_WITNESS
