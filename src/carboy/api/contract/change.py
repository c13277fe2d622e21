"""One difference between two documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """One difference, as a caller of the API meets it.

    :param breaking: a caller that worked with the old document may fail with the new one.
    :param where: method and path, such as ``GET /users/{id}``; empty: the whole document.
    :param part: what of it: ``request body``, ``response 200``, ``query limit`` …
    :param pointer: place inside that part, a JSON pointer into the value; empty: all of it.
    :param kind: short name of the rule, ``kebab-case``.
    :param message: what happened.
    """

    breaking: bool
    where: str
    part: str
    pointer: str
    kind: str
    message: str

    def __str__(self) -> str:
        place = " ".join(word for word in (self.part, self.pointer) if word)
        return f"{place}: {self.message}" if place else self.message


class Report:
    """Collects changes, and knows where the comparison is at the moment."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._where = self._part = ""

    @contextmanager
    def at(self, where: str | None = None, part: str = "") -> Iterator[None]:
        """Compare another operation or, without *where*, another part of this one."""
        before = self._where, self._part
        self._where, self._part = (self._where if where is None else where), part
        try:
            yield
        finally:
            self._where, self._part = before

    def breaking(self, kind: str, message: str, pointer: str = "") -> None:
        """Note what breaks callers."""
        self.note(kind, message, pointer, breaking=True)

    def note(self, kind: str, message: str, pointer: str = "", *, breaking: bool = False) -> None:
        """Note a change."""
        found = Change(breaking, self._where, self._part, pointer, kind, message)
        if found not in self.changes:
            self.changes.append(found)


def shown(value: Any) -> str:
    """Write a value of a document into a message."""
    return str(value) if isinstance(value, str) else repr(value)
