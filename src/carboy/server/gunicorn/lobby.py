"""Where clients wait: for their turn, for each other, for the end."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections import deque
from typing import Any, Final

from carboy.server.gunicorn import watch
from carboy.server.gunicorn.connection import Connection
from carboy.server.lifecycle import has_waiting
from carboy.server.pace import Pace

_now: Final = time.monotonic
_log: Final = logging.getLogger("gunicorn.error")

_READ_BYTES: Final = 64 * 1024
_LINGER_S: Final = 2.0
# Streams are sent by a thread that waits for its client: one that takes nothing is cut off.
_STALLED_S = 60


class Lobby:
    """The connections of one worker that are not in the hands of a thread.

    Each connection either waits here or belongs to one thread, which alone may use it and
    brings it back or drops it.

    :param cfg: gunicorn's options.
    :param ports: the listening sockets.
    :param pace: how slowly requests may come.

    :ivar open: all connections, wherever they are.
    """

    def __init__(self, cfg: Any, ports: list[Any], pace: Pace) -> None:
        self.open: set[Connection] = set()
        self._cfg = cfg
        self._keepalive_s: float = cfg.keepalive  # gunicorn looks each option up by three names
        self._pace = pace
        self._watch = watch.made()
        self._stays = self._watch.stays
        self._ports = {port.fileno(): (port, port.getsockname()) for port in ports}
        self._full: set[int] = set()
        self._waiting: dict[int, Connection] = {}
        self._by_fd: dict[int, Connection] = {}
        # Always can be read, and so rings whenever it is expected to.
        self._bell, self._rings = socket.socketpair()
        self._rings.send(b".")
        self._called: deque[Connection] = deque()
        self._door = threading.RLock()  # who is let in may have to be dropped at once
        # Connections that are kept leave room for as many as there are threads.
        self._kept_max: int = cfg.worker_connections - cfg.threads

    def begin(self) -> None:
        """Accept connections."""
        self._watch.add(self._bell.fileno())
        for fd, (port, _) in self._ports.items():
            port.setblocking(False)  # noqa: FBT003 - another worker may be quicker
            self._watch.add(fd)

    def is_crowded(self) -> bool:
        """Whether nobody may stay who has an answer."""
        return len(self.open) > self._kept_max

    def stop_accepting(self, *, first_all: bool) -> None:
        """Leave new connections to others.

        :param first_all: take those that already wait; nobody else may be left to.
        """
        with self._door:  # whoever is on the way in is there
            ports, self._ports = self._ports, {}
            for fd, (port, address) in ports.items():
                while first_all and has_waiting(port) and self._welcome(port, address):
                    pass
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
        now = _now()
        late = [fd for fd, waits in self._waiting.copy().items() if waits.deadline <= now]
        for fd in late:
            connection = self._waiting.pop(fd, None)  # another one, if that was closed meanwhile
            if connection is not None:
                connection.is_overdue = connection.deadline <= now
                self.call(connection)
        self._make_room()

    def begun(self) -> int:
        """Count the connections with a request or an answer under way."""
        waiting = [*self._waiting.copy().values(), *self._called.copy()]
        return len(self.open) - sum(1 for connection in waiting if not connection.is_begun)

    def held_bytes(self) -> int:
        """Add up the answers that clients have taken in part."""
        rests = [connection.rest for connection in self.open.copy()]
        return sum(memoryview(rest.obj).nbytes for rest in rests if rest is not None)

    def enter(self, connection: Connection) -> None:
        """Wait for the first request of a new connection."""
        self.open.add(connection)
        self._by_fd[connection.fd] = connection
        try:
            self._watch.add_connection(connection.fd)
        except (OSError, ValueError) as error:  # the system allows no more
            _log.warning("A connection cannot be watched: %s.", error)
            self.drop(connection)
            return
        self._bring(connection)

    def take(self, most: int, *, wait: bool = True) -> list[Connection]:
        """Give up to *most* connections whose clients have done something.

        :param wait: until one has.
        """
        found = []
        for fd, ends in self._watch.take(most, wait=wait):
            connection = self._waiting.pop(fd, None)
            if connection is not None:
                if ends:
                    connection.has_ended = True
                found.append(connection)
            elif fd == self._bell.fileno():
                found += self._next_called()
            elif fd in self._ports:
                self._accept(fd)
            else:
                found += self._stirred(fd, ends=ends)
        return found

    def rouse(self) -> None:
        """Have a thread that waits in :meth:`take` return."""
        self._watch.expect(self._bell.fileno())

    def call(self, connection: Connection) -> None:
        """Take a connection back until it is its turn, whatever its client does."""
        self._called.append(connection)
        self.rouse()

    def wait(self, connection: Connection, *, write: bool = False) -> None:
        """Take a connection back until its client does something."""
        # The end comes together with the last request, and is no news a second time.
        if write or connection.has_ended or not (connection.is_drained and self._stays):
            connection.is_drained = False
            try:
                self._watch.expect_on(connection.fd, write=write)
            except (OSError, ValueError):
                self.drop(connection)
                return
        self._bring(connection)

    def pause(self, connection: Connection) -> None:
        """Hear nothing of a connection that is read by other means, until it waits again."""
        connection.is_drained = False
        with contextlib.suppress(OSError, ValueError):
            self._watch.pause(connection.fd)

    def keep(self, connection: Connection, *, is_last: bool) -> None:
        """Take a connection back until its next request, unless the answer was its last."""
        if is_last:
            self.linger(connection)
        else:
            connection.deadline = _now() + self._keepalive_s
            self.wait(connection)

    def linger(self, connection: Connection) -> None:
        """Say that no more will be sent, and close when the client has (RFC 9112, section 9.6).

        Closing at once would reset the connection and might take the answer with it.
        """
        connection.lingers = True
        connection.is_overdue = False
        connection.deadline = _now() + _LINGER_S
        try:
            connection.sock.settimeout(0)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client was quicker
            self.drop(connection)
        else:
            self.wait(connection)

    def hear_out(self, connection: Connection) -> None:
        """Look whether a client that is told the end has closed."""
        try:
            # Whoever goes on sending is not heard for longer than others.
            over = connection.deadline <= _now()
            ended = over or not connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            ended = False
        except OSError:
            ended = True
        if ended:
            self.drop(connection)
        else:
            connection.is_drained = False
            self.wait(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection."""
        # Closed already, its number may be another's.
        if connection.sock.fileno() == connection.fd:
            with contextlib.suppress(OSError, ValueError):
                self._watch.forget(connection.fd)
        with self._door:  # behind which another may be getting its number
            if self._by_fd.get(connection.fd) is connection:
                del self._by_fd[connection.fd]
        connection.close()
        self.open.discard(connection)
        if self._full:
            self._make_room()

    def close(self) -> None:
        """Let go of what it holds, when nobody waits any more."""
        self._watch.close()
        self._bell.close()
        self._rings.close()

    def _next_called(self) -> list[Connection]:
        try:
            connection = self._called.popleft()
        except IndexError:  # others were quicker, or the bell rang for something else
            return []
        if self._called:
            self.rouse()
        return [connection]

    def _bring(self, connection: Connection) -> None:
        """Put a connection where other threads find it, which may have it at once."""
        self._waiting[connection.fd] = connection
        if connection.is_stirred:  # what was told before had nobody to go to
            waiting = self._waiting.pop(connection.fd, None)  # another one, perhaps, by now
            if waiting is not None:
                waiting.is_stirred = False
                self.call(waiting)

    def _stirred(self, fd: int, *, ends: bool) -> list[Connection]:
        """Remember that there is news on what a thread has, or had until now."""
        connection = self._by_fd.get(fd)
        if connection is None:
            return []
        if ends:
            connection.has_ended = True
        connection.is_stirred = True
        # Whoever had it may have brought it back before that could be seen, or let go of it:
        # then it is another one, which looks in vain.
        waiting = self._waiting.pop(fd, None)
        return [] if waiting is None else [waiting]

    def _accept(self, fd: int) -> None:
        with self._door:
            if fd not in self._ports:  # closed meanwhile
                return
            self._full.add(fd)  # whatever happens, there will be others
            accepts = self._welcome(*self._ports[fd])
        if accepts:
            self._make_room()

    def _make_room(self) -> None:
        """Accept again where it was left, if there is room."""
        while self._full and len(self.open) < self._cfg.worker_connections:
            with contextlib.suppress(KeyError, OSError):  # another thread did, or it is closed
                self._watch.expect(self._full.pop())

    def _welcome(self, port: Any, address: Any) -> bool:
        """Take one connection, unless another worker was quicker.

        :return: whether there may be more.
        """
        try:
            sock, client = port.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return True
        except OSError as error:  # too many files are open, for one
            _log.warning("A connection cannot be accepted: %s.", error)
            return False
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # tcp(7)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED_S * 1000)
        deadline = _now() + self._pace.timeout_s
        connection = Connection(self._cfg, sock, client, address, deadline)
        self.enter(connection)
        return True
