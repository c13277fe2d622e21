"""Ordinary requests, from bytes to a WSGI environment; what is not ordinary is left alone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from gunicorn.http.wsgi import base_environ  # type: ignore[import-untyped]

from carboy.server.gunicorn.connection import Connection

# No line may be longer than gunicorn allows it: so the whole head may not, which is simpler.
_HEAD_BYTES: Final = 8190
_FIELDS_MAX: Final = 100
_DIGITS_MAX: Final = 18

_START: Final = re.compile(rb"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (/[!\"$-~]*) HTTP/1\.1")
_TEXT: Final = rb"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?"
# Possessive, so that many spaces cost no more than their number.
_FIELD: Final = re.compile(rb"([A-Za-z0-9-]++):[ \t]*+((?:" + _TEXT + rb")?)[ \t]*+")
_BytesIO: Final = BytesIO
_END: Final = b"\r\n\r\n"
# Fields that change how a message is read or answered.
_UNUSUAL: Final = frozenset({
    "EXPECT", "HTTP2-SETTINGS", "PROXY-CONNECTION", "TRAILER", "TRANSFER-ENCODING", "UPGRADE",
})  # fmt: skip
_OWN_NAMES: Final = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}

# Clients send the same fields again and again: each is read once, while there are not too many.
_KNOWN_MAX: Final = 1000
_KNOWN_BYTES: Final = 256
# What must not lie about in memory longer than its request.
_SECRET: Final = frozenset({"HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_PROXY_AUTHORIZATION"})


# Method, target, path and query.
Line = tuple[str, str, str, str]


class Heads:
    """Reads requests that are ordinary and all there.

    What it gives is what gunicorn's own parser would: the same variables with the same
    values. It never refuses a request, and never guesses: what it does not know in every
    byte is left to gunicorn.

    :param cfg: gunicorn's options.
    :param server: the port's address, as ``getsockname`` gives it.
    """

    def __init__(self, cfg: Any, server: tuple[Any, ...]) -> None:
        self._base: WSGIEnvironment = {
            **base_environ(cfg),
            "wsgi.multithread": True,
            "wsgi.url_scheme": "http",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "SCRIPT_NAME": "",
            # Of each request: here so that no copy has to grow for them.
            **dict.fromkeys(("REQUEST_METHOD", "RAW_URI", "PATH_INFO", "QUERY_STRING")),
            "wsgi.input": None,
            "wsgi.early_hints": None,
        }
        self._known: dict[bytes, tuple[str, str]] = {}
        self._lines: dict[bytes, Line] = {}
        self._once: set[int] = set()
        self._head_bytes = min(_HEAD_BYTES, cfg.limit_request_line or _HEAD_BYTES)
        # It moves the app to another place.
        self._is_blind = bool(os.environ.get("SCRIPT_NAME"))

    def read(
        self,
        data: bytes,
        connection: Connection,
        begun: Callable[[bytes, int], Any] | None = None,
    ) -> WSGIEnvironment | None:
        """Make the environment of the one request that *data* is, or begins.

        :param begun: makes ``wsgi.input`` of a part of the body and the number of bytes that
            are missing; ``None``: the request must be all there.
        :return: ``None`` for anything else than one ordinary request.

        Source: RFC 9112, sections 3 (request line), 5 (field syntax) and 6 (message body);
        PEP 3333, "environ Variables".
        """
        at = data.find(b"\r\n", 0, self._head_bytes)
        if at < 0 or self._is_blind:
            return None
        first = data[:at]
        line = self._lines.get(first) or self._line(first)
        if line is None:
            return None
        at += 2
        read = connection.read
        if read is not None and data.startswith(connection.fields, at):
            at += len(connection.fields)
            environ = read.copy()
        else:
            end = data.find(_END, at, self._head_bytes)
            if end < 0:
                return None
            fields = data[at : end + len(_END)]
            made = self._made(fields, connection)
            if made is None:
                return None
            at += len(fields)
            environ = made
        environ["REQUEST_METHOD"], environ["RAW_URI"] = line[0], line[1]
        environ["PATH_INFO"], environ["QUERY_STRING"] = line[2], line[3]
        body = data[at:]
        length = environ.get("CONTENT_LENGTH")
        missing = (int(length) if length else 0) - len(body)
        if not missing:
            environ["wsgi.input"] = _BytesIO(body)
        elif missing > 0 and begun is not None:
            environ["wsgi.input"] = begun(body, missing)
        else:
            return None
        return environ

    def _line(self, line: bytes) -> Line | None:
        """Take a request line apart; most come again, and are known from then on."""
        found = _START.fullmatch(line)
        if found is None:
            return None
        target = found[2].decode("latin-1")
        path, _, query = target.partition("?")
        if "%" in path:
            path = unquote_to_bytes(path).decode("latin-1")
        made = found[1].decode("latin-1"), target, path, query
        if len(line) <= _KNOWN_BYTES and not query:
            # Queries may have secrets. What comes once, such as a link with one, is not kept,
            # nor pushes anything out.
            once, mark = self._once, hash(line)
            if mark in once:
                if len(self._lines) >= _KNOWN_MAX:
                    self._lines.clear()
                self._lines[line] = made
            else:
                if len(once) >= _KNOWN_MAX:
                    once.clear()
                once.add(mark)
        return made

    def _made(self, fields: bytes, connection: Connection) -> WSGIEnvironment | None:
        """Begin an environment: with what is always the same, and with the header fields."""
        lines = fields[: -len(_END)].split(b"\r\n")
        if len(lines) > _FIELDS_MAX:
            return None
        usual = connection.environ
        if usual is None:
            usual = connection.environ = {
                **self._base,
                "REMOTE_ADDR": connection.client[0],
                "REMOTE_PORT": str(connection.client[1]),
                "gunicorn.socket": connection.sock,
            }
        environ = usual.copy()
        known = self._known
        is_known = True
        for line in lines:
            field = known.get(line)
            if field is None:
                field = self._field(line)
                if field is None:
                    return None
                is_known = False
            if field[0] in environ:
                return None
            environ[field[0]] = field[1]
        # Most clients send the same fields with all requests of a connection. What is known is
        # no secret.
        if is_known:
            connection.read = environ.copy() if connection.fields == fields else None
            connection.fields = fields
        return environ

    def _field(self, line: bytes) -> tuple[str, str] | None:
        """Give the variable of a header field and its value, unless there is more to it."""
        found = _FIELD.fullmatch(line)
        if found is None:
            return None
        name, value = found[1].decode("latin-1").upper(), found[2].decode("latin-1")
        if name in _UNUSUAL:
            return None
        if name == "CONTENT-LENGTH" and not (value.isdecimal() and len(value) <= _DIGITS_MAX):
            return None
        field = _OWN_NAMES.get(name) or "HTTP_" + name.replace("-", "_"), value
        if len(line) <= _KNOWN_BYTES and field[0] not in _SECRET:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[line] = field
        return field
