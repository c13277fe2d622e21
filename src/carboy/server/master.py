"""gunicorn's master, with a stop that loses no request."""

from __future__ import annotations

import logging
import signal
import socket
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.sock import TCP6Socket, TCPSocket  # type: ignore[import-untyped]

from carboy.errors import CarboyError
from carboy.server import discovery
from carboy.server.banner import announce
from carboy.server.crash_loop import CrashLoop
from carboy.server.lifecycle import DISMISSAL
from carboy.server.listening import refusal, turn_newcomers_away
from carboy.server.metrics_folder import forget_process, mark_dead
from carboy.server.options import options
from carboy.server.phase import Phase, SharedPhase
from carboy.server.preflight import preflight
from carboy.server.sharing import without_collections
from carboy.settings import Settings

# Long enough for a handshake under way to end in the queue, short enough not to be felt.
_HANDSHAKE_S = 0.25
_QUICK_STOP_S = 2
# Workers end by themselves when the graceful timeout is over; this is for those that do not.
_MARGIN_S = 1
_LOOK_EVERY_S = 0.1
_STOPS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


class _GivenUp(Exception):
    """New code is no longer wanted."""


class Log(Logger):  # type: ignore[misc]
    """gunicorn's own lines, handed to the standard logging tree and to nothing else."""

    def setup(self, cfg: Any) -> None:
        """Leave levels, handlers and formats to the root logger."""
        self.cfg = cfg
        self._access_log_enabled = False
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True


class Service(BaseApplication):  # type: ignore[misc]
    """What gunicorn asks for its options and for the app.

    :param target: as for :func:`carboy.server.discovery.find`.
    :param settings: as :meth:`carboy.server.preflight.Preflight.settings` gives them.
    :param debug: write tracebacks of an app that cannot be loaded.
    """

    def __init__(self, target: str | None, settings: Settings, *, debug: bool) -> None:
        self.target = target
        self.settings = settings
        self.debug = debug
        self.phase = SharedPhase()
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        for name, value in options(self.settings).items():
            self.cfg.set(name, value)
        self.cfg.set("child_exit", lambda _server, worker: mark_dead(worker.pid))

    def load(self) -> Flask:
        """Load the app, in a worker, and prepare it for its first request.

        :raises CarboyError: if that fails.
        """
        # The app decides about logging as it would anywhere; the master's setup makes way.
        root = logging.getLogger()
        handlers, root.handlers = root.handlers, []
        try:
            with without_collections():
                app = discovery.load(self.target)
        finally:
            root.handlers = root.handlers or handlers
        carboy = app.extensions.get("carboy")
        if carboy is not None:
            carboy.crate.stopping = self.phase.stopping
        with app.app_context():
            for prepare in app.extensions.get("carboy.worker", []):
                prepare()
        return app


class Master(Arbiter):  # type: ignore[misc]
    """Keep the workers running; on SIGTERM stop being ready, wait, drain, exit 0.

    :param service: the app and its options.
    :param port: bound by :func:`carboy.server.listening.bind`.
    :raises CarboyError: if somebody else began to listen on the port meanwhile.
    """

    app: Service
    _leaving = False

    def __init__(self, service: Service, port: socket.socket) -> None:
        super().__init__(service)
        self._crash_loop = CrashLoop()
        address = port.getsockname()
        kind = TCP6Socket if port.family == socket.AF_INET6 else TCPSocket
        try:
            self.LISTENERS = [kind(address, self.cfg, self.log, fd=port.detach())]
        except OSError as error:
            raise refusal(error, address[0], address[1]) from error

    def start(self) -> None:
        """Begin to listen, and say so."""
        super().start()
        announce(self.app.settings, self.LISTENERS[0].getsockname())

    def handle_term(self) -> None:
        """Say "not ready", serve on for ``STOP_DELAY_S``, then close the port and drain."""
        self.app.phase.enter(Phase.STOPPING)
        self._serve_for(self.app.settings.STOP_DELAY_S)
        for listener in self.LISTENERS:
            if turn_newcomers_away(listener.sock):
                self._serve_for(_HANDSHAKE_S)
        self.app.phase.enter(Phase.CLOSING)
        raise StopIteration

    def handle_hup(self) -> None:
        """Replace the workers by ones with the code on disk, if that can be loaded."""
        later: list[int] = []
        try:
            with preflight(
                self.app.target, debug=self.app.debug, meanwhile=lambda: self._serve_on(later)
            ) as check:
                settings = check.settings()
                options(settings)  # raises what gunicorn would only print
                check.start()
        except _GivenUp:
            return
        except CarboyError as error:
            self.log.error("Not reloaded, the present workers stay: %s", error)  # noqa: TRY400 - its text says it all
            return
        finally:
            forget_process(check.pid)
            for sig in later:
                self.SIG_QUEUE.put_nowait(sig)
        self.app.settings = settings
        super().handle_hup()

    def handle_usr2(self) -> None:
        """Refuse gunicorn's replacement in place; a deployment starts a second server."""
        self.log.warning("SIGUSR2 is not supported. Start the new release beside this one.")

    def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        """Stop the workers; a quick stop waits for nobody."""
        self._leaving = True
        patience_s = self.cfg.graceful_timeout
        self.app.phase.enter(Phase.CLOSING)
        self.cfg.set(
            "graceful_timeout",
            patience_s + _MARGIN_S if graceful else min(_QUICK_STOP_S, patience_s),
        )
        super().stop(graceful)

    def reap_workers(self) -> None:
        """Take note of workers that ended; at a stop no failure of theirs matters any more."""
        if not self._leaving:
            self._crash_loop.look_at(self.WORKERS)
        try:
            super().reap_workers()
        except HaltServer:
            if not self._leaving:
                raise

    def kill_worker(self, pid: int, sig: int) -> None:
        """Send a signal to a worker; SIGTERM means the dismissal that workers heed."""
        if sig == signal.SIGKILL and self._leaving:
            self.log.warning("Worker (pid:%s) did not end in time: killed.", pid)
            super().kill_worker(pid, sig)
            worker = self.WORKERS.pop(pid, None)
            if worker is not None:
                worker.tmp.close()
                self.cfg.child_exit(self, worker)
            return
        super().kill_worker(pid, DISMISSAL if sig == signal.SIGTERM else sig)

    def _serve_on(self, later: list[int]) -> None:
        """Mind the workers for a moment; collect what else is asked for.

        :raises _GivenUp: when asked to stop.
        """
        for sig in self.wait_for_signals(timeout=_LOOK_EVERY_S):
            if sig == signal.SIGCHLD:
                self.handle_chld()
            else:
                later.append(sig)
        if not _STOPS.isdisjoint(later):
            raise _GivenUp
        self.murder_workers()
        self.manage_workers()

    def _serve_for(self, duration_s: float) -> None:
        """Go on as usual for a while, and mind only what the workers and Ctrl-C report."""
        until = time.monotonic() + duration_s
        while (left_s := until - time.monotonic()) > 0:
            for sig in self.wait_for_signals(timeout=min(left_s, 1.0)):
                if sig in (signal.SIGINT, signal.SIGQUIT):
                    self.handle_quit()
                if sig == signal.SIGCHLD:
                    self.handle_chld()
            self.murder_workers()
            self.manage_workers()
