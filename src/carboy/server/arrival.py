"""A request on its way in: what of it has come, and whether that is all a thread needs."""

from __future__ import annotations

import re

# Of a head, and again of a body: what nginx holds in memory, roughly. A worker accepts a
# thousand connections, so slow clients can make it hold 64 MiB.
HELD_BYTES_MAX = 32 * 1024

_FRAMING = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE
)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
_CHUNK_LINE_BEGUN = re.compile(rb"[0-9A-Fa-f]{0,16}[ \t]*(?:;[^\r\n]*)?\r?")
_DIGITS_MAX = 18
_CRLF = b"\r\n"
_END = b"\r\n\r\n"


class Arrival:
    """The bytes of one request so far, and since when they have been coming.

    Looks at the framing only to tell when to hand the request over; the server's parser
    judges all of it again. What looks malformed, is longer than ``HELD_BYTES_MAX``, or
    waits for "100 Continue" is handed over as it is.

    :param now: of :func:`time.monotonic`.
    :param data: what a former request on the connection left.

    Source: RFC 9112, section 6 (message body) and section 7.1 (chunked).
    """

    def __init__(self, now: float, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.began = now
        self._searched = 0
        self._body_at = 0
        self._length = 0
        self._chunk_at = -1

    def add(self, data: bytes, now: float) -> None:
        """Take further bytes; the time runs from the first of them."""
        if not self.data:
            self.began = now
        self.data += data

    def has_head(self) -> bool:
        """Whether request line and header fields are complete."""
        if not self._body_at:
            end = self.data.find(_END, max(0, self._searched - len(_END) + 1))
            if end >= 0:
                self._read_framing(end)
        return self._body_at > 0

    def is_ready(self) -> bool:
        """Whether a thread will not have to wait for the client, or has to say why not."""
        if not self.has_head():
            odd = _BARE_LF.search(self.data, self._searched) is not None
            self._searched = len(self.data)
            return odd or self._searched >= HELD_BYTES_MAX
        if len(self.data) - self._body_at >= HELD_BYTES_MAX:
            return True
        if self._chunk_at >= 0:
            return self._chunks_are_ready()
        return len(self.data) >= self._body_at + self._length

    def _read_framing(self, end: int) -> None:
        self._body_at = end + len(_END)
        fields = {
            field[1].lower(): field[2].strip() for field in _FRAMING.finditer(self.data, 0, end)
        }
        if b"expect" in fields:
            return
        if b"transfer-encoding" in fields:
            self._chunk_at = self._body_at
            return
        length = fields.get(b"content-length", b"")
        if length.isdigit() and len(length) <= _DIGITS_MAX:
            self._length = int(length)

    def _chunks_are_ready(self) -> bool:
        data = self.data
        while line := _CHUNK_LINE.match(data, self._chunk_at):
            size = int(line[1], 16)
            end = line.end() + size
            if size == 0:
                trailers = line.end() - len(_CRLF)
                return data.find(_END, trailers) >= 0 or bool(_BARE_LF.search(data, trailers))
            if len(data) < end + len(_CRLF):
                return False
            if data[end : end + len(_CRLF)] != _CRLF:
                return True
            self._chunk_at = end + len(_CRLF)
        return _CHUNK_LINE_BEGUN.fullmatch(data, self._chunk_at) is None
