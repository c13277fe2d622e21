"""A place for counters that may fail, without making every request wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import ParamSpec, TypeVar

from carboy.backing.counters.window import Counters, CountersDown, Level, Window

__all__ = ["Circuit"]

P = ParamSpec("P")
T = TypeVar("T")
_log = logging.getLogger("carboy.limits")


class Circuit:
    """Asks *counters*; after a failure it is not asked for *pause_s*, and then by one thread.

    :param pause_s: seconds between two attempts while the place does not answer.
    :param log_every_s: seconds between two lines in the log about it.
    :param clock: seconds of a clock that only moves forward.
    """

    def __init__(
        self,
        counters: Counters,
        *,
        pause_s: float = 2.0,
        log_every_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counters = counters
        self._pause_s = pause_s
        self._log_every_s = log_every_s
        self._clock = clock
        self._lock = Lock()
        self._down = False
        self._retry_at = 0.0
        self._log_at = 0.0

    def take(self, windows: Sequence[Window]) -> tuple[bool, list[Level]]:
        """See :class:`~carboy.backing.counters.window.Counters`.

        :raises CountersDown: as every method here, when the place does not answer.
        """
        return self._ask(self._counters.take, windows)

    def levels(self, windows: Sequence[Window]) -> list[Level]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        return self._ask(self._counters.levels, windows)

    def give_back(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        self._ask(self._counters.give_back, windows)

    def forget(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        self._ask(self._counters.forget, windows)

    def _ask(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._down:
            self._wait_for_turn()
        try:
            answer = method(*args, **kwargs)
        except self._counters.faults as error:
            self._fail(error)
            raise CountersDown from error
        if self._down:
            self._down = False
            _log.warning("The counters of rate limits answer again.")
        return answer

    def _wait_for_turn(self) -> None:
        with self._lock:
            now = self._clock()
            if now < self._retry_at:
                raise CountersDown
            self._retry_at = now + self._pause_s

    def _fail(self, error: Exception) -> None:
        with self._lock:
            now = self._clock()
            self._retry_at = now + self._pause_s
            self._down = True
            if now < self._log_at:
                return
            self._log_at = now + self._log_every_s
        reason = (str(error).splitlines() or [""])[0]
        _log.error("The counters of rate limits do not answer: %s: %s",
                   type(error).__name__, reason)  # fmt: skip
