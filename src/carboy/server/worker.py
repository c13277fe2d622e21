"""The worker: gunicorn's threaded one, which loses nothing when the server stops."""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import Any

from gunicorn.http.errors import (  # type: ignore[import-untyped]
    LimitRequestHeaders,
    LimitRequestLine,
)
from gunicorn.util import write_nonblock  # type: ignore[import-untyped]

from carboy.errors import for_status
from carboy.server.lifecycle import Lifecycle, has_waiting
from carboy.server.reception import ReceivingWorker

_LOOK_EVERY_S = 0.25


class Worker(Lifecycle, ReceivingWorker):
    """Serve one process's share of the requests; ``app`` is the server's ``Service``."""

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
            self.tell_cut_off(handled + begun)
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

    def _accept_waiting(self) -> None:
        for listener in self.sockets:
            listener.setblocking(False)  # noqa: FBT003 - another worker may be quicker
            while has_waiting(listener):
                self.accept(listener)
