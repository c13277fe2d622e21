"""Threads are for requests that have arrived; waiting for clients is the poller's work.

gunicorn's threaded worker gives a connection to a thread at once, and the thread waits
for the client: as many slow clients as threads stop the service. Here the worker's main
loop collects what clients send and hands a request over when all of it is there. What is
longer than can be held is handed over begun, and read at a least pace.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from carboy.server.arrival import Arrival
from carboy.server.pace import Pace, PacedUnreader

_READ_BYTES = 64 * 1024
_LOOK_EVERY_S = 0.25
_LINGER_S = 2.0
_SILENT_LINGER_S = 1.0
_TEXT = b"The request came too slowly. Send it again.\n"
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TEXT), _TEXT)
)


class ReceivingWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, whose threads wait for no client.

    Connections that are more than HTTP/1 over TCP (TLS, HTTP/2 without it, uwsgi) need
    gunicorn's own way in, and keep it.
    """

    pending_conns: deque[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.app.settings
        self._pace = Pace(settings.HTTP_READ_TIMEOUT_S, settings.HTTP_READ_BYTES_PER_S)
        self._arrivals: dict[Any, Arrival] = {}
        self._lingering: set[Any] = set()
        self._next_look = 0.0
        cfg = self.cfg
        self._receives = not cfg.is_ssl and cfg.protocol == "http" and cfg.http2_cleartext == "off"

    def enqueue_req(self, conn: Any) -> None:
        """Read what there is of a request; give it to a thread once that is all of it."""
        if not self._receives:
            super().enqueue_req(conn)
            return
        now = time.monotonic()
        arrival = self._arrivals.pop(conn, None)
        if arrival is None:
            arrival = Arrival(now, conn.parser.unreader.take_buffered() if conn.parser else b"")
            if arrival.data and arrival.is_ready():
                self._hand_over(conn, arrival, now)
                return
        ended = self._read(conn, arrival, now)
        if ended and not arrival.data:
            self._drop(conn)
        elif ended or arrival.is_ready():
            self._hand_over(conn, arrival, now)
        else:
            self._wait_for_more(conn, arrival)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Keep the connection or close it; without waiting for the client to do so first."""
        finished = not fs.cancelled() and fs.exception() is None
        if self._receives and finished and not fs.result():
            self._linger(conn)
        else:
            super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Cut off who sends nothing or too slowly, and who does not close in time."""
        if not self._receives:
            super().murder_pending()
            return
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_EVERY_S
        if not self.alive:
            for conn in self.pending_conns:
                if not self._arrivals[conn].data:
                    conn.timeout = min(conn.timeout, now + _SILENT_LINGER_S)
        for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            self._cut_off(conn, self._arrivals.pop(conn), now)
        for conn in [conn for conn in self._lingering if conn.timeout <= now]:
            self._end_linger(conn)

    def _read(self, conn: Any, arrival: Arrival, now: float) -> bool:
        """Take what has come without waiting; tell whether the client has ended."""
        conn.sock.settimeout(0)
        try:
            data = conn.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # reset: nobody is left to answer
            arrival.data.clear()
            return True
        arrival.add(data, now)
        return not data

    def _hand_over(self, conn: Any, arrival: Arrival, now: float) -> None:
        if conn.parser is None:
            conn.initialized = True
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = PacedUnreader(conn.sock, self._pace)
        conn.parser.unreader.begin(bytes(arrival.data), now - arrival.began)
        super().enqueue_req(conn)

    def _wait_for_more(self, conn: Any, arrival: Arrival) -> None:
        conn.timeout = arrival.began + self._pace.allowed_s(len(arrival.data))
        self._arrivals[conn] = arrival
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )

    def _cut_off(self, conn: Any, arrival: Arrival, now: float) -> None:
        if not arrival.data:
            self._drop(conn)
        elif arrival.has_head():
            # Its time is up, so the app's first look at the body is refused, in the app's
            # envelope; what needs no body is answered.
            self._hand_over(conn, arrival, now)
        else:
            self.log.info("A request from %s came too slowly: refused.", conn.client[0])
            with contextlib.suppress(OSError):
                conn.sock.send(_TOO_SLOW)
            self._linger(conn)

    def _linger(self, conn: Any) -> None:
        """Say that no more will be sent, and close when the client has (RFC 9112, section 9.6).

        Closing at once would reset the connection and might take the answer with it.
        """
        conn.timeout = time.monotonic() + _LINGER_S
        try:
            conn.sock.settimeout(0)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(
                conn.sock, selectors.EVENT_READ, partial(self._on_lingering_readable, conn)
            )
        except (OSError, ValueError):  # closed already
            self._drop(conn)
            return
        self._lingering.add(conn)

    def _on_lingering_readable(self, conn: Any, client: Any) -> None:
        try:
            ended = not client.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._end_linger(conn)

    def _end_linger(self, conn: Any) -> None:
        self._lingering.discard(conn)
        self.poller.unregister(conn.sock)
        self._drop(conn)

    def _drop(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()
