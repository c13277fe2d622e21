"""How long a client may take to send a request."""

from __future__ import annotations

import time
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


class PacedUnreader(SocketUnreader):  # type: ignore[misc]
    """gunicorn's reader of a connection, which does not wait for a client for ever.

    Only waiting for the client counts, not the time a request queues for a thread.
    """

    def __init__(self, sock: Any, pace: Pace) -> None:
        super().__init__(sock)
        self._pace = pace
        self._received_bytes = 0
        self._waited_s = 0.0

    def begin(self, data: bytes, waited_s: float) -> None:
        """Start with the next request.

        :param data: what of it has come.
        :param waited_s: seconds that took.
        """
        self.unread(data)
        self._received_bytes = len(data)
        self._waited_s = waited_s

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Wait for more.

        :raises TooSlow: when the client is behind its pace.
        """
        left_s = self._pace.allowed_s(self._received_bytes) - self._waited_s
        begun = time.monotonic()
        usual_s = self.sock.gettimeout()
        allowed_s = left_s if usual_s is None else min(left_s, usual_s)
        self.sock.settimeout(max(allowed_s, _SHORTEST_WAIT_S))
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError:
            raise TooSlow(self._received_bytes) from None
        finally:
            self.sock.settimeout(usual_s)
            self._waited_s += time.monotonic() - begun
        self._received_bytes += len(data)
        return data
