"""Answers on their way out: what the app gives, as granian takes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

from carboy.server.granian.drain import SEND_TIMEOUT_S
from carboy.server.granian.fields import Fields, announced_length
from carboy.server.granian.promises import PENDING, outcome, wait_for, when_given

_log = logging.getLogger("gunicorn.error")

_LAST = (b"connection", b"close")
_STATUS_MIN, _STATUS_MAX = 200, 999
_IN_ONE_PIECE = (list, tuple)
# granian keeps what it was given until the client takes it: so much is given at once.
_PIECE_BYTES = 1024 * 1024

_START = "http.response.start"
_BODY = "http.response.body"


class ClientGone(Exception):
    """Nobody takes the rest of the answer."""


class Reply:
    """One answer: the ``start_response`` of the app, and the way of its body.

    :param protocol: granian's ``send`` and ``receive`` of the request.
    :param body: the request's ``wsgi.input``.
    :param fields: writes the header fields.
    :param is_last: asked whether the connection shall end with this answer.

    :ivar started: whether status and headers are out.
    :ivar rest: a whole body that is left to be sent, because it is large.
    """

    __slots__ = (
        "_body",
        "_fields",
        "_headers",
        "_is_last",
        "_presence",
        "_protocol",
        "_status",
        "rest",
        "started",
    )

    def __init__(
        self, protocol: Any, body: Any, fields: Fields, is_last: Callable[[], bool]
    ) -> None:
        self._protocol = protocol
        self._body = body
        self._fields = fields
        self._is_last = is_last
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._presence: _Presence | None = None
        self.started = False
        self.rest = b""

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], None]:
        """Keep status and headers until the body begins (PEP 3333, "start_response()").

        :raises BaseException: that of *exc_info*, when they are out already.
        """
        if exc_info is not None and self.started:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self._status:
            raise RuntimeError("start_response() was called twice.")
        code = int(status[:3])
        if not _STATUS_MIN <= code <= _STATUS_MAX:
            raise ValueError(f"{status!r} is no status of an answer.")
        self._status = code
        self._headers = headers
        return self.write

    def write(self, data: bytes) -> None:
        """Send *data* at once: the old way of PEP 3333, for apps that need it.

        :raises ClientGone: if nobody takes it.
        """
        if data:
            self._begin()
            self._send(data)

    def carry(self, body: Iterable[bytes]) -> None:
        """Send the body: at once if it is in one piece, else as the app makes it.

        :raises ClientGone: if nobody takes it.
        """
        if isinstance(body, _IN_ONE_PIECE):
            body = (b"".join(body),)
        chunks = iter(body)
        for first in chunks:
            if first:
                break
        else:
            first = b""
        if self.started:
            self._stream(first, chunks)
            return
        head = self._head()
        self.started = True
        send = self._protocol.send
        send(head)
        # What the app promised has come, or all of it: then nothing is left to wait for.
        if first and len(first) != announced_length(self._headers) and not _holds_one(body):
            self._stream(first, chunks)
        elif len(first) > _PIECE_BYTES:
            self.rest = _checked(first)
        else:
            send({"type": _BODY, "body": _checked(first)})

    def _stream(self, first: bytes, chunks: Iterator[bytes]) -> None:
        if first:
            self._send(first)
        for chunk in chunks:
            if chunk:
                self._send(chunk)
        self._protocol.send({"type": _BODY, "body": b""})

    def _begin(self) -> None:
        if not self.started:
            head = self._head()
            self.started = True
            self._protocol.send(head)

    def _send(self, chunk: bytes) -> None:
        """Send a part, and wait while the client has more than enough."""
        presence = self._presence
        if presence is None and getattr(self._body, "ended", type(self._body) is BytesIO):
            presence = self._presence = _Presence(self._protocol)
        if presence is not None and presence.is_gone:
            raise ClientGone
        sent = self._protocol.send({"type": _BODY, "body": _checked(chunk), "more_body": True})
        if outcome(sent) is PENDING:
            try:
                wait_for(sent, SEND_TIMEOUT_S)
            except TimeoutError:
                _log.info("A client took nothing for %d s: cut off.", SEND_TIMEOUT_S)
                raise ClientGone from None

    def _head(self) -> dict[str, Any]:
        if not self._status:
            raise RuntimeError("The app gave a body without calling start_response().")
        fields = self._fields.encoded(self._headers)
        if self._is_last():
            fields.append(_LAST)
        return {"type": _START, "status": self._status, "headers": fields}


class _Presence:
    """Whether the client is still there; granian tells only who has read the whole body."""

    def __init__(self, protocol: Any) -> None:
        self._receive = protocol.receive
        self.is_gone = False
        self._told(None)

    def _told(self, message: dict[str, Any] | None) -> None:
        while message is not PENDING:
            if message is not None and message["type"] == "http.disconnect":
                self.is_gone = True
                return
            message = when_given(self._receive(), self._told)


def _holds_one(body: Iterable[bytes]) -> bool:
    try:
        return len(body) == 1  # type: ignore[arg-type]
    except TypeError:
        return False


def _checked(chunk: bytes) -> bytes:
    """Refuse what granian would take for nothing.

    :raises TypeError: if a chunk is not bytes.
    """
    if type(chunk) is not bytes and not isinstance(chunk, bytes):
        raise TypeError(f"The app gave {type(chunk).__name__} as a part of its body, not bytes.")
    return chunk
