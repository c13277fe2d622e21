"""Whole answers on their way, at the pace of their clients."""

from __future__ import annotations

import logging
import time

from carboy.server.gunicorn.connection import Connection
from carboy.server.gunicorn.lobby import Lobby

_log = logging.getLogger("gunicorn.error")

# A client that takes nothing for so long is taken for one that has gone.
_TIMEOUT_S = 60.0
# Of all answers of a worker that clients have not taken yet.
_HELD_BYTES_MAX = 64 * 1024 * 1024


class Sender:
    """Sends whole answers; what clients do not take at once waits without a thread.

    While it is not too much: beyond that a thread waits for its client, so that the
    number of threads bounds what a worker holds.

    :param lobby: where connections go to.
    """

    def __init__(self, lobby: Lobby) -> None:
        self._lobby = lobby

    def send(self, connection: Connection, data: bytes, *, is_last: bool) -> None:
        """Begin with an answer."""
        try:
            sent = connection.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:  # the client has gone
            self._lobby.drop(connection)
            return
        if sent == len(data):
            self._lobby.keep(connection, is_last=is_last)
            return
        connection.is_last = is_last
        if self._lobby.held_bytes() + len(data) > _HELD_BYTES_MAX:
            self._send_all(connection, memoryview(data)[sent:])
        else:
            self._leave(connection, memoryview(data)[sent:])

    def go_on(self, connection: Connection, rest: memoryview) -> None:
        """Go on with what is left, when the client has taken something or did not for long."""
        try:
            sent = connection.sock.send(rest)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lobby.drop(connection)
            return
        if sent == len(rest):
            connection.rest = None
            connection.is_overdue = False
            self._lobby.keep(connection, is_last=connection.is_last)
        elif connection.is_overdue and not sent:
            self._give_up(connection)
        else:
            connection.is_overdue = False
            self._leave(connection, rest[sent:])

    def _leave(self, connection: Connection, rest: memoryview) -> None:
        connection.rest = rest
        connection.deadline = time.monotonic() + _TIMEOUT_S
        self._lobby.wait(connection, write=True)

    def _send_all(self, connection: Connection, rest: memoryview) -> None:
        """Wait for a client in this thread."""
        connection.sock.settimeout(_TIMEOUT_S)
        try:
            while rest:
                rest = rest[connection.sock.send(rest) :]
        except TimeoutError:
            self._give_up(connection)
        except OSError:
            self._lobby.drop(connection)
        else:
            connection.sock.settimeout(0)
            self._lobby.keep(connection, is_last=connection.is_last)

    def _give_up(self, connection: Connection) -> None:
        _log.info("A client took nothing for %d s: cut off.", _TIMEOUT_S)
        self._lobby.drop(connection)
