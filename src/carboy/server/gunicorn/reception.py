"""Where clients wait and threads take what has arrived, one request after the other.

gunicorn's threaded worker has one thread that waits for clients and others that are handed
what it finds. Each request changes hands twice, which takes longer than many a view. Here
every thread does both: it waits, reads, runs the app, answers, and waits again. While one
keeps up the others rest (see :class:`carboy.server.crew.Crew`), so that a request meets no
other thread at all.

A client that is still sending, or that does not take its answer, waits without a thread.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from io import BufferedReader
from threading import get_ident
from typing import Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from gunicorn import http  # type: ignore[import-untyped]

from carboy.server.arrival import Arrival
from carboy.server.crew import Crew
from carboy.server.gunicorn import watch
from carboy.server.gunicorn.body import Incoming, buffered
from carboy.server.gunicorn.connection import Connection
from carboy.server.gunicorn.heads import Heads
from carboy.server.gunicorn.reply import Reply, Writer
from carboy.server.lifecycle import has_waiting
from carboy.server.pace import Pace, PacedUnreader

_log = logging.getLogger("gunicorn.error")

_READ_BYTES = 64 * 1024
# So many clients are looked after before the next are asked for, by a thread that is alone.
_AT_ONCE = 64
_LINGER_S = 2.0
_TICK_S = 0.01
# A client that takes nothing for so long is taken for one that has gone.
_SEND_TIMEOUT_S = 60.0
_TEXT = b"The request came too slowly. Send it again.\n"
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TEXT), _TEXT)
)


class Reception:
    """The connections of one worker, and the threads that serve them.

    Each connection is either waiting or in the hands of one thread, which alone may use it.

    :param app: the application.
    :param cfg: gunicorn's options.
    :param ports: the listening sockets.
    :param pace: how slowly requests may come.
    :param heads: reads ordinary requests; ``None``: gunicorn reads all.
    :param keep: asked with every request of its own way whether the connection may be kept.
    :param genuinely: has gunicorn serve one request of a connection, whose parser is
        there; tells whether the connection is kept.
    :param failed: tells the client, and the log, what an app raised.

    :ivar open: all connections.
    :ivar crew: says how many threads take requests.
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        app: WSGIApplication,
        cfg: Any,
        *,
        ports: list[Any],
        pace: Pace,
        heads: Heads | None,
        keep: Callable[[], bool],
        genuinely: Callable[[Connection], bool],
        failed: Callable[[Connection, BaseException], None],
    ) -> None:
        self.open: set[Connection] = set()
        self.crew = Crew(cfg.threads)
        self._app = app
        self._cfg = cfg
        self._pace = pace
        self._heads = heads
        self._writer = Writer()
        self._keep = keep
        self._genuinely = genuinely
        self._failed = failed
        self._watch = watch.made()
        self._ports = {port.fileno(): (port, port.getsockname()) for port in ports}
        self._full: set[int] = set()
        self._waiting: dict[int, Connection] = {}
        self._ready: deque[Connection] = deque()
        self._over = False
        self._threads: list[threading.Thread] = []
        # Connections that are kept leave room for as many as there are threads.
        self._kept_max = cfg.worker_connections - cfg.threads

    def begin(self) -> None:
        """Accept connections and serve them."""
        for fd, (port, _) in self._ports.items():
            port.setblocking(False)  # noqa: FBT003 - another worker may be quicker
            self._watch.add(fd)
        for number in range(self._cfg.threads):
            # Nobody waits for a thread whose request outlasts the worker.
            thread = threading.Thread(target=self._work, name=f"request-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self.crew.start()

    def stop_accepting(self, *, first_all: bool) -> None:
        """Leave new connections to others.

        :param first_all: take those that already wait; nobody else may be left to.
        """
        ports, self._ports = self._ports, {}
        for fd, (port, address) in ports.items():
            while first_all and has_waiting(port):
                self._welcome(port, address)
            self._watch.forget(fd)

    def hasten(self, idle: float, silent: float) -> None:
        """Wait less long for requests that have not begun.

        :param idle: until when on connections that had one.
        :param silent: until when on those on which nothing ever came.
        """
        for connection in self._waiting.copy().values():
            if not (connection.is_begun or connection.lingers):
                until = idle if connection.has_spoken else silent
                connection.deadline = min(connection.deadline, until)

    def look_after(self) -> None:
        """Have threads deal with whoever is waited for no longer, and accept if there is room."""
        now = time.monotonic()
        for fd, connection in self._waiting.copy().items():
            if connection.deadline <= now and self._waiting.pop(fd, None) is connection:
                connection.is_overdue = True
                self._wait(connection, write=True)  # which is at once
        self._make_room()

    def is_idle(self) -> bool:
        """Whether there is nobody to serve and nothing left to do."""
        return not (self.open or self.crew.busy)

    def begun(self) -> int:
        """Count the requests that are not done: their answers may be on their way."""
        waiting = self._waiting.copy().values()
        begun = len(self.open) - sum(1 for connection in waiting if not connection.is_begun)
        return max(begun, len(self.crew.busy))

    def end(self, patience_s: float) -> bool:
        """Let the threads go.

        :return: whether all of them did.
        """
        self._over = True
        self.crew.dismiss()
        hears, bell = socket.socketpair()
        with hears, bell:
            bell.send(b".")
            self._watch.add(hears.fileno())
            until = time.monotonic() + patience_s
            for thread in self._threads:
                while thread.is_alive() and time.monotonic() < until:
                    self._watch.expect(hears.fileno())
                    thread.join(_TICK_S)
            self._watch.forget(hears.fileno())
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        ready = self._ready
        while not self._over:
            try:
                connection = ready.popleft()
            except IndexError:
                self._wait_for_clients()
                continue
            try:
                self._attend(connection)
            except BaseException:  # noqa: BLE001 - nobody above could say it
                _log.exception("A connection failed.")
                self._drop(connection)

    def _wait_for_clients(self) -> None:
        self.crew.rest()
        if self._ready:
            return
        # What one thread takes no other gets: where others are awake they are left some.
        for fd in self._watch.take(1 if self.crew.wanted > 1 else _AT_ONCE):
            connection = self._waiting.pop(fd, None)
            if connection is not None:
                self._ready.append(connection)
            elif fd in self._ports:
                self._accept(fd)

    def _accept(self, fd: int) -> None:
        try:
            self._welcome(*self._ports[fd])
        except KeyError:  # closed meanwhile
            return
        except OSError as error:
            if fd in self._ports:
                _log.warning("A connection cannot be accepted: %s.", error)
                self._full.add(fd)
            return
        self._full.add(fd)
        self._make_room()

    def _make_room(self) -> None:
        """Accept again where it was left, if there is room."""
        while self._full and len(self.open) < self._cfg.worker_connections:
            with contextlib.suppress(KeyError, OSError):  # another thread did, or it is closed
                self._watch.expect(self._full.pop())

    def _welcome(self, port: Any, address: Any) -> None:
        try:
            sock, client = port.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another worker was quicker
            return
        deadline = time.monotonic() + self._pace.timeout_s
        connection = Connection(self._cfg, sock, client, address, deadline)
        self.open.add(connection)
        self._waiting[connection.fd] = connection
        self._watch.add(connection.fd)

    def _attend(self, connection: Connection) -> None:
        if connection.rest is not None:
            self._send_on(connection, connection.rest)
        elif connection.lingers:
            self._hear_out(connection)
        elif connection.more:
            data, connection.more = connection.more, b""
            self._take(connection, data)
        else:
            self._receive(connection)

    def _wait(self, connection: Connection, *, write: bool = False) -> None:
        """Let go of a connection until the client does something."""
        self._waiting[connection.fd] = connection
        self._watch.expect(connection.fd, write=write)

    def _receive(self, connection: Connection) -> None:
        try:
            data: bytes = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            if connection.is_overdue:
                self._cut_off(connection)
            else:
                self._wait(connection)
            return
        except OSError:  # reset: nobody is left to answer
            self._drop(connection)
            return
        if data:
            self._take(connection, data)
        elif connection.arrival is not None:
            self._by_gunicorn(connection, connection.arrival)  # which may find that it is enough
        else:
            self._drop(connection)

    def _take(self, connection: Connection, data: bytes) -> None:
        """Take what a client has sent, and serve what is whole."""
        arrival = connection.arrival
        if arrival is None:
            if self._heads is not None:
                environ = self._heads.read(data, connection)
                if environ is not None:
                    self._answer(connection, environ)
                    return
            arrival = connection.arrival = Arrival(time.monotonic(), data)
        else:
            arrival.add(data, time.monotonic())
        if arrival.is_ready():
            self._hand_over(connection, arrival)
        elif connection.is_overdue:
            self._cut_off(connection)
        else:
            connection.deadline = arrival.began + self._pace.allowed_s(len(arrival.data))
            self._wait(connection)

    def _hand_over(self, connection: Connection, arrival: Arrival) -> None:
        environ = incoming = None
        if self._heads is not None:

            def begun(held: bytes, missing: int) -> BufferedReader:
                nonlocal incoming
                waited_s = time.monotonic() - arrival.began
                incoming = Incoming(connection.sock, held, missing, self._pace, waited_s)
                return buffered(incoming)

            environ = self._heads.read(bytes(arrival.data), connection, begun)
        if environ is None:
            self._by_gunicorn(connection, arrival)
        else:
            connection.arrival = None
            self._answer(connection, environ, incoming)

    def _answer(
        self, connection: Connection, environ: WSGIEnvironment, incoming: Incoming | None = None
    ) -> None:
        """Run the app, and answer; *incoming* is a body that is not all there."""
        crew, me = self.crew, get_ident()
        crew.busy[me] = environ
        if crew.dozing:
            crew.rouse()
        connection.has_spoken = True
        connection.is_overdue = False
        is_last = (
            not self._keep()
            or environ.get("HTTP_CONNECTION", "").lower() == "close"
            or len(self.open) > self._kept_max
        )
        reply = Reply(environ["REQUEST_METHOD"], connection, self._cfg, is_last=is_last)
        environ["wsgi.early_hints"] = reply.hint
        body: Any = None
        try:
            body = self._app(environ, reply.start)
            if incoming is not None:
                connection.sock.settimeout(0)
                # Whoever sends what nobody wants is not waited for.
                reply.is_last = is_last = is_last or incoming.missing > 0
            whole = reply.carry(body, self._writer)
        except BaseException as error:  # noqa: BLE001 - SystemExit of a view ends no worker, either
            self._fail(connection, error, is_told=reply.is_begun)
        else:
            if whole is None:
                connection.sock.settimeout(0)
                self._next(connection, is_last=reply.is_last)
            else:
                self._send(connection, whole, is_last=is_last)
        finally:
            # Only now: what an app does behind its answer keeps no client waiting.
            if type(body) is not list:
                _finish(reply.left, body)
            crew.busy.pop(me, None)

    def _fail(self, connection: Connection, error: BaseException, *, is_told: bool) -> None:
        if isinstance(error, ConnectionError):
            _log.debug("A client has gone: %s.", error)
        elif is_told:
            _log.error("Error handling request", exc_info=error)
        else:
            connection.sock.settimeout(None)
            self._failed(connection, error)
        self._linger(connection)

    def _by_gunicorn(self, connection: Connection, arrival: Arrival) -> None:
        """Have gunicorn read, serve and answer what has come."""
        connection.arrival = None
        crew, me = self.crew, get_ident()
        crew.busy[me] = arrival
        if crew.dozing:
            crew.rouse()
        connection.has_spoken = True
        connection.is_overdue = False
        try:
            if connection.parser is None:
                connection.initialized = True
                connection.parser = http.get_parser(self._cfg, connection.sock, connection.client)
                connection.parser.unreader = PacedUnreader(connection.sock, self._pace)
            unreader = connection.parser.unreader
            unreader.begin(bytes(arrival.data), time.monotonic() - arrival.began)
            is_last = not self._genuinely(connection)
        finally:
            crew.busy.pop(me, None)
        connection.sock.settimeout(0)
        connection.more = b"" if is_last else unreader.take_buffered()
        if connection.more:
            self._ready.append(connection)  # in turn: other clients wait, too
        else:
            self._next(connection, is_last=is_last)

    def _send(self, connection: Connection, data: bytes, *, is_last: bool) -> None:
        """Send a whole answer; what the client does not take at once waits without a thread."""
        try:
            sent = connection.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:  # the client has gone
            self._drop(connection)
            return
        if sent == len(data):
            self._next(connection, is_last=is_last)
        else:
            connection.is_last = is_last
            self._leave_rest(connection, memoryview(data)[sent:])

    def _send_on(self, connection: Connection, rest: memoryview) -> None:
        try:
            sent = connection.sock.send(rest)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(connection)
            return
        if sent == len(rest):
            connection.rest = None
            connection.is_overdue = False
            self._next(connection, is_last=connection.is_last)
        elif connection.is_overdue and not sent:
            _log.info("A client took nothing for %d s: cut off.", _SEND_TIMEOUT_S)
            self._drop(connection)
        else:
            connection.is_overdue = False
            self._leave_rest(connection, rest[sent:])

    def _leave_rest(self, connection: Connection, rest: memoryview) -> None:
        connection.rest = rest
        connection.deadline = time.monotonic() + _SEND_TIMEOUT_S
        self._wait(connection, write=True)

    def _next(self, connection: Connection, *, is_last: bool) -> None:
        """Wait for the next request, unless the connection ends."""
        if is_last:
            self._linger(connection)
        else:
            connection.deadline = time.monotonic() + self._cfg.keepalive
            self._wait(connection)

    def _cut_off(self, connection: Connection) -> None:
        """Refuse what came too slowly."""
        arrival = connection.arrival
        if arrival is None:
            self._drop(connection)
        elif arrival.has_head():
            # Its time is up, so the app's first look at the body is refused, in the app's
            # envelope; what needs no body is answered.
            self._by_gunicorn(connection, arrival)
        else:
            _log.info("A request from %s came too slowly: refused.", connection.client[0])
            with contextlib.suppress(OSError):
                connection.sock.send(_TOO_SLOW)
            self._linger(connection)

    def _linger(self, connection: Connection) -> None:
        """Say that no more will be sent, and close when the client has (RFC 9112, section 9.6).

        Closing at once would reset the connection and might take the answer with it.
        """
        connection.lingers = True
        connection.is_overdue = False
        connection.deadline = time.monotonic() + _LINGER_S
        try:
            connection.sock.settimeout(0)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client was quicker
            self._drop(connection)
        else:
            self._wait(connection)

    def _hear_out(self, connection: Connection) -> None:
        try:
            ended = connection.is_overdue or not connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            ended = False
        except OSError:
            ended = True
        if ended:
            self._drop(connection)
        else:
            self._wait(connection)

    def _drop(self, connection: Connection) -> None:
        with contextlib.suppress(OSError, ValueError):  # it is closed already
            self._watch.forget(connection.fd)
        connection.close()
        self.open.discard(connection)
        if self._full:
            self._make_room()


def _finish(left: Iterable[bytes], body: Any) -> None:
    """Let an app do what it does behind its answer."""
    close = getattr(body, "close", None)
    try:
        try:
            for _ in left:
                pass
        finally:
            if close is not None:
                close()
    except BaseException:  # noqa: BLE001 - the answer is out
        _log.exception("What an app does behind its answer failed.")
