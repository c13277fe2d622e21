"""Attributes that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["lazily"]


class lazily:  # noqa: N801 - used as a decorator
    """Call a function on first use and keep what it gives as an attribute of the object.

    Unlike :func:`functools.cached_property` it has no lock, and unlike Werkzeug's it defines no
    ``__set__``: an attribute that is assigned, or was made before, is read at full speed.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = self._make(instance)
        setattr(instance, self._name, value)
        return value
