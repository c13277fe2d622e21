"""One client's connection, and what it is in the middle of."""

from __future__ import annotations

import contextlib
from typing import Any
from wsgiref.types import WSGIEnvironment

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from carboy.server.arrival import Arrival
from carboy.server.pace import Pace, PacedUnreader


class Connection:
    """A connection; who has it may read, write and close it, nobody else.

    :param cfg: gunicorn's options.
    :param client: the client's address.
    :param server: the port's.
    :param deadline: of :func:`time.monotonic`; when it is waited for no longer.

    :ivar fd: the descriptor of its socket, also when that is closed.
    :ivar environ: what of a WSGI environment is the same for all its requests.
    :ivar fields: those of its last request, as they came with the empty line behind them, unless
        a cookie or an authorization is among them.
    :ivar read: what was made of :attr:`fields`, if they came twice.
    :ivar is_drained: whether all that was there has been read, so that more is news.
    :ivar is_stirred: whether there was news while a thread had it.
    :ivar has_ended: whether its client will send no more.
    :ivar arrival: a request of which not all has come.
    :ivar more: what came together with the request before.
    :ivar rest: what of an answer the client has not taken.
    :ivar is_last: whether it ends with the answer under way.
    :ivar lingers: whether it only waits for the client to close.
    :ivar is_overdue: whether its deadline has passed.
    :ivar has_spoken: whether a request came on it.
    """

    def __init__(self, cfg: Any, sock: Any, client: Any, server: Any, deadline: float) -> None:
        self._cfg = cfg
        self._server = server
        self._genuine: Any = None
        self.sock = sock
        self.client = client
        self.fd: int = sock.fileno()
        sock.settimeout(0)
        self.environ: WSGIEnvironment | None = None
        self.fields = b""
        self.read: WSGIEnvironment | None = None
        self.deadline = deadline
        self.arrival: Arrival | None = None
        self.more = b""
        self.rest: memoryview | None = None
        self.is_drained = self.is_stirred = self.has_ended = False
        self.is_last = self.lingers = self.is_overdue = self.has_spoken = False

    @property
    def is_begun(self) -> bool:
        """Whether a request or an answer is under way on it."""
        return self.rest is not None or self.arrival is not None

    def genuine(self, pace: Pace) -> Any:
        """Give it as gunicorn has connections, with a parser that reads at *pace*."""
        made = self._genuine
        if made is None:
            made = self._genuine = TConn(self._cfg, self.sock, self.client, self._server)
            made.initialized = True
            made.parser = http.get_parser(self._cfg, self.sock, self.client)
            made.parser.unreader = PacedUnreader(self.sock, pace)
        return made

    def close(self) -> None:
        """Close it; once more does nothing."""
        with contextlib.suppress(OSError):
            self.sock.close()
