"""Answers on their way out: whole ones in one piece, all others by gunicorn."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from http.client import NOT_MODIFIED
from itertools import chain
from typing import Any

from gunicorn.http.wsgi import (  # type: ignore[import-untyped]
    SERVER,
    FileWrapper,
    Response,
    _make_early_hints_callback,
)
from gunicorn.util import hop_headers, http_date  # type: ignore[import-untyped]

from carboy.logs import Lines
from carboy.server.gunicorn.connection import Connection

Header = tuple[str, str]

# What has a body, and a length: 204 and 304 have neither, or not the one that they name.
_STATUS = re.compile(r"(?!204|304)[2-5]\d\d [ -~]+")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")

_LENGTH = "Content-Length"
_NOT_HERE = {*hop_headers, _LENGTH.lower()}
# What must not lie about in memory longer than its answer; and what is another one each time.
_NOT_KEPT = frozenset({"authorization", "set-cookie", "x-request-id"})

# Most headers are the same in every answer: each is written once, while there are not too many.
_KNOWN_MAX = 1000
_KNOWN_CHARACTERS = 512


class Writer:
    """Writes whole answers as gunicorn would: the same bytes, at once."""

    def __init__(self) -> None:
        self._known: dict[Any, bytes] = {}
        self._once: set[Any] = set()
        self._names: dict[Any, tuple[bytes, bool]] = {}
        self._lengths: dict[int, tuple[Header, bytes]] = {}
        self._starts: dict[Any, bytes] = {}
        self._second = 0

    def written(self, status: Any, headers: Any, body: Any, *, is_last: bool) -> bytes | None:
        """Write an answer whose headers announce just the length of *body*.

        :return: ``None`` for one that is not ordinary: gunicorn may write or refuse it.

        Source: RFC 9112, sections 4 (status line), 5 (field syntax) and 9.6 (tear-down).
        """
        start = self._start(status, is_last)
        if start is None or type(body) is not bytes:
            return None
        size = len(body)
        length, length_line = self._lengths.get(size) or self._length(size)
        lines: list[bytes] = [start]
        known, lengths = self._known, 0
        try:
            for header in headers:
                line = known.get(header)
                if line is None:
                    if header == length:
                        line, lengths = length_line, lengths + 1
                    else:
                        line = self._line(header)
                        if line is None:
                            return None
                lines.append(line)
        except (AttributeError, TypeError, ValueError):  # not what PEP 3333 has headers be
            return None
        if lengths != 1:
            return None
        lines += (b"\r\n", body)
        return b"".join(lines)

    def _start(self, status: Any, is_last: bool) -> bytes | None:  # noqa: FBT001 - a part of the key
        second = int(time.time())
        if second != self._second:
            # Whoever reads the old one meanwhile is late by less than a second.
            self._starts = {}
            self._second = second
        key = status, is_last
        start = self._starts.get(key)
        if start is None and isinstance(status, str) and _STATUS.fullmatch(status):
            start = self._starts[key] = (
                f"HTTP/1.1 {status}\r\nServer: {SERVER}\r\nDate: {http_date(second)}\r\n"
                f"Connection: {'close' if is_last else 'keep-alive'}\r\n"
            ).encode("ascii")
        return start

    def _length(self, size: int) -> tuple[Header, bytes]:
        """Give the header that announces a body of *size* bytes, and its line."""
        if len(self._lengths) >= _KNOWN_MAX:
            self._lengths.clear()
        header = _LENGTH, str(size)
        known = self._lengths[size] = header, b"%s: %d\r\n" % (_LENGTH.encode("ascii"), size)
        return known

    def _line(self, header: Any) -> bytes | None:
        name, value = header
        if name == _LENGTH:  # another one than that of the body
            return None
        begun, keeps = self._names.get(name) or self._name(name)
        text: bytes = value.encode("latin-1")
        if not begun or not (text.isalnum() or _VALUE.fullmatch(text)):
            return None
        line = begun + text + b"\r\n"
        if keeps and len(line) <= _KNOWN_CHARACTERS:
            # What comes once, such as a request's id, pushes nothing out.
            once = self._once
            if header in once:
                if len(self._known) >= _KNOWN_MAX:
                    self._known.clear()
                self._known[name, value] = line
            else:
                if len(once) >= _KNOWN_MAX:
                    once.clear()
                once.add(header)
        return line

    def _name(self, name: Any) -> tuple[bytes, bool]:
        """Give how a line with *name* begins, and whether it may be kept.

        Nothing, if the app may not write it.
        """
        if not _NAME.fullmatch(name) or name.lower() in _NOT_HERE:
            return b"", False
        if len(self._names) >= _KNOWN_MAX:
            self._names.clear()
        known = self._names[name] = f"{name}: ".encode("ascii"), name.lower() not in _NOT_KEPT
        return known


class Reply:
    """One answer: the ``start_response`` of the app, and the way of its body.

    :param method: of the request.
    :param cfg: gunicorn's options.
    :param is_last: whether the connection ends with it.
    :param lines: written before the client is waited for.

    :ivar left: what comes behind a whole answer: nothing to be sent, but it may do something.
    """

    __slots__ = (
        "_cfg",
        "_connection",
        "_headers",
        "_is_done",
        "_lines",
        "_response",
        "_status",
        "is_last",
        "left",
        "method",
    )

    version = (1, 1)

    def __init__(
        self, method: str, connection: Connection, cfg: Any, lines: Lines, *, is_last: bool
    ) -> None:
        self.method = method
        self._lines = lines
        self.is_last = is_last
        self._connection = connection
        self._cfg = cfg
        self._status: Any = None
        self._headers: Any = []
        self._response: Any = None
        self._is_done = False
        self.left: Iterable[bytes] = ()

    @property
    def is_begun(self) -> bool:
        """Whether any of it may be out."""
        return self._is_done or (self._response is not None and self._response.headers_sent)

    def should_close(self) -> bool:
        """Tell gunicorn's writer whether the connection ends."""
        return self.is_last

    def start(self, status: Any, headers: Any, exc_info: Any = None, /) -> Callable[[bytes], None]:
        """Keep status and headers until the body begins (PEP 3333, "start_response()").

        What an app gives is taken as it is; gunicorn says what is wrong with it.

        :raises BaseException: that of *exc_info*, when they are out already.
        """
        if exc_info is not None:
            if self.is_begun:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self._status is not None:
            raise RuntimeError("start_response() was called twice.")
        self._status, self._headers = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        """Send *data* at once: the old way of PEP 3333, for apps that need it."""
        if not self._is_done:  # the connection may be another request's
            self._at_length().write(data)

    def hint(self, headers: Iterable[Header]) -> None:
        """Send "103 Early Hints" (RFC 8297), with gunicorn's."""
        if self.is_begun:
            return
        sock = self._connection.sock
        sock.settimeout(None)
        try:
            _make_early_hints_callback(self, sock, Response(self, sock, self._cfg))(headers)
        finally:
            sock.settimeout(0)

    def carry(self, body: Any, writer: Writer) -> bytes | None:
        """Send the body as it comes, unless it is there.

        :return: the whole answer, left to be sent; ``None``: it is sent.
        """
        if isinstance(body, FileWrapper):
            response = self._at_length()
            response.write_file(body)
        else:
            chunks = iter(body if type(body) is not list or len(body) == 1 else (b"".join(body),))
            first = next(chunks, b"")
            status = self._status
            if self._response is None and status is not None and self.method != "HEAD":
                # What the app promised has come, or all of it: nothing is left to wait for.
                whole = writer.written(status, self._headers, first, is_last=self.is_last)
                if whole is not None:
                    self.left = chunks
                    self._is_done = True
                    return whole
            response = self._at_length()
            for chunk in chain((first,), chunks):
                response.write(chunk)
            has_body = self.method != "HEAD" and response.status_code != NOT_MODIFIED
            # Whoever waits for the rest shall not take the next answer for it.
            self.is_last |= has_body and response.sent < (response.response_length or 0)
        response.close()
        self._is_done = True
        self.is_last = response.should_close()
        return None

    def _at_length(self) -> Any:
        """Give gunicorn's writer, which waits for the client."""
        if self._response is None:
            if self._status is None:
                raise RuntimeError("The app gave a body without calling start_response().")
            self._lines.write()
            self._connection.sock.settimeout(None)
            response = Response(self, self._connection.sock, self._cfg)
            response.start_response(self._status, self._headers)
            self._response = response
        return self._response
