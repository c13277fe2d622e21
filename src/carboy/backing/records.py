"""Rows as they come from the driver: tuples, and the names of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, ClassVar, overload

from carboy.errors import NotFound

__all__ = ["Record", "Records"]

_KINDS_REMEMBERED = 512


class Record(tuple[Any, ...]):
    """One row: a tuple whose values have names, as a :func:`~collections.namedtuple`'s have.

    :cvar _fields: the names, in order.
    """

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
        return f"Record({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _record, (self._fields, tuple(self))


class Records(Sequence[Record]):
    """The rows of a statement, all of them.

    A view returns them as they are: what a schema shows is written from the tuples, without an
    object for each row in between.

    :ivar names: of the columns, in order.
    :ivar tuples: the values of each row, in that order.
    """

    __slots__ = ("names", "tuples")

    def __init__(self, names: tuple[str, ...], tuples: list[tuple[Any, ...]]) -> None:
        self.names = names
        self.tuples = tuples

    def __len__(self) -> int:
        return len(self.tuples)

    def __iter__(self) -> Iterator[Record]:
        kind = record_kind(self.names)
        return iter([tuple.__new__(kind, row) for row in self.tuples])

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Records: ...
    def __getitem__(self, place: int | slice) -> Record | Records:
        if isinstance(place, slice):
            return Records(self.names, self.tuples[place])
        return tuple.__new__(record_kind(self.names), self.tuples[place])

    def __repr__(self) -> str:
        return f"Records({list(self)!r})"

    def first(self) -> Record | None:
        """Give the first row, or ``None`` where there is none."""
        return self[0] if self.tuples else None

    def one(self, message: str = "") -> Record:
        """Give the only row.

        :param message: of the error when there is none.
        :raises NotFound: if there is none (404).
        :raises ValueError: if there are several: the statement is not about one row.
        """
        if not self.tuples:
            raise NotFound(message or None)
        if len(self.tuples) > 1:
            raise ValueError(f"One row was expected, and {len(self.tuples)} were found.")
        return self[0]


@lru_cache(maxsize=_KINDS_REMEMBERED)
def record_kind(names: tuple[str, ...]) -> type[Record]:
    """Make the class of rows with these *names*."""
    members: dict[str, Any] = {name: property(itemgetter(n)) for n, name in enumerate(names)}
    return type("Record", (Record,), {**members, "__slots__": (), "_fields": names})


def _record(names: tuple[str, ...], values: tuple[Any, ...]) -> Record:
    return tuple.__new__(record_kind(names), values)
