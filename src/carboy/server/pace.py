"""How long a client may take to send a request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gunicorn.http.errors import NoMoreData  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]

# A timeout of zero would mean "never wait", with another exception.
_SHORTEST_WAIT_S = 0.001


@dataclass(frozen=True)
class Pace:
    """The slowest pace that is put up with.

    :param timeout_s: seconds every request has to arrive.
    :param bytes_per_s: for so many bytes that came it has one second more.
    """

    timeout_s: float
    bytes_per_s: float

    def allowed_s(self, received_bytes: int) -> float:
        """Give the seconds in which *received_bytes* may have come."""
        return self.timeout_s + received_bytes / self.bytes_per_s


class TooSlow(NoMoreData, TimeoutError):  # type: ignore[misc]
    """The client did not keep pace; gunicorn takes it for one that has gone."""

    def __str__(self) -> str:
        return f"{self.buf} bytes came in the time allowed."


class Patience:
    """How long one client has been waited for, and how much longer it is.

    Only waiting for the client counts, not the time a request queues for a thread.

    :param received_bytes: what of the request has come.
    :param waited_s: seconds that took.
    """

    def __init__(self, pace: Pace, received_bytes: int = 0, waited_s: float = 0.0) -> None:
        self._pace = pace
        self._received_bytes = received_bytes
        self._waited_s = waited_s

    def left_s(self, at_most: float | None = None) -> float:
        """Give the seconds that may still pass; never none, so that what is there is taken."""
        left_s = self._pace.allowed_s(self._received_bytes) - self._waited_s
        return max(left_s if at_most is None else min(left_s, at_most), _SHORTEST_WAIT_S)

    def received(self, size: int) -> None:
        """Take note of further bytes."""
        self._received_bytes += size

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Take the time of the block, in which a socket waits for :meth:`left_s` at most.

        :raises TooSlow: when nothing came.
        """
        begun = time.monotonic()
        try:
            yield
        except TimeoutError:
            raise TooSlow(self._received_bytes) from None
        finally:
            self._waited_s += time.monotonic() - begun


class PacedUnreader(SocketUnreader):  # type: ignore[misc]
    """gunicorn's reader of a connection, which does not wait for a client for ever."""

    def __init__(self, sock: Any, pace: Pace) -> None:
        super().__init__(sock)
        self._pace = pace
        self._patience = Patience(pace)

    def begin(self, data: bytes, waited_s: float) -> None:
        """Start with the next request.

        :param data: what of it has come.
        :param waited_s: seconds that took.
        """
        self.unread(data)
        self._patience = Patience(self._pace, len(data), waited_s)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Wait for more.

        :raises TooSlow: when the client is behind its pace.
        """
        usual_s = self.sock.gettimeout()
        self.sock.settimeout(self._patience.left_s(usual_s))
        try:
            with self._patience.waiting():
                data: bytes = super().chunk(size_hint)
        finally:
            self.sock.settimeout(usual_s)
        self._patience.received(len(data))
        return data
