"""From a plan to an outcome: the service, the process that sends the requests, and signals."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from carboy.load import target
from carboy.load.outcome import Figures, Outcome
from carboy.load.plan import LoadError, Plan, PlanError, check_locust, check_writable, journeys
from carboy.load.routes import paths_of, public_paths
from carboy.load.service import started

# What is begun when the time is over may end; then it is cut off.
FINISH_TIMEOUT_S = 10
_BEGIN_TIMEOUT_S = 120.0
_END_TIMEOUT_S = 60.0
_PUBLIC_ROUTES = Path(__file__).with_name("public_routes.py")
_PATHS_VARIABLE = "CARBOY_LOAD_PATHS"
_DRIVE = "from carboy.load.driver import main; main()"


class Watcher(Protocol):
    """Whoever shows what is going on."""

    def begins(self, url: str, journeys: str, page: str | None) -> None:
        """Hear where the requests go, what decides which they are, and where Locust's page is."""

    def progresses(self, progress: dict[str, Any]) -> None:
        """Hear every second of users, requests, failed, requests_per_s and p95_ms."""


def run(plan: Plan, watcher: Watcher, confirm: Callable[[str], bool] | None = None) -> Outcome:
    """Carry out a load test.

    :param confirm: asks a person whether the host of this name may be loaded; without it,
        only :attr:`Plan.allowed_host` may.
    :raises PlanError: if the plan cannot work; nothing was sent then but a request or two.
    :raises CarboyError: if the app does not start, or the test breaks off.
    """
    check_locust()
    locustfile = journeys(plan)
    check_writable(plan.html, plan.service_log)
    with ExitStack() as stack:
        service = None
        if target.is_url(plan.target):
            url = target.checked(plan.target)
            _check_permission(url, plan.allowed_host, confirm)
            target.check_answers(url)
        else:
            service = stack.enter_context(started(plan.target, plan.service_log))
            url = service.url
        document = target.document_of(url)
        public = public_paths(document) or ["/"]
        driver = _Driver(plan, url, locustfile, paths_of(document), public)
        result = driver.run(watcher)
        if service is not None:
            service.check_alive()
    return _outcome(plan, url, result, driver.interrupted)


def _check_permission(
    url: str, allowed_host: str | None, confirm: Callable[[str], bool] | None
) -> None:
    """Let nobody load a host by mistake: a load test against others is an attack."""
    host = target.host_of(url)
    if target.is_this_machine(url) or (allowed_host or "").lower() == host:
        return
    if allowed_host is not None:
        raise PlanError(
            f"--allow-host names {allowed_host!r}, but the requests would go to {host!r}."
        )
    if confirm is None:
        raise PlanError(
            f"{host} is another machine, and a load test of one that is not yours is an attack. "
            f"If you may, say so: --allow-host {host}"
        )
    if not confirm(host):
        raise PlanError("Nothing was sent.")


class _Driver:
    """The process that sends the requests, seen from outside."""

    def __init__(
        self, plan: Plan, url: str, locustfile: Path | None, paths: list[str], public: list[str]
    ) -> None:
        self.interrupted = 0
        self._plan = plan
        self._url = url
        self._journeys = str(locustfile) if locustfile else f"GET {', '.join(public)}"
        self._locustfile = str((locustfile or _PUBLIC_ROUTES).absolute())
        self._paths = paths
        self._environment = {**target.environment(url), _PATHS_VARIABLE: json.dumps(public)}
        self._result: dict[str, Any] | None = None
        self._has_begun = False
        self._deadline = time.monotonic() + _BEGIN_TIMEOUT_S

    def run(self, watcher: Watcher) -> dict[str, Any]:
        ours, theirs = os.pipe()
        with open(ours, "rb", buffering=0) as pipe:  # noqa: PTH123 - a descriptor
            process = subprocess.Popen(  # noqa: S603 - our own interpreter; no shell
                [sys.executable, "-c", _DRIVE],
                stdin=subprocess.PIPE,
                stdout=2,  # what a locustfile prints is no result
                env=self._environment,
                pass_fds=(theirs,),
                start_new_session=True,  # Ctrl-C comes by way of this process
            )
            os.close(theirs)
            try:
                with self._interruptible(process):
                    self._write_orders(process, theirs)
                    for message in self._messages(pipe.fileno()):
                        self._take(message, watcher)
                    process.wait(_END_TIMEOUT_S)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with whatever it has forked
                process.wait()
                if process.stdin:
                    process.stdin.close()
        if self._result is None:
            raise LoadError(
                f"Locust ended without a result, with status {process.returncode}. "
                "What it said is written above."
            )
        return self._result

    def _write_orders(self, process: subprocess.Popen[bytes], pipe: int) -> None:
        orders = {
            "options": self._options(),
            "locustfile": self._locustfile,
            "url": self._url,
            "paths": self._paths,
            "time_s": self._plan.time_s,
            "pipe": pipe,
        }
        if process.stdin:
            process.stdin.write(json.dumps(orders).encode() + b"\n")
            process.stdin.flush()  # and left open: the end of it is the end of the test

    def _options(self) -> list[str]:
        """Options of Locust: defaults, what was asked for in its words, what must be so."""
        plan = self._plan
        rate = plan.spawn_rate_per_s or plan.users
        options = [
            *("--web-host", "127.0.0.1", "--stop-timeout", str(FINISH_TIMEOUT_S)),
            *plan.locust_options,
            *("--locustfile", self._locustfile, "--host", self._url),
            *("--users", str(plan.users), "--spawn-rate", str(rate)),
            *("--run-time", f"{plan.time_s}s", "--only-summary"),
        ]
        if plan.html is not None:
            options += ["--html", str(plan.html.absolute())]
        return options if plan.page else [*options, "--headless"]

    @contextmanager
    def _interruptible(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """End early at Ctrl-C and SIGTERM; at the second one, at once and without figures."""

        def interrupt(signum: int, _frame: FrameType | None) -> None:
            if self.interrupted or not self._has_begun:
                raise SystemExit(128 + signum)
            self.interrupted = signum
            self._deadline = time.monotonic() + FINISH_TIMEOUT_S + _END_TIMEOUT_S
            if process.stdin:
                process.stdin.close()

        before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _messages(self, pipe: int) -> Iterator[dict[str, Any]]:
        """Read lines of JSON until the other end is closed.

        :raises LoadError: at the deadline.
        """
        rest = b""
        while True:
            left_s = self._deadline - time.monotonic()
            if left_s <= 0:
                raise LoadError(
                    "Locust did not come to its end in time and was killed. "
                    "Look for a call in the locustfile that blocks."
                )
            if not select.select([pipe], [], [], min(left_s, 1.0))[0]:
                continue
            data = os.read(pipe, 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from map(json.loads, lines)

    def _take(self, message: dict[str, Any], watcher: Watcher) -> None:
        if "refused" in message:
            raise PlanError(message["refused"])
        if "started" in message:
            ends_by_itself = not message["has_shape"] and not self._plan.page
            wait_s = self._plan.time_s + FINISH_TIMEOUT_S + _END_TIMEOUT_S
            self._deadline = time.monotonic() + wait_s if ends_by_itself else float("inf")
            self._has_begun = True
            watcher.begins(self._url, self._journeys, message["page"])
        elif "progress" in message:
            watcher.progresses(message["progress"])
        else:
            self._result = message["result"]


def _outcome(plan: Plan, url: str, result: dict[str, Any], interrupted: int) -> Outcome:
    return Outcome(
        target=url,
        users=plan.users,
        duration_s=result["duration_s"],
        total=Figures(**result["total"]),
        routes=[Figures(**row) for row in result["routes"]],
        errors=result["errors"],
        exceptions=result["exceptions"],
        generator_was_busy=result["generator_was_busy"],
        interrupted=interrupted,
        report=str(plan.html) if plan.html is not None and plan.html.is_file() else None,
    )


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
