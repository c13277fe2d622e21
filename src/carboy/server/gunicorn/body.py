"""A body of which the app takes the rest while it comes."""

from __future__ import annotations

import io
from typing import Any

from carboy.server.pace import Pace, Patience

_BUFFER_BYTES = 64 * 1024


class Incoming(io.RawIOBase):
    """What has come of a body, and then what comes.

    Ends where the body should, or earlier where the client does.

    :param sock: the connection's; has a timeout of its own after a read.
    :param held: what has come.
    :param missing: how many bytes have not.
    :param pace: how slowly they may.
    :param waited_s: seconds that the client was waited for already.

    :ivar missing: how many bytes have not come yet.
    """

    def __init__(self, sock: Any, held: bytes, missing: int, pace: Pace, waited_s: float) -> None:
        self._sock = sock
        self._held = memoryview(held)
        self._patience = Patience(pace, len(held), waited_s)
        self.missing = missing

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Take what there is, or wait for more.

        :return: how many bytes; 0 at the end.
        :raises TooSlow: when the client is behind its pace.
        """
        held = self._held
        if held:
            size: int = min(len(held), len(buffer))
            buffer[:size] = held[:size]
            self._held = held[size:]
            return size
        if not self.missing:
            return 0
        self._sock.settimeout(self._patience.left_s())
        with self._patience.waiting():
            size = self._sock.recv_into(memoryview(buffer)[: self.missing])
        self._patience.received(size)
        self.missing -= size
        return size


def buffered(incoming: Incoming) -> io.BufferedReader:
    """Give a body as apps read it."""
    return io.BufferedReader(incoming, _BUFFER_BYTES)
