"""What becomes of a request when it was answered: it is counted, and has its line in the log."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Final
from wsgiref.types import WSGIEnvironment

from carboy.crate.access_line import about_answer, about_method
from carboy.crate.access_log import AccessLog
from carboy.crate.counting import Ended
from carboy.crate.exchange import Exchange
from carboy.crate.metrics import METHODS, Metrics
from carboy.logs import Lines

_now_ns: Final = perf_counter_ns
_NS_PER_S: Final = 1_000_000_000
_KINDS_MAX: Final = 4096


class Kind:
    """What requests of one method, route and status have in common.

    :ivar counts: counts one of them, given the seconds it took.
    :ivar method: the part of the line before the path.
    :ivar answer: the part of the line after the path.
    """

    def __init__(self, counts: Ended | None, method: str, answer: str) -> None:
        self.counts = counts
        self.method = method
        self.answer = answer


class Ending:
    """Counts and logs requests that were answered.

    :param metrics: ``None``: they are not counted.
    :param access: ``None``: they are not logged.
    """

    def __init__(self, metrics: Metrics | None, access: AccessLog | None) -> None:
        self._metrics = metrics
        self._access = access
        self._kinds: dict[tuple[str, str, int], Kind] = {}
        if metrics is not None:
            metrics.at_forget(self._kinds.clear)

    def finished(
        self, exchange: Exchange, environ: WSGIEnvironment, lines: Lines | None = None
    ) -> None:
        """Take notice of a request that was answered.

        :param lines: where its line in the log may wait for others.
        """
        duration_ns = _now_ns() - exchange.started_ns
        route = environ.get("carboy.route") or exchange.route
        exchange.route = route
        kind = self._kinds.get((exchange.method, route, exchange.status))
        if kind is None:
            kind = self._learned(exchange.method, route, exchange.status)
        counts = kind.counts
        if counts is not None:
            counts(duration_ns / _NS_PER_S)
        if self._access is not None:
            self._access.write(exchange, environ, duration_ns, kind.method, kind.answer, lines)

    def _learned(self, method: str, route: str, status: int) -> Kind:
        kind = Kind(
            None if self._metrics is None else self._metrics.ended(method, route, status),
            about_method(method),
            about_answer(route, status),
        )
        # Methods are whatever callers send, and routes whatever an app takes for one.
        if method in METHODS and len(self._kinds) < _KINDS_MAX:
            self._kinds[method, route, status] = kind
        return kind
