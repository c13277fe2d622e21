"""Which sockets have something to do: each is named once, and then no more until asked for."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import Protocol


class Watch(Protocol):
    """What several threads may wait for at the same time, and none gets what another has."""

    def add(self, fd: int) -> None:
        """Begin to wait until *fd* can be read."""

    def expect(self, fd: int, *, write: bool = False) -> None:
        """Wait again until *fd*, which was added, can be read, or written."""

    def forget(self, fd: int) -> None:
        """Wait for *fd* no more; to be called before it is closed."""

    def take(self, most: int) -> list[int]:
        """Wait, and name up to *most* that are ready."""

    def close(self) -> None:
        """Let go of what it holds."""


class Epoll:
    """The way of Linux.

    Source: epoll(7), ``EPOLLONESHOT``.
    """

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._read = select.EPOLLIN | select.EPOLLONESHOT
        self._write = select.EPOLLOUT | select.EPOLLONESHOT
        self.close = self._poll.close

    def add(self, fd: int) -> None:
        """Begin to wait until *fd* can be read."""
        self._poll.register(fd, self._read)

    def expect(self, fd: int, *, write: bool = False) -> None:
        """Wait again until *fd* can be read, or written."""
        self._poll.modify(fd, self._write if write else self._read)

    def forget(self, fd: int) -> None:
        """Wait for *fd* no more."""
        self._poll.unregister(fd)

    def take(self, most: int) -> list[int]:
        """Wait, and name up to *most* that are ready."""
        return [fd for fd, _ in self._poll.poll(-1, most)]


class Poll:
    """The way of every other system: one thread waits, the others wait for it."""

    def __init__(self) -> None:
        self._expected: dict[int, int] = {}
        self._waiting = threading.Lock()
        self._hears, self._bell = os.pipe()
        for end in (self._hears, self._bell):
            os.set_blocking(end, False)

    def add(self, fd: int) -> None:
        """Begin to wait until *fd* can be read."""
        self.expect(fd)

    def expect(self, fd: int, *, write: bool = False) -> None:
        """Wait again until *fd* can be read, or written."""
        self._expected[fd] = select.POLLOUT if write else select.POLLIN
        with contextlib.suppress(BlockingIOError):  # it rings already
            os.write(self._bell, b".")

    def forget(self, fd: int) -> None:
        """Wait for *fd* no more."""
        self._expected.pop(fd, None)

    def take(self, most: int) -> list[int]:
        """Wait, and name up to *most* that are ready."""
        with self._waiting:
            poll = select.poll()
            poll.register(self._hears, select.POLLIN)
            for fd, event in self._expected.copy().items():
                poll.register(fd, event)
            ready = [fd for fd, _ in poll.poll()]
            if self._hears in ready:
                ready.remove(self._hears)
                os.read(self._hears, 4096)
            return [fd for fd in ready[:most] if self._expected.pop(fd, None) is not None]

    def close(self) -> None:
        """Let go of what it holds."""
        os.close(self._hears)
        os.close(self._bell)


def made() -> Watch:
    """Make the best one that this system has."""
    return Epoll() if hasattr(select, "epoll") else Poll()
