"""How long connections are kept, and a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from carboy.server.phase import SharedPhase


class Keeping:
    """Counts the requests of a worker, and tells whether their connections may be kept.

    :param worker: gunicorn's, whose count it is.
    :param phase: of the server; at a stop no connection is kept.
    :param kept: whether connections are kept at all.
    :param retire: called when the worker has had as many requests as it shall.
    """

    def __init__(
        self, worker: Any, phase: SharedPhase, *, kept: bool, retire: Callable[[], object]
    ) -> None:
        self._worker = worker
        self._most = worker.max_requests
        self._phase = phase
        self._kept = kept
        self._retire = retire

    def count(self) -> bool:
        """Count a request, and tell whether its connection may be kept."""
        worker = self._worker
        number = worker.nr + 1
        worker.nr = number
        if number >= self._most and worker.alive:
            self._retire()
        return self._kept and bool(worker.alive) and not self._phase.stopping()
