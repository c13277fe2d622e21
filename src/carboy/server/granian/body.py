"""Bodies: collected while no thread waits, or read by the app as they come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

from carboy.server.arrival import HELD_BYTES_MAX
from carboy.server.granian.promises import PENDING, wait_for, when_given
from carboy.server.pace import Pace


class BrokenOff(Exception):
    """The body is malformed, or the client has gone in the middle of it."""


class TooSlow(TimeoutError):
    """The client did not keep pace."""


class Arrival:
    """One body on its way in. Threads come by when something of it has come.

    Handed over when it is complete, longer than ``HELD_BYTES_MAX``, broken off or too slow;
    in the latter cases the app is told when it reads that far, and refuses in its envelope.

    :param receive: ASGI's ``receive`` of the request.
    :param length: as the head announces it; ``None``: in chunks.
    :param pace: how slowly it may come.
    :param hand_over: called once, with the ``wsgi.input``.
    """

    def __init__(
        self,
        receive: Callable[[], Any],
        length: int | None,
        pace: Pace,
        hand_over: Callable[[Any], object],
    ) -> None:
        self._receive = receive
        self._length = length
        self._pace = pace
        self._hand_over = hand_over
        self._began = time.monotonic()
        self._parts: list[bytes] = []
        self._held = 0
        self._promise: Any = None
        self._mine = threading.Lock()  # taken for good by who hands over

    def proceed(self, message: dict[str, Any] | None = None) -> None:
        """Take what has come, until more has to be waited for."""
        while True:
            if message is not None and self._take(message):
                return
            promise = self._promise = self._receive()
            message = when_given(promise, self.proceed)
            if message is PENDING:
                return

    def is_late(self, now: float) -> bool:
        """Whether the client is behind its pace."""
        return now - self._began > self._pace.allowed_s(self._held)

    def cut_off(self) -> None:
        """Wait no longer; the app runs in a thread of its own, this one has others to mind."""
        if not self._mine.acquire(blocking=False):
            return
        promise = self._promise
        if promise is not None:
            promise.cancel()
        body = _Rest(self._parts, TooSlow(f"{self._held} bytes came in the time allowed."))
        threading.Thread(target=self._hand_over, args=(body,)).start()

    def _take(self, message: dict[str, Any]) -> bool:
        """Note one part; tell whether that was all there is to do."""
        if message["type"] == "http.disconnect":
            broken = BrokenOff(f"it broke off after {self._held} bytes")
            return self._finish(_Rest(self._parts, broken))
        part = message["body"]
        self._held += len(part)
        self._parts.append(part)
        if not message["more_body"] or (self._length is not None and self._held >= self._length):
            return self._finish(BytesIO(b"".join(self._parts)))
        if self._held > HELD_BYTES_MAX:
            waited_s = time.monotonic() - self._began
            live = LiveBody(self._receive, self._length, self._pace)
            live.begin(self._parts, waited_s)
            return self._finish(live)
        return False

    def _finish(self, body: Any) -> bool:
        if self._mine.acquire(blocking=False):
            self._hand_over(body)
        return True


class Readable:
    """The methods of ``wsgi.input`` (PEP 3333) over parts that come one by one.

    :param parts: what has come already.
    """

    def __init__(self, parts: list[bytes]) -> None:
        self._buffer = b"".join(parts)

    def _more(self) -> bytes:
        """Wait for the next part; empty at the end."""
        raise NotImplementedError

    def read(self, size: int | None = -1) -> bytes:
        """Read *size* bytes, or all that remain."""
        if size is None or size < 0:
            parts = [self._buffer, *iter(self._more, b"")]
            self._buffer = b""
            return b"".join(parts)
        parts = [self._buffer]
        held = len(self._buffer)
        while held < size and (part := self._more()):
            parts.append(part)
            held += len(part)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]

    def readline(self, size: int | None = -1) -> bytes:
        """Read up to the end of the line, or *size* bytes of it."""
        limit = -1 if size is None or size < 0 else size
        searched = 0
        while (end := self._buffer.find(b"\n", searched) + 1) == 0:
            searched = len(self._buffer)
            if 0 <= limit <= searched or not (part := self._more()):
                end = searched
                break
            self._buffer += part
        if limit >= 0:
            end = min(end, limit)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Read lines until *hint* bytes were read, or to the end."""
        lines: list[bytes] = []
        total = 0
        while line := self.readline():
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Any:
        return iter(self.readline, b"")


class _Rest(Readable):
    """A body of which no more will come, and why."""

    def __init__(self, parts: list[bytes], error: Exception) -> None:
        super().__init__(parts)
        self._error = error

    def _more(self) -> bytes:
        raise self._error


class LiveBody(Readable):
    """A body that is read while it comes; the thread that reads waits for the client.

    :param receive: ASGI's ``receive`` of the request.
    :param length: as the head announces it; ``None``: in chunks.
    :param pace: how slowly it may come; only waiting counts.

    :ivar ended: whether all of it has come.
    """

    def __init__(self, receive: Callable[[], Any], length: int | None, pace: Pace) -> None:
        super().__init__([])
        self._receive = receive
        self._length = length
        self._pace = pace
        self._received = 0
        self._waited_s = 0.0
        self.ended = False

    def begin(self, parts: list[bytes], waited_s: float) -> None:
        """Start with what has come already, which took *waited_s* seconds."""
        self._buffer = b"".join(parts)
        self._received = len(self._buffer)
        self._waited_s = waited_s

    def _more(self) -> bytes:
        part = b""
        while not part and not self.ended:
            message = self._next()
            if message["type"] == "http.disconnect":
                raise BrokenOff(f"it broke off after {self._received} bytes")
            part = message["body"]
            self._received += len(part)
            self.ended = not message["more_body"] or self._received == self._length
        return part

    def _next(self) -> dict[str, Any]:
        left_s = self._pace.allowed_s(self._received) - self._waited_s
        begun = time.monotonic()
        try:
            message: dict[str, Any] = wait_for(self._receive(), left_s)
        except TimeoutError:
            raise TooSlow(f"{self._received} bytes came in the time allowed.") from None
        finally:
            self._waited_s += time.monotonic() - begun
        return message
