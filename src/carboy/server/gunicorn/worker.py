"""The worker: gunicorn's threaded one, which loses nothing when the server stops."""

from __future__ import annotations

import contextlib
import os
import select
import time
import uuid
from types import FrameType
from typing import Any

from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    LimitRequestHeaders,
    LimitRequestLine,
)
from gunicorn.util import write_nonblock  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from carboy.errors import for_status
from carboy.logs import Lines
from carboy.server.crew import Crew
from carboy.server.gunicorn.connection import Connection
from carboy.server.gunicorn.desk import Desk
from carboy.server.gunicorn.heads import Heads
from carboy.server.gunicorn.keeping import Keeping
from carboy.server.gunicorn.lobby import Lobby
from carboy.server.gunicorn.reception import Reception
from carboy.server.gunicorn.sender import Sender
from carboy.server.lifecycle import Lifecycle, has_waiting
from carboy.server.pace import Pace

_LOOK_EVERY_S = 0.25
_LOOK_CLOSELY_S = 0.02
# At a stop, kept-alive connections have so long for a request that may be on its way, and
# connections on which nothing ever came so long for their first.
_IDLE_S = 2.0
_SILENT_S = 1.0
_THREADS_END_S = 1.0

# gunicorn's options that do not change what a request or an answer is. With any other set,
# gunicorn reads and answers all requests by itself.
_NO_MATTER = frozenset({
    "accesslog", "backlog", "bind", "capture_output", "chdir", "child_exit", "config",
    "control_socket_disable", "daemon", "default_proc_name", "disable_redirect_access_to_syslog",
    "errorlog", "forwarded_allow_ips", "graceful_timeout", "group", "initgroups", "keepalive",
    "limit_request_line", "logger_class", "loglevel", "max_requests", "max_requests_jitter",
    "nworkers_changed", "on_exit", "on_reload", "on_starting", "pidfile", "post_fork",
    "post_worker_init", "pre_exec", "pre_fork", "preload_app", "proc_name", "pythonpath",
    "raw_env", "reload", "reload_engine", "reload_extra_files", "reuse_port",
    "secure_scheme_headers", "sendfile", "threads", "timeout", "umask", "user", "when_ready",
    "worker_abort", "worker_class", "worker_connections", "worker_exit", "worker_int",
    "worker_tmp_dir", "workers",
})  # fmt: skip


class Worker(Lifecycle, ThreadWorker):  # type: ignore[misc]
    """Serve one process's share of the requests; ``app`` is the server's ``Service``.

    Connections that are more than HTTP/1 over TCP (TLS, HTTP/2 without it, uwsgi) need
    gunicorn's own way in, and keep it.
    """

    _lobby: Lobby | None = None
    _reception: Reception

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer in the envelope when the head of a request is too long to be read."""
        if not isinstance(exc, LimitRequestLine | LimitRequestHeaders):
            super().handle_error(req, client, addr, exc)
            return
        error = for_status(414 if isinstance(exc, LimitRequestLine) else 431)
        self.log.warning("Answered %d to %s: %s", error.status, (addr or ("",))[0], exc)
        body, content_type = self.refusal(error)
        head = (
            f"HTTP/1.1 {error.status} {error.message.removesuffix('.')}\r\nConnection: close\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-ID: {uuid.uuid4().hex}\r\n\r\n"
        )
        with contextlib.suppress(OSError):  # the client has gone
            write_nonblock(client, head.encode("ascii") + body)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request in gunicorn's way; at a stop or in a crowd, as its connection's last.

        A proxy that keeps connections open would otherwise send its next request at the
        moment the connection is closed, and may not repeat a POST.
        """
        if self.app.phase.stopping() or (self._lobby is not None and self._lobby.is_crowded()):
            req.force_close()
        return super().handle_request(req, conn)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Leave at once; threads are not waited for."""
        if not self.booted:
            super().handle_quit(sig, frame)
        self.cfg.worker_int(self)
        os._exit(0)

    def run(self) -> None:
        """Serve until told to stop, then finish what was accepted."""
        if self.app.phase.closing():
            self.alive = False  # the dismissal came before this process listened to signals
        cfg = self.cfg
        if cfg.is_ssl or cfg.protocol != "http" or cfg.http2_cleartext != "off":
            super().run()
            if self.nr_conns:
                self._cut_off(self.nr_conns)
            return
        settings, crew = self.app.settings, Crew(cfg.threads)
        keeping = Keeping(self, self.app.phase, kept=cfg.keepalive > 0, retire=self._retire)
        pace = Pace(settings.HTTP_READ_TIMEOUT_S, settings.HTTP_READ_BYTES_PER_S)
        self._lobby = lobby = Lobby(cfg, self.sockets, pace)
        lines = Lines()
        sender = Sender(lobby, lines)
        desk = Desk(
            self.wsgi,
            cfg,
            lobby=lobby,
            crew=crew,
            pace=pace,
            sender=sender,
            lines=lines,
            heads=Heads(cfg, self.sockets[0].getsockname()) if self._is_usual() else None,
            keeping=keeping,
            genuinely=self.handle,
            failed=self._failed,
        )
        self._reception = Reception(cfg, lobby=lobby, desk=desk, sender=sender, crew=crew)
        self.notify()  # the master counts from the first time on
        self._reception.begin()
        while self.alive:
            self._look(_LOOK_EVERY_S)
            if not self.is_parent_alive():
                break
        self._leave(lobby)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's signature
        """Accept new connections or not, in gunicorn's way; at a stop, first those that wait."""
        leaving = not enabled and not self.alive and self.app.phase.closing()
        if leaving:
            for listener in self.sockets:
                listener.setblocking(False)  # noqa: FBT003 - another worker may be quicker
                while has_waiting(listener):
                    self.accept(listener)
        super().set_accept_enabled(enabled)
        if leaving:
            self._close_ports()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events in gunicorn's way; at a stop not past the end of the graceful timeout."""
        super().wait_for_and_dispatch_events(timeout if self.alive else min(timeout, _LOOK_EVERY_S))

    def _leave(self, lobby: Lobby) -> None:
        """Let go of the connections without losing a request, for the graceful timeout."""
        reception, now = self._reception, time.monotonic()
        self.alive = False  # also when the master has gone
        end = now + self.cfg.graceful_timeout
        # Nobody else may be left to accept what waits.
        lobby.stop_accepting(first_all=self.app.phase.closing())
        self._close_ports()
        while not reception.is_idle() and time.monotonic() < end:
            lobby.hasten(idle=now + _IDLE_S, silent=now + _SILENT_S)
            self._look(_LOOK_CLOSELY_S)
        begun = reception.begun()
        if begun:
            self._cut_off(begun)
        if not reception.end(_THREADS_END_S):
            os._exit(0)  # an ordinary exit would take the interpreter from under them

    def _close_ports(self) -> None:
        # The last process to close the port makes the kernel refuse: do it before the
        # requests in flight are waited for, not after.
        for listener in self.sockets:
            listener.close()
        self.sockets = []

    def _cut_off(self, requests: int) -> None:
        self.tell_cut_off(requests)
        os._exit(0)  # an ordinary exit would wait for their threads

    def _look(self, duration_s: float) -> None:
        """Give a sign of life, mind slow clients, and wait for a signal meanwhile."""
        self.notify()
        self._reception.look_after()
        ready, _, _ = select.select([self.method_queue.fileno()], [], [], duration_s)
        if ready:
            self.method_queue.run_callbacks(None)

    def _is_usual(self) -> bool:
        """Whether requests and answers are as gunicorn has them by default."""
        given, usual = self.cfg.settings, Config().settings
        return all(name in _NO_MATTER or given[name].get() == usual[name].get() for name in given)

    def _retire(self) -> None:
        """Finish what was accepted, and leave to a new worker."""
        self.log.info("Autorestarting worker after current request.")
        self.alive = False
        self.method_queue.defer(int)

    def _failed(self, connection: Connection, error: BaseException) -> None:
        self.handle_error(None, connection.sock, connection.client, error)
