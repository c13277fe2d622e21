"""A worker that serves with granian, and leaves as gunicorn's does: without losing a request."""

from __future__ import annotations

import os
import select
import sys
import time
from types import FrameType

from carboy.server.granian.connections import open_connections
from carboy.server.granian.engine import Engine
from carboy.server.granian.environ import Environments
from carboy.server.granian.handler import Handler, seen_by_tracers
from carboy.server.lifecycle import Lifecycle, has_waiting
from carboy.server.pace import Pace

_LOOK_EVERY_S = 1.0
_LOOK_CLOSELY_S = 0.25
_LOOK_AT_CONNECTIONS_S = 0.05
# Kept-alive connections have so long for one more request, which is told to be the last.
_FAREWELL_S = 1.0
# Long enough for the first request of a connection that was accepted just before.
_HANDSHAKE_S = 0.25


class GranianWorker(Lifecycle):
    """Serve one process's share of the requests; ``app`` is the server's ``Service``."""

    _leaving = False
    _engine: Engine
    _handler: Handler

    def run(self) -> None:
        """Serve until told to stop, then finish what was accepted."""
        settings, listener = self.app.settings, self.sockets[0]
        self._port = listener.getsockname()[1]
        self._handler = Handler(
            self.wsgi,
            environments=Environments(listener.getsockname(), multiprocess=self.cfg.workers > 1),
            pace=Pace(settings.HTTP_READ_TIMEOUT_S, settings.HTTP_READ_BYTES_PER_S),
            body_limit=self._body_limit(),
            threads=settings.GUNICORN_THREADS,
            is_last=self._is_last,
            refusal=self.refusal,
            enough=self.max_requests,
            replace=self._step_down,
        )
        self._engine = Engine(
            listener,
            settings,
            backlog=self.cfg.backlog,
            connections=self.cfg.worker_connections,
            threads=self._handler.crew.size,
        )
        self.notify()  # the master counts from the first time on
        self._engine.start(seen_by_tracers(self._handler))
        self._handler.crew.start()
        if self.app.phase.closing():
            self.alive = False  # the dismissal came before this process listened to signals
        self._serve()
        self._leave()

    def handle_quit(self, _sig: int, _frame: FrameType | None) -> None:
        """Leave at once; granian's threads are not waited for."""
        if self.booted:
            self.cfg.worker_int(self)
        os._exit(0)

    def _serve(self) -> None:
        while self.alive:
            self._look(_LOOK_CLOSELY_S if self._handler.is_waiting else _LOOK_EVERY_S)
            if self.ppid != os.getppid():
                self.log.info("Parent changed, shutting down: %s", self)
                return

    def _body_limit(self) -> int:
        carboy = getattr(self.wsgi, "extensions", {}).get("carboy")
        return carboy.settings.MAX_CONTENT_LENGTH if carboy else sys.maxsize

    def _step_down(self) -> None:
        self.log.info("Worker (pid:%s) leaves after %d requests.", self.pid, self.max_requests)
        self.alive = False
        os.write(self.PIPE[1], b".")

    def _leave(self) -> None:
        """Let go of the connections without losing a request, for the graceful timeout."""
        end = time.monotonic() + self.cfg.graceful_timeout
        self._leaving = True
        self._handler.crew.dismiss()
        self._wait_for_connections(min(end, time.monotonic() + _FAREWELL_S))
        if self.app.phase.closing():
            # Nobody else may be left to accept what waits; newcomers are turned away.
            while time.monotonic() < end and any(map(has_waiting, self.sockets)):
                self._look(_LOOK_AT_CONNECTIONS_S)
        self._engine.stop_accepting()
        # The last process to close the port makes the kernel refuse: do it before the
        # requests in flight are waited for, not after.
        for listener in self.sockets:
            listener.close()
        self.sockets = []
        self._wait_for_connections(min(end, time.monotonic() + _HANDSHAKE_S))
        self._engine.finish()
        while not self._engine.ended.wait(_LOOK_AT_CONNECTIONS_S):
            self._look(0)
            if time.monotonic() >= end:
                self.tell_cut_off(open_connections(self._port))
                os._exit(0)  # an ordinary exit would wait for their threads

    def _wait_for_connections(self, until: float) -> None:
        while time.monotonic() < until and open_connections(self._port):
            self._look(_LOOK_AT_CONNECTIONS_S)

    def _look(self, duration_s: float) -> None:
        """Give a sign of life, mind slow clients, and wait for a signal meanwhile."""
        self.notify()
        self._handler.cut_off_late()
        ready, _, _ = select.select([self.PIPE[0]], [], [], duration_s)
        if ready:
            os.read(self.PIPE[0], 4096)

    def _is_last(self) -> bool:
        """Whether a connection shall end with its next answer.

        A proxy that keeps connections open would otherwise send its next request at the
        moment the connection is closed, and may not repeat a POST.
        """
        leaving: bool = self._leaving or self.app.phase.stopping()
        return leaving
