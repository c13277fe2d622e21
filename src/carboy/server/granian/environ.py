"""granian's description of a request as a WSGI environment."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

# The same limits as with gunicorn; granian's own are a hundred times that.
REQUEST_LINE_BYTES = 8190
FIELD_BYTES = 8190

# Clients choose the names of header fields: remember the usual ones, not all there may be.
_NAMES_MAX = 1000


class HeadTooLong(Exception):
    """A request line or header field is longer than is taken.

    :ivar status: 414 or 431.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Environments:
    """Makes the environment of each request (PEP 3333, "environ Variables").

    :param listens_at: the port's address, as ``getsockname`` gives it.
    :param multiprocess: whether other processes serve the same app.
    """

    def __init__(self, listens_at: tuple[Any, ...], *, multiprocess: bool) -> None:
        self._base: WSGIEnvironment = {
            "SCRIPT_NAME": "",
            "SERVER_NAME": listens_at[0],
            "SERVER_PORT": str(listens_at[1]),
            "SERVER_SOFTWARE": "granian",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multithread": True,
            "wsgi.multiprocess": multiprocess,
            "wsgi.run_once": False,
        }
        self._names: dict[bytes, str] = {
            b"content-type": "CONTENT_TYPE",
            b"content-length": "CONTENT_LENGTH",
        }

    def make(self, scope: dict[str, Any]) -> WSGIEnvironment:
        """Make one, without ``wsgi.input``.

        :param scope: as in the ASGI specification, "HTTP Connection Scope".
        :raises HeadTooLong: for a request that is not taken.
        """
        raw_path = scope["raw_path"]
        query = scope["query_string"]
        if len(raw_path) + len(query) > REQUEST_LINE_BYTES:
            raise HeadTooLong(414)
        path = unquote_to_bytes(raw_path) if b"%" in raw_path else raw_path
        environ = self._base.copy()
        environ["REQUEST_METHOD"] = scope["method"]
        environ["PATH_INFO"] = str(path, "latin-1")
        environ["QUERY_STRING"] = str(query, "latin-1")
        version = scope["http_version"]
        environ["SERVER_PROTOCOL"] = "HTTP/1.1" if version == "1.1" else "HTTP/1.0"
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = scope["client"]
        names = self._names
        for field, value in scope["headers"]:
            name = names.get(field)
            if name is None:
                name = self._name(field)
            if len(value) > FIELD_BYTES:
                raise HeadTooLong(431)
            if name not in environ:
                environ[name] = str(value, "latin-1")
            elif name:
                separator = "; " if name == "HTTP_COOKIE" else ","
                environ[name] += separator + str(value, "latin-1")
        environ.pop("", None)
        # It says nothing beside a transfer coding (RFC 9112, section 6.3).
        if "HTTP_TRANSFER_ENCODING" in environ:
            environ.pop("CONTENT_LENGTH", None)
        return environ

    def _name(self, field: bytes) -> str:
        """Name the variable of a header field; nothing for one that could pass for another.

        ``X_Forwarded_For`` and ``X-Forwarded-For`` would be the same variable, and proxies
        watch over the second only.
        """
        text = field.decode("latin-1")
        name = "" if "_" in text else "HTTP_" + text.upper().replace("-", "_")
        if len(self._names) < _NAMES_MAX:
            self._names[field] = name
        return name
