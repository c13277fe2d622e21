"""Where a client is served: read, answered, and sent back to wait."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from io import BufferedReader
from threading import get_ident
from types import FunctionType
from typing import Any, Final
from wsgiref.types import WSGIApplication, WSGIEnvironment

import flask.app

from carboy.logs import Lines
from carboy.server.arrival import Arrival
from carboy.server.crew import Crew
from carboy.server.gunicorn.body import Incoming, buffered
from carboy.server.gunicorn.connection import Connection
from carboy.server.gunicorn.heads import Heads
from carboy.server.gunicorn.keeping import Keeping
from carboy.server.gunicorn.lobby import Lobby
from carboy.server.gunicorn.reply import Reply
from carboy.server.gunicorn.sender import Sender
from carboy.server.gunicorn.writer import Writer
from carboy.server.pace import Pace

_get_ident: Final = get_ident
_log: Final = logging.getLogger("gunicorn.error")

_READ_BYTES: Final = 64 * 1024
_TEXT: Final = b"The request came too slowly. Send it again.\n"
_TOO_SLOW: Final = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TEXT), _TEXT)
)


class Desk:
    """Does for a connection what can be done now, by the thread that has it.

    :param app: the application.
    :param cfg: gunicorn's options.
    :param lobby: where connections come from and go to.
    :param crew: told who is busy.
    :param pace: how slowly requests may come.
    :param sender: sends answers.
    :param lines: lines of the log that may wait for others until their answer is sent.
    :param heads: reads ordinary requests; ``None``: gunicorn reads all.
    :param keeping: asked with every request of its own way whether the connection may be kept.
    :param genuinely: has gunicorn serve one request of a connection of its own kind, whose
        parser is there; tells whether the connection is kept.
    :param failed: tells the client, and the log, what an app raised.

    :ivar ready: connections that are in the hands of whichever thread is free first.
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        app: WSGIApplication,
        cfg: Any,
        *,
        lobby: Lobby,
        crew: Crew,
        pace: Pace,
        sender: Sender,
        lines: Lines,
        heads: Heads | None,
        keeping: Keeping,
        genuinely: Callable[[Any], bool],
        failed: Callable[[Connection, BaseException], None],
    ) -> None:
        self.ready: deque[Connection] = deque()
        self._app: Any = app
        # What Flask's own method does is done here, at the price of one call less.
        self._calls_inside = calls_inside(app)
        self._cfg = cfg
        self._lobby = lobby
        self._crew = crew
        self._pace = pace
        self._heads = heads
        self._writer = Writer()
        self._sender = sender
        self._lines = lines
        self._keeping = keeping
        self._genuinely = genuinely
        self._failed = failed

    def attend(self, connection: Connection) -> None:
        """Go on with a connection whose client has done something, or has not for too long."""
        if connection.rest is not None:
            self._sender.go_on(connection, connection.rest)
        elif connection.lingers:
            self._lobby.hear_out(connection)
        elif connection.more:
            data, connection.more = connection.more, b""
            self._take(connection, data)
        else:
            self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        try:
            data: bytes = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            connection.is_drained = True
            if connection.is_overdue:
                self._cut_off(connection)
            else:
                self._lobby.wait(connection)
            return
        except OSError:  # reset: nobody is left to answer
            self._lobby.drop(connection)
            return
        if data:
            connection.is_drained = len(data) < _READ_BYTES
            self._take(connection, data)
        elif connection.arrival is not None:
            self._by_gunicorn(connection, connection.arrival)  # which may find that it is enough
        else:
            self._lobby.drop(connection)

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
            self._lobby.wait(connection)

    def _hand_over(self, connection: Connection, arrival: Arrival) -> None:
        environ = incoming = None
        connection.is_drained = False
        if self._heads is not None:

            def begun(held: bytes, missing: int) -> BufferedReader:
                nonlocal incoming
                self._lobby.pause(connection)
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
        self._begin(connection, environ)
        wish = environ.get("HTTP_CONNECTION")
        is_last = (
            not self._keeping.count()
            or (wish is not None and wish.lower() == "close")
            or self._lobby.is_crowded()
        )
        lines = environ["carboy.lines"] = self._lines
        reply = Reply(environ["REQUEST_METHOD"], connection, self._cfg, lines, is_last=is_last)
        environ["wsgi.early_hints"] = reply.hint
        body: Any = None
        try:
            if self._calls_inside:
                body = self._app.wsgi_app(environ, reply)
            else:
                body = self._app(environ, reply)
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
                self._lobby.keep(connection, is_last=reply.is_last)
            elif (
                (self.ready or self._sender.has_gathered())
                and type(body) is list
                and self._crew.has_relief()
            ):
                self._sender.gather(connection, whole, is_last=is_last)
            else:
                self._sender.send(connection, whole, is_last=is_last)
        finally:
            # Only now: what an app does behind its answer keeps no client waiting.
            if type(body) is not list:
                _finish(reply.left, body)
            self._crew.busy.pop(_get_ident(), None)

    def _begin(self, connection: Connection, work: Any) -> None:
        crew = self._crew
        crew.busy[_get_ident()] = work
        if crew.dozing:
            crew.rouse()
        connection.has_spoken = True
        connection.is_overdue = False

    def _fail(self, connection: Connection, error: BaseException, *, is_told: bool) -> None:
        self._lines.write()
        if isinstance(error, BrokenPipeError | ConnectionResetError):
            _log.debug("A client has gone: %s.", error)
        elif is_told:
            _log.error("Error handling request", exc_info=error)
        else:
            connection.sock.settimeout(None)
            self._failed(connection, error)
        self._lobby.linger(connection)

    def _by_gunicorn(self, connection: Connection, arrival: Arrival) -> None:
        """Have gunicorn read, serve and answer what has come."""
        connection.arrival = None
        self._lobby.pause(connection)
        self._begin(connection, arrival)
        try:
            genuine = connection.genuine(self._pace)
            unreader = genuine.parser.unreader
            unreader.begin(bytes(arrival.data), time.monotonic() - arrival.began)
            is_last = not self._genuinely(genuine)
        finally:
            self._crew.busy.pop(_get_ident(), None)
        if connection.sock.fileno() < 0:  # gunicorn closes what breaks off in the middle
            self._lobby.drop(connection)
            return
        connection.sock.settimeout(0)
        connection.more = b"" if is_last else unreader.take_buffered()
        if connection.more:
            self._lobby.call(connection)  # in turn: other clients wait, too
        else:
            self._lobby.keep(connection, is_last=is_last)

    def _cut_off(self, connection: Connection) -> None:
        """Refuse what came too slowly."""
        arrival = connection.arrival
        if arrival is None:
            self._lobby.drop(connection)
        elif arrival.has_head():
            # Its time is up, so the app's first look at the body is refused, in the app's
            # envelope; what needs no body is answered.
            self._by_gunicorn(connection, arrival)
        else:
            _log.info("A request from %s came too slowly: refused.", connection.client[0])
            with contextlib.suppress(OSError):
                connection.sock.send(_TOO_SLOW)
            self._lobby.linger(connection)


def calls_inside(app: Any) -> bool:
    """Tell whether calling *app* does what Flask does: it calls ``wsgi_app``.

    Looked at by where the function was written: agents that trace replace it, mostly before
    there is anything to compare with.
    """
    kind: Any = type(app)
    called = kind.__call__
    return type(called) is FunctionType and called.__globals__ is vars(flask.app)


def _finish(left: Any, body: Any) -> None:
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
