"""Counters of one process, for tests and for services that have only one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from carboy.backing.counters.window import PARTS, Level, Window, clock, leaves_in_s, part_of

__all__ = ["MemoryCounters"]

_PRUNE_EVERY = 1024


class MemoryCounters:
    """Counters in a dictionary; gone with the process.

    :param clock: gives the time in seconds.
    """

    faults: tuple[type[Exception], ...] = ()

    def __init__(self, clock: Callable[[], float] = clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._parts: dict[str, dict[int, int]] = {}
        self._gone_at: dict[str, float] = {}
        self._takes = 0

    def take(self, windows: Sequence[Window]) -> tuple[bool, list[Level]]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._lock:
            now = self._clock()
            fits = all(self._level(one, now).taken < one.quota for one in windows)
            if fits:
                self._prune(now)
                for one in windows:
                    parts = self._parts.setdefault(one.key, {})
                    part = part_of(one, now)
                    parts[part] = parts.get(part, 0) + 1
                    self._gone_at[one.key] = now + leaves_in_s(one, part, now)
            return fits, [self._level(one, now) for one in windows]

    def levels(self, windows: Sequence[Window]) -> list[Level]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._lock:
            now = self._clock()
            return [self._level(one, now) for one in windows]

    def give_back(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._lock:
            for one in windows:
                parts = self._parts.get(one.key)
                if parts:
                    latest = max(parts)
                    parts[latest] -= 1
                    if not parts[latest]:
                        del parts[latest]

    def forget(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._lock:
            for one in windows:
                self._parts.pop(one.key, None)
                self._gone_at.pop(one.key, None)

    def _level(self, window: Window, now: float) -> Level:
        parts = self._parts.get(window.key)
        if not parts:
            return Level(0, 0.0)
        first = part_of(window, now) - PARTS
        while parts and (oldest := next(iter(parts))) < first:  # parts are added in order
            del parts[oldest]
        if not parts:
            return Level(0, 0.0)
        return Level(sum(parts.values()), leaves_in_s(window, oldest, now))

    def _prune(self, now: float) -> None:
        self._takes += 1
        if self._takes % _PRUNE_EVERY:
            return
        for key in [key for key, gone_at in self._gone_at.items() if gone_at < now]:
            del self._gone_at[key]
            self._parts.pop(key, None)
