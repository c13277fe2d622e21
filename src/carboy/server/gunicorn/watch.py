"""Which sockets have something to do: each is named once, and then no more until asked for."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import Protocol

# What is ready, and whether no more than what is there will come.
Ready = tuple[int, bool]


class Watch(Protocol):
    """What several threads may wait for at the same time, and none gets what another has.

    :ivar stays: whether a connection's news go on being named without being asked for.
    """

    stays: bool

    def add(self, fd: int) -> None:
        """Begin to wait until *fd* can be read."""

    def add_connection(self, fd: int) -> None:
        """Begin to wait until something comes on *fd*; once, unless this :attr:`stays`."""

    def expect(self, fd: int) -> None:
        """Wait again until *fd*, which was added, can be read."""

    def expect_on(self, fd: int, *, write: bool = False) -> None:
        """Wait until a connection can be read, or for once until it can be written."""

    def pause(self, fd: int) -> None:
        """Do not name a connection until it is expected again."""

    def forget(self, fd: int) -> None:
        """Wait for *fd* no more; to be called before it is closed."""

    def take(self, most: int, *, wait: bool = True) -> list[Ready]:
        """Name up to *most* that are ready; if none is, wait for one."""

    def close(self) -> None:
        """Let go of what it holds."""


class Epoll:
    """The way of Linux.

    Connections are named whenever something more has come, so that a request that was read
    in one piece costs no system call to be told of the next.

    Source: epoll(7), ``EPOLLONESHOT`` and "Level-triggered and edge-triggered".
    """

    stays = True

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._once = select.EPOLLIN | select.EPOLLONESHOT
        self._news = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
        self._write = select.EPOLLOUT | select.EPOLLONESHOT
        self._ends = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR

    def add(self, fd: int) -> None:
        """Begin to wait until *fd* can be read."""
        self._poll.register(fd, self._once)

    def add_connection(self, fd: int) -> None:
        """Begin to name *fd* whenever something has come."""
        self._poll.register(fd, self._news)

    def expect(self, fd: int) -> None:
        """Wait again until *fd* can be read."""
        self._poll.modify(fd, self._once)

    def expect_on(self, fd: int, *, write: bool = False) -> None:
        """Name *fd* now if anything is there, and from now on; or once, when it can be written."""
        self._poll.modify(fd, self._write if write else self._news)

    def pause(self, fd: int) -> None:
        """Do not name *fd* until it is expected again, unless it breaks."""
        self._poll.modify(fd, select.EPOLLONESHOT)

    def forget(self, fd: int) -> None:
        """Wait for *fd* no more."""
        self._poll.unregister(fd)

    def take(self, most: int, *, wait: bool = True) -> list[Ready]:
        """Name up to *most* that are ready; if none is, wait for one."""
        ends = self._ends
        return [(fd, (event & ends) != 0) for fd, event in self._poll.poll(-1 if wait else 0, most)]

    def close(self) -> None:
        """Let go of what it holds."""
        self._poll.close()


class Poll:
    """The way of every other system: one thread waits, the others wait for it."""

    stays = False

    def __init__(self) -> None:
        self._expected: dict[int, int] = {}
        self._waiting = threading.Lock()
        self._hears, self._bell = os.pipe()
        for end in (self._hears, self._bell):
            os.set_blocking(end, False)

    def add(self, fd: int) -> None:
        """Begin to wait until *fd* can be read."""
        self.expect_on(fd)

    add_connection = add

    def expect(self, fd: int) -> None:
        """Wait again until *fd* can be read."""
        self.expect_on(fd)

    def expect_on(self, fd: int, *, write: bool = False) -> None:
        """Wait once until *fd* can be read, or written."""
        self._expected[fd] = select.POLLOUT if write else select.POLLIN
        with contextlib.suppress(BlockingIOError):  # it rings already
            os.write(self._bell, b".")

    def pause(self, fd: int) -> None:
        """Do not name *fd* until it is expected again: nor is it now."""

    def forget(self, fd: int) -> None:
        """Wait for *fd* no more."""
        self._expected.pop(fd, None)

    def take(self, most: int, *, wait: bool = True) -> list[Ready]:
        """Name up to *most* that are ready; if none is, wait for one."""
        if not self._waiting.acquire(blocking=wait):
            return []
        try:
            poll = select.poll()
            poll.register(self._hears, select.POLLIN)
            for fd, event in self._expected.copy().items():
                poll.register(fd, event)
            ready = [fd for fd, _ in poll.poll(None if wait else 0)]
            if self._hears in ready:
                ready.remove(self._hears)
                os.read(self._hears, 4096)
            return [(fd, False) for fd in ready[:most] if self._expected.pop(fd, None) is not None]
        finally:
            self._waiting.release()

    def close(self) -> None:
        """Let go of what it holds."""
        os.close(self._hears)
        os.close(self._bell)


def made() -> Watch:
    """Make the best one that this system has."""
    return Epoll() if hasattr(select, "epoll") else Poll()
