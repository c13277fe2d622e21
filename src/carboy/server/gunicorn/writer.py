"""Whole answers as bytes: the same that gunicorn writes, at once."""

from __future__ import annotations

import re
import time
from typing import Any, Final

from gunicorn.http.wsgi import SERVER  # type: ignore[import-untyped]
from gunicorn.util import hop_headers, http_date  # type: ignore[import-untyped]

Header = tuple[str, str]
REQUEST_ID: Final = "X-Request-ID"

# What has a body, and a length: 204 and 304 have neither, or not the one that they name.
_STATUS: Final = re.compile(r"(?!204|304)[2-5]\d\d [ -~]+")
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
_VALUE: Final = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")

_LENGTH: Final = "Content-Length"
_NOT_HERE: Final = {*hop_headers, _LENGTH.lower()}
# What must not lie about in memory longer than its answer; and what is another one each time.
_NOT_KEPT: Final = frozenset({"authorization", "set-cookie", "x-request-id"})

# Most headers are the same in every answer: each is written once, while there are not too many.
_KNOWN_MAX: Final = 1000
_KNOWN_CHARACTERS: Final = 512

Run = tuple[Header, ...]
"""Headers that are the same object in many answers."""


class Writer:
    """Writes whole answers as gunicorn would: the same bytes, at once."""

    def __init__(self) -> None:
        # By identity, which tells more quickly than what is in them, and is nobody else's
        # while they are held here.
        self._runs: dict[int, tuple[Run, bytes]] = {}
        self._known: dict[Any, bytes] = {}
        self._once: set[Any] = set()
        self._names: dict[Any, tuple[bytes, bool]] = {}
        self._lengths: dict[int, tuple[Header, bytes]] = {}
        self._starts: dict[Any, bytes] = {}
        self._second = 0

    def written(  # noqa: PLR0913 - the parts of an answer
        self,
        status: Any,
        headers: Any,
        body: Any,
        *,
        is_last: bool,
        before: Run = (),
        request_id: str | None = None,
        behind: Run = (),
    ) -> bytes | None:
        """Write an answer whose headers announce just the length of *body*.

        :param before: more headers, as for :meth:`Reply.in_parts`; so are those that follow.
        :return: ``None`` for one that is not ordinary: gunicorn may write or refuse it.

        Source: RFC 9112, sections 4 (status line), 5 (field syntax) and 9.6 (tear-down).
        """
        start = self._start(status, is_last)
        if start is None or type(body) is not bytes or type(headers) is not list:
            return None
        size = len(body)
        length, length_line = self._lengths.get(size) or self._length(size)
        lines: list[bytes] = [start]
        given: list[Any] = headers
        known, lengths = self._known, 0
        try:
            for header in given:
                line = known.get(header)
                if line is None:
                    if header == length:
                        line, lengths = length_line, lengths + 1
                    else:
                        line = self._line(header)
                        if line is None:
                            return None
                lines.append(line)
            if before or request_id is not None or behind:
                first, last = self._run(before), self._run(behind)
                line = b"" if request_id is None else self._identified(request_id)
                if first is None or line is None or last is None:
                    return None
                lines += (first, line, last)
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

    def _identified(self, request_id: str) -> bytes | None:
        """Write the request's id, which mostly is one of the crate's own."""
        if request_id.isalnum():
            return b"X-Request-ID: " + request_id.encode("ascii") + b"\r\n"
        return self._line((REQUEST_ID, request_id))

    def _run(self, headers: Run) -> bytes | None:
        """Write headers that come together; once, unless there are too many."""
        known = self._runs.get(id(headers))
        if known is not None:
            return known[1]
        lines: list[bytes] = []
        for header in headers:
            line = self._line(header)
            if line is None:
                return None
            lines.append(line)
        data = b"".join(lines)
        if len(self._runs) >= _KNOWN_MAX:
            self._runs.clear()
        self._runs[id(headers)] = headers, data
        return data

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
