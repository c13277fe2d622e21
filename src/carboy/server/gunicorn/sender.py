"""Whole answers on their way, at the pace of their clients."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Final

from carboy.logs import Lines
from carboy.server.gunicorn.connection import Connection
from carboy.server.gunicorn.lobby import Lobby

_now: Final = time.monotonic
_log: Final = logging.getLogger("gunicorn.error")

# A client that takes nothing for so long is taken for one that has gone.
_TIMEOUT_S = 60.0
# Of all answers of a worker that clients have not taken yet.
_HELD_BYTES_MAX = 64 * 1024 * 1024
# A short answer waits for those behind it, no longer than so many seconds and a view.
_GATHERED_S = 0.001
_GATHERED_BYTES_MAX: Final = 16 * 1024


class Sender:
    """Sends whole answers; what clients do not take at once waits without a thread.

    While it is not too much: beyond that a thread waits for its client, so that the
    number of threads bounds what a worker holds.

    :param lobby: where connections go to.
    :param lines: of the log, which are written before the answers that they tell of.
    """

    def __init__(self, lobby: Lobby, lines: Lines) -> None:
        self._lobby = lobby
        self._lines = lines
        self._gathered: deque[tuple[Connection, bytes, bool]] = deque()
        self._gathers_until = 0.0

    def gather(self, connection: Connection, data: bytes, *, is_last: bool) -> None:
        """Have an answer wait for those that come right behind it.

        Sending wakes a client that waits on the same machine, such as a proxy, which can take
        longer than to make the answer. Of several that are sent together only the first does.
        Whoever calls this calls :meth:`send_due` behind each request, and :meth:`send_gathered`
        as soon as there is none.
        """
        if len(data) > _GATHERED_BYTES_MAX:
            self.send(connection, data, is_last=is_last)
            return
        if not self._gathered:
            self._gathers_until = _now() + _GATHERED_S
        self._gathered.append((connection, data, is_last))

    def has_gathered(self) -> bool:
        """Tell whether any answer waits for others."""
        return bool(self._gathered)

    def send_due(self) -> None:
        """Send what waits, if the first of it has waited for long enough."""
        if self._gathered and _now() >= self._gathers_until:
            self.send_gathered()

    def send_gathered(self) -> None:
        """Send what waits; several threads may."""
        self._lines.write()
        while self._gathered:
            try:
                connection, data, is_last = self._gathered.popleft()
            except IndexError:  # another thread has sent the last
                return
            try:
                # Nobody sees this thread at work, so it must not wait for a client.
                self._begin(connection, data, is_last=is_last, may_wait=False)
            except BaseException:  # noqa: BLE001 - the others have done nothing
                _log.exception("An answer could not be sent.")
                self._lobby.drop(connection)

    def send(self, connection: Connection, data: bytes, *, is_last: bool) -> None:
        """Begin with an answer."""
        self._lines.write()
        self._begin(connection, data, is_last=is_last, may_wait=True)

    def _begin(self, connection: Connection, data: bytes, *, is_last: bool, may_wait: bool) -> None:
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
        if may_wait and self._lobby.held_bytes() + len(data) > _HELD_BYTES_MAX:
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
        connection.deadline = _now() + _TIMEOUT_S
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
