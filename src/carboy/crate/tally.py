"""Counts requests in the values of prometheus_client, without its locks.

The public way takes a lock and several calls for each of five values, and several times as
long where processes share them. Here the values themselves are changed, each by one statement
without a call: CPython lets another thread or a signal in only where a function begins or has
been called and where a loop turns, so no change is lost. Where that is not known to be so, and
where values look otherwise inside, requests are counted the public way.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from carboy.crate.counting import (
    BUCKETS_S,
    Began,
    BeganInFiles,
    BeganInMemory,
    Ended,
    EndedInFiles,
    EndedInMemory,
    Place,
)

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

_DOUBLE_BYTES = 8


def takes_turns_between_statements() -> bool:
    """Tell whether this is a Python whose threads take turns as the module says.

    A test looks at what the statements are compiled to.
    """
    locked = getattr(sys, "_is_gil_enabled", lambda: True)()
    return sys.implementation.name == "cpython" and sys.version_info < (3, 15) and locked


class Tallies:
    """Makes the functions that count; one object for the metrics of one crate.

    What it made is of no use in a process that was forked since: the files are others.
    """

    def __init__(self) -> None:
        self._direct = takes_turns_between_statements()
        self._mapped: dict[str, memoryview[float]] = {}

    def began(self, flying: Gauge) -> Began:
        """Make what counts a request in flight."""
        flying.inc(0)  # whereupon files are opened anew in a process that was forked
        values = self._values(lambda: [flying._value])  # noqa: SLF001
        if _in_memory(values):
            return BeganInMemory(*values)
        places = self._places(values)
        return BeganInFiles(*places) if places else Began(flying)

    def ended(self, requests: Counter, durations: Histogram, flying: Gauge) -> Ended:
        """Make what counts a request that was answered, and is no longer in flight."""
        requests.inc(0)  # as above
        values = self._values(
            lambda: [
                requests._value,  # noqa: SLF001
                flying._value,  # noqa: SLF001
                durations._sum,  # noqa: SLF001
                *durations._buckets,  # noqa: SLF001
            ]
        )
        if len(values) != len(BUCKETS_S) + 4:
            return Ended(requests, durations, flying)
        if _in_memory(values):
            return EndedInMemory(*values)
        places = self._places(values)
        return EndedInFiles(*places) if places else Ended(requests, durations, flying)

    def _values(self, read: Callable[[], list[Any]]) -> list[Any]:
        try:
            return read() if self._direct else []
        except AttributeError:
            return []

    def _places(self, values: list[Any]) -> list[Place]:
        """Find where in the files *values* are, each of a process of its own."""
        try:
            return [(value, *self._place(value)) for value in values]
        except (AttributeError, LookupError, OSError, TypeError, ValueError):
            return []

    def _place(self, value: Any) -> tuple[memoryview[float], int]:
        name = value._file._fname  # noqa: SLF001
        if not name.endswith(f"_{os.getpid()}.db"):
            raise LookupError(name)
        at, rest = divmod(value._file._positions[value._key], _DOUBLE_BYTES)  # noqa: SLF001
        doubles = self._mapped.get(name)
        if doubles is None or at >= len(doubles):
            # Not theirs: while anything looks into it they could not close it.
            with open(name, "r+b") as file:  # noqa: PTH123
                doubles = memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
            self._mapped[name] = doubles
        if rest or doubles[at] != value._value:  # noqa: SLF001
            raise LookupError(name)
        return doubles, at


def _in_memory(values: list[Any]) -> bool:
    from prometheus_client import values as kinds

    return bool(values) and all(type(value) is kinds.MutexValue for value in values)
