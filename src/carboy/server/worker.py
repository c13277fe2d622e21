"""The worker: gunicorn's threaded one, which loses nothing when the server stops."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import traceback
import uuid
from collections.abc import Iterator
from types import FrameType
from typing import Any

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    LimitRequestHeaders,
    LimitRequestLine,
)
from gunicorn.util import make_fail_app, write_nonblock  # type: ignore[import-untyped]

from carboy.api.answers import render
from carboy.api.envelope import JSend
from carboy.errors import CarboyError, for_status
from carboy.server.reception import ReceivingWorker

DISMISSAL = signal.SIGUSR2
"""What the master sends to a worker that shall finish its requests and leave."""

_LOOK_EVERY_S = 0.25


class Worker(ReceivingWorker):
    """Serve one process's share of the requests; ``app`` is the server's ``Service``."""

    sockets: list[Any]

    def load_wsgi(self) -> None:
        """Load the app; if it fails say why in one line, and under reload wait for a change."""
        try:
            self.wsgi = self.app.wsgi()
        except CarboyError as error:
            show = self.cfg.reload or self.app.debug
            self.log.error("%s", error, exc_info=error.__cause__ if show else None)  # noqa: TRY400
            if not self.cfg.reload:
                raise SystemExit(Arbiter.APP_LOAD_ERROR) from error
            for file in set(_files_of(error)):
                self.reloader.add_extra_file(file)
            self.wsgi = make_fail_app(f"{error}\n")

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer in the envelope when the head of a request is too long to be read."""
        if not isinstance(exc, LimitRequestLine | LimitRequestHeaders):
            super().handle_error(req, client, addr, exc)
            return
        error = for_status(414 if isinstance(exc, LimitRequestLine) else 431)
        self.log.warning("Answered %d to %s: %s", error.status, (addr or ("",))[0], exc)
        app = getattr(self, "wsgi", None)
        envelope = getattr(app, "extensions", {}).get("carboy.envelope") or JSend()
        body, content_type = render(error, envelope)
        head = (
            f"HTTP/1.1 {error.status} {error.message.removesuffix('.')}\r\nConnection: close\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-ID: {uuid.uuid4().hex}\r\n\r\n"
        )
        with contextlib.suppress(OSError):  # the client has gone
            write_nonblock(client, head.encode("ascii") + body)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request; at a stop, as the last one on its connection.

        A proxy that keeps connections open would otherwise send its next request at the
        moment the connection is closed, and may not repeat a POST.
        """
        if self.app.phase.stopping():
            req.force_close()
        return super().handle_request(req, conn)

    def run(self) -> None:
        """Serve until told to stop, then finish what was accepted."""
        if self.app.phase.closing():
            self.alive = False  # the dismissal came before this process listened to signals
        super().run()
        handled = self.nr_conns - sum(
            map(len, (self.keepalived_conns, self.pending_conns, self._lingering))
        )
        begun = sum(1 for arrival in self._arrivals.values() if arrival.data)
        if handled + begun:
            self.log.warning(
                "GUNICORN_GRACEFUL_TIMEOUT (%d s) is over: requests cut off: %d.",
                self.cfg.graceful_timeout,
                handled + begun,
            )
        if handled:
            os._exit(0)  # an ordinary exit would wait for their threads

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events; at a stop not past the end of the graceful timeout."""
        super().wait_for_and_dispatch_events(timeout if self.alive else min(timeout, _LOOK_EVERY_S))

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's signature
        """Accept new connections or not; at a stop, first those that already wait."""
        leaving = not enabled and not self.alive and self.app.phase.closing()
        if leaving:
            self._accept_waiting()
        super().set_accept_enabled(enabled)
        if leaving:
            # The last process to close the port makes the kernel refuse: do it before the
            # requests in flight are waited for, not after.
            for listener in self.sockets:
                listener.close()
            self.sockets = []

    def init_signals(self) -> None:
        """Leave at the master's word alone: SIGTERM may have been sent to the whole group."""
        super().init_signals()
        # No SIG_IGN: what the app starts would inherit it, and a signal that is pending
        # when it is set is reported as lost.
        signal.signal(signal.SIGTERM, _pay_no_heed)
        signal.signal(DISMISSAL, self.handle_exit)
        signal.siginterrupt(DISMISSAL, False)  # noqa: FBT003 - the standard library's signature

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish what was accepted and leave; before serving at once, unless somebody waits."""
        if not self.booted and not any(map(_has_waiting, self.sockets)):
            os._exit(0)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Leave at once; Ctrl-C reaches a worker twice, from the terminal and the master."""
        if not self.booted:
            os._exit(0)  # SystemExit would look like a failure of the code being imported
        for further in (signal.SIGINT, signal.SIGQUIT, DISMISSAL):
            signal.signal(further, _pay_no_heed)
        super().handle_quit(sig, frame)

    def _accept_waiting(self) -> None:
        for listener in self.sockets:
            listener.setblocking(False)  # noqa: FBT003 - another worker may be quicker
            while _has_waiting(listener):
                self.accept(listener)


def _has_waiting(listener: Any) -> bool:
    queue = select.poll()
    queue.register(listener.fileno(), select.POLLIN)
    return bool(queue.poll(0))


def _pay_no_heed(_sig: int, _frame: FrameType | None) -> None:
    """Handle a signal by doing nothing."""


def _files_of(error: BaseException | None) -> Iterator[str]:
    """Every source file that took part in a failure."""
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename:
            yield error.filename
        for frame in traceback.extract_tb(error.__traceback__):
            yield frame.filename
        error = error.__cause__ or error.__context__
