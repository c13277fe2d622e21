"""Ordinary requests, from bytes to a WSGI environment; what is not ordinary is left alone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from gunicorn.http.wsgi import base_environ  # type: ignore[import-untyped]

from carboy.server.gunicorn.connection import Connection

# No line may be longer than gunicorn allows it: so the whole head may not, which is simpler.
_HEAD_BYTES = 8190
_FIELDS_MAX = 100
_DIGITS_MAX = 18

_START = re.compile(rb"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (/[!\"$-~]*) HTTP/1\.1\r\n")
_TEXT = rb"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?"
# Possessive, so that many spaces cost no more than their number.
_FIELD = re.compile(rb"([A-Za-z0-9-]++):[ \t]*+((?:" + _TEXT + rb")?)[ \t]*+")
_END = b"\r\n\r\n"
# Fields that change how a message is read or answered.
_UNUSUAL = frozenset({
    "EXPECT", "HTTP2-SETTINGS", "PROXY-CONNECTION", "TRAILER", "TRANSFER-ENCODING", "UPGRADE",
})  # fmt: skip
_OWN_NAMES = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}

# Clients send the same fields again and again: each is read once, while there are not too many.
_KNOWN_MAX = 1000
_KNOWN_BYTES = 256
# What must not lie about in memory longer than its request.
_SECRET = frozenset({"HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_PROXY_AUTHORIZATION"})


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
        start = _START.match(data)
        end = data.find(_END, 0, self._head_bytes)
        if start is None or end < start.end() or self._is_blind:
            return None
        fields = data[start.end() : end]
        read = connection.read
        if read is not None and connection.fields == fields:
            environ = read.copy()
        else:
            made = self._made(fields, connection)
            if made is None:
                return None
            environ = made
        method, target = start.groups()
        uri = target.decode("latin-1")
        path, _, query = uri.partition("?")
        environ["REQUEST_METHOD"] = method.decode("latin-1")
        environ["RAW_URI"] = uri
        environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if "%" in path else path
        environ["QUERY_STRING"] = query
        body = data[end + len(_END) :]
        missing = int(environ.get("CONTENT_LENGTH", 0)) - len(body)
        if not missing:
            environ["wsgi.input"] = BytesIO(body)
        elif missing > 0 and begun is not None:
            environ["wsgi.input"] = begun(body, missing)
        else:
            return None
        return environ

    def _made(self, fields: bytes, connection: Connection) -> WSGIEnvironment | None:
        """Begin an environment: with what is always the same, and with the header fields."""
        lines = fields.split(b"\r\n")
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
