"""Large answers that are there already: sent as the client takes them, by no thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from carboy.server.granian.promises import PENDING, when_given

# A client that takes nothing for so long is taken for one that has gone.
SEND_TIMEOUT_S = 60.0
_PART_BYTES = 128 * 1024


class Drain:
    """One such answer. Threads come by when the client has taken something.

    :param send: ASGI's ``send``; the head is out.
    :param data: the body.
    :param ended: called when it is sent, or given up.
    """

    def __init__(
        self, send: Callable[[dict[str, Any]], Any], data: bytes, ended: Callable[[Drain], object]
    ) -> None:
        self._send = send
        self._left = memoryview(data)
        self._ended = ended
        self._moved = time.monotonic()

    def proceed(self, _taken: object = None) -> None:
        """Send parts until the client has more than enough."""
        self._moved = time.monotonic()
        while len(self._left):
            part = bytes(self._left[:_PART_BYTES])
            self._left = self._left[_PART_BYTES:]
            sent = self._send({"type": "http.response.body", "body": part, "more_body": True})
            if when_given(sent, self.proceed) is PENDING:
                return
        self._send({"type": "http.response.body", "body": b""})
        self._ended(self)

    def is_late(self, now: float) -> bool:
        """Whether the client has long taken nothing."""
        return now - self._moved > SEND_TIMEOUT_S

    def cut_off(self) -> None:
        """Give the answer up; the client sees that it is not whole."""
        self._ended(self)
