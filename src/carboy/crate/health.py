"""Health endpoints: whether the process is alive, and the service ready for traffic."""

from __future__ import annotations

import contextvars
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

from carboy.crate.maintenance import Maintenance
from carboy.errors import MethodNotAllowed
from carboy.settings import Settings

Check = Callable[[], None]
"""Looks at one dependency; returns when it is usable, raises when it is not."""

Reply = tuple[int, list[Any], bytes]
"""Status, headers and body of an answer the crate gives itself."""

_log = logging.getLogger("carboy.health")
_OK = 200
_UNAVAILABLE = 503


class Outcome(NamedTuple):
    """How one check went.

    :param state: ``ok``, ``failed`` or ``timed out``.
    :param reason: what was raised; shown outside Production only.
    """

    state: str
    milliseconds: float
    reason: str = ""


class _Run:
    """One check at work in a thread of its own."""

    def __init__(self, name: str, check: Check) -> None:
        self._check = check
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None
        self.started = time.perf_counter()
        self.done = threading.Event()
        inside = contextvars.copy_context()
        # A daemon: a check that hangs must not hold up the end of the process.
        self.thread = threading.Thread(
            target=inside.run, args=(self._work,), name=f"check {name}", daemon=True
        )
        self.thread.start()

    def elapsed_ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 1)

    def _work(self) -> None:
        try:
            self._check()
        except BaseException as error:  # noqa: BLE001 - even sys.exit() means: not usable
            self.error = error
            reason = f"{type(error).__name__}: {error}"
            self.outcome = Outcome("failed", self.elapsed_ms(), reason)
        else:
            self.outcome = Outcome("ok", self.elapsed_ms())
        self.done.set()


class Readiness:
    """Runs the checks: all at once, each with a deadline, the outcome cached briefly.

    However many probes ask, the checks run once at a time. One that hangs is reported
    as timed out and is not started again before it returns, so threads do not pile up.

    :param checks: the live mapping; looked at whenever the checks run.
    :param timeout_s: what each check gets.
    :param cache_s: how long an outcome is reused.
    """

    def __init__(self, checks: Mapping[str, Check], timeout_s: float, cache_s: float) -> None:
        self._checks = checks
        self._timeout_s = timeout_s
        self._cache_s = cache_s
        self._one_at_a_time = threading.Lock()
        self._hanging: dict[str, _Run] = {}
        self._states: dict[str, str] = {}
        self._cached: tuple[float, dict[str, Outcome]] | None = None

    def outcomes(self) -> dict[str, Outcome]:
        """Give the outcome of every check by its name; at most *cache_s* old."""
        asked = time.monotonic()
        with self._one_at_a_time:
            # Whoever waited here takes what was found meanwhile, also with cache_s = 0.
            if self._cached is None or self._cached[0] + self._cache_s <= asked:
                found = self._run()
                self._cached = (time.monotonic(), found)
            return self._cached[1]

    def _run(self) -> dict[str, Outcome]:
        runs: dict[str, _Run] = {}
        for name, check in list(self._checks.items()):
            hanging = self._hanging.get(name)
            still = hanging is not None and hanging.thread.is_alive() and not hanging.done.is_set()
            runs[name] = hanging if hanging is not None and still else _Run(name, check)
        deadline = time.perf_counter() + self._timeout_s
        found: dict[str, Outcome] = {}
        for name, run in runs.items():
            # A run that hung before has used up its time already.
            if run is not self._hanging.get(name):
                run.done.wait(max(0.0, deadline - time.perf_counter()))
            found[name] = run.outcome or Outcome("timed out", run.elapsed_ms())
        self._hanging = {name: run for name, run in runs.items() if run.outcome is None}
        for name, outcome in found.items():
            self._tell(name, outcome, runs[name].error)
        return found

    def _tell(self, name: str, outcome: Outcome, error: BaseException | None) -> None:
        """Log changes only: a probe comes every few seconds."""
        before = self._states.get(name, "ok")
        self._states[name] = outcome.state
        if outcome.state == before:
            return
        if outcome.state == "ok":
            _log.info("Readiness check %s is ok again.", name)
        elif outcome.state == "failed":
            _log.warning("Readiness check %s failed.", name, exc_info=error)
        else:
            _log.warning("Readiness check %s got no answer in %s s.", name, self._timeout_s)


class Health:
    """Answers ``/health``, ``/health/live`` and ``/health/ready``."""

    def __init__(
        self,
        settings: Settings,
        checks: Mapping[str, Check],
        maintenance: Maintenance,
        stopping: Callable[[], bool],
    ) -> None:
        self._readiness = Readiness(checks, settings.HEALTH_TIMEOUT_S, settings.HEALTH_CACHE_S)
        self._maintenance = maintenance
        self._stopping = stopping
        self._reasons = settings.DEBUG or settings.APP_ENV == "Development"

    def live(self, environ: WSGIEnvironment) -> Reply:
        """Answer ``OK``: this process takes requests. Touches no dependency."""
        demand_get(environ)
        return _OK, [("Content-Type", "text/plain; charset=utf-8")], b"OK"

    def ready(self, environ: WSGIEnvironment) -> Reply:
        """Answer 200 when every check is ok, else 503; JSON, one entry per check.

        While the process stops or is in maintenance, that is the status and no check runs.
        """
        demand_get(environ)
        if self._stopping():
            return _ready(_UNAVAILABLE, "stopping", {})
        if self._maintenance.notice() is not None:
            return _ready(_UNAVAILABLE, "maintenance", {})
        outcomes = self._readiness.outcomes()
        shown: dict[str, object] = {}
        for name, outcome in outcomes.items():
            entry = {"state": outcome.state, "milliseconds": outcome.milliseconds}
            shown[name] = (
                {**entry, "reason": outcome.reason} if self._reasons and outcome.reason else entry
            )
        good = all(outcome.state == "ok" for outcome in outcomes.values())
        if good:
            return _ready(_OK, "ready", shown)
        return _ready(_UNAVAILABLE, "not ready", shown)


def demand_get(environ: WSGIEnvironment) -> None:
    """Let only reading methods through.

    :raises MethodNotAllowed: for the others, with ``Allow``.
    """
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        raise MethodNotAllowed(headers={"Allow": "GET, HEAD"})


def _ready(status: int, state: str, checks: Mapping[str, object]) -> Reply:
    body = json.dumps({"status": state, "checks": checks}).encode()
    return status, [("Content-Type", "application/json")], body
