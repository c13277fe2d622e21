"""Whole answers as bytes: the same that gunicorn writes, at once."""

from __future__ import annotations

import re
import time
from typing import Any

from gunicorn.http.wsgi import SERVER  # type: ignore[import-untyped]
from gunicorn.util import hop_headers, http_date  # type: ignore[import-untyped]

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

# Headers that whoever adds them has in memory once, such as the crate, come in the same order
# again: from so many on they are taken together, where an answer is written in more pieces.
_RUN_MIN = 3
_PIECES = 8
_LESSONS = 1000


class Run:
    """Headers that came one behind the other, and what is written for them."""

    def __init__(self, headers: list[Any], data: bytes) -> None:
        self.headers = headers
        self.size = len(headers)
        self.data = data


class Writer:
    """Writes whole answers as gunicorn would: the same bytes, at once."""

    def __init__(self) -> None:
        # By the identity of their first, which tells quickly where one may begin.
        self._runs: dict[int, Run] = {}
        self._seen: dict[int, Any] = {}
        self._lessons = _LESSONS
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
        if start is None or type(body) is not bytes or type(headers) is not list:
            return None
        size = len(body)
        length, length_line = self._lengths.get(size) or self._length(size)
        lines: list[bytes] = [start]
        given: list[Any] = headers
        known, runs, lengths, at = self._known, self._runs, 0, 0
        try:
            while at < len(given):
                header = given[at]
                run = runs.get(id(header))
                if run is not None and given[at : at + run.size] == run.headers:
                    lines.append(run.data)
                    at += run.size
                    continue
                line = known.get(header)
                if line is None:
                    if header == length:
                        line, lengths = length_line, lengths + 1
                    else:
                        line = self._line(header)
                        if line is None:
                            return None
                lines.append(line)
                at += 1
        except (AttributeError, TypeError, ValueError):  # not what PEP 3333 has headers be
            return None
        if lengths != 1:
            return None
        if len(lines) > _PIECES and self._lessons > 0:
            self._learn(given)
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

    def _learn(self, headers: list[Any]) -> None:
        """Remember which of *headers* come together, if they came before."""
        self._lessons -= 1
        if len(self._seen) >= _KNOWN_MAX:
            self._seen.clear()
        known, seen, begun = self._known, self._seen, 0
        for at, header in enumerate(headers):
            # What is not known may be a secret, or another one each time.
            is_known = header in known
            if not (is_known and seen.get(id(header)) is header):
                self._remember(headers[begun:at])
                begun = at + 1
            if is_known:
                seen[id(header)] = header
        self._remember(headers[begun:])

    def _remember(self, headers: list[Any]) -> None:
        if len(headers) < _RUN_MIN or len(self._runs) >= _KNOWN_MAX:
            return
        lines = [line for header in headers if (line := self._known.get(header)) is not None]
        if len(lines) == len(headers):  # unless another thread has made room meanwhile
            self._runs[id(headers[0])] = Run(headers, b"".join(lines))

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
                    self._seen.clear()
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
