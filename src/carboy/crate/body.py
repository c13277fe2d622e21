"""Hold request bodies to their limit, with or without an announced length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from wsgiref.types import WSGIEnvironment

from carboy.errors import BadRequest, ContentTooLarge

_CHUNK_BYTES = 64 * 1024
_DIGITS_MAX = 18


class BodyLimit:
    """Refuses what is too large before the app sees it.

    No ``Connection: close`` goes with the refusal: hop-by-hop headers belong to the
    server, and PEP 3333 has servers treat one from an application as a fatal error.

    :param limit_bytes: largest body taken.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes

    def guard(self, environ: WSGIEnvironment) -> None:
        """Check the announced length, or limit the reading where none was announced.

        :raises BadRequest: when Content-Length is not one number (RFC 9110, section 8.6).
        :raises ContentTooLarge: when it is above the limit.
        """
        length = environ.get("CONTENT_LENGTH")
        if length:
            if not (length.isascii() and length.isdigit()):
                raise BadRequest("The Content-Length header is malformed.")
            # Short texts only: int() of thousands of digits raises, by design of Python.
            if len(length) > _DIGITS_MAX or int(length) > self._limit_bytes:
                raise too_large(self._limit_bytes)
            if "HTTP_TRANSFER_ENCODING" not in environ:
                return
        # HTTP/1 without length or transfer coding has no body (RFC 9112, section 6.3).
        elif "HTTP_TRANSFER_ENCODING" not in environ and environ.get(
            "SERVER_PROTOCOL", ""
        ).startswith("HTTP/1"):
            return
        if environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = LimitedInput(environ["wsgi.input"], self._limit_bytes)


class LimitedInput:
    """A request body that raises when more is read than the limit.

    Never asks the server for more than one byte beyond it.

    :param source: the server's ``wsgi.input``; it must end by itself.
    :param limit_bytes: how much may be read in all.
    """

    def __init__(self, source: Any, limit_bytes: int) -> None:
        self._source = source
        self._limit_bytes = limit_bytes
        self._left = limit_bytes

    def read(self, size: int | None = -1) -> bytes:
        """Read *size* bytes, or all that remain.

        :raises ContentTooLarge: beyond the limit.
        """
        if size is not None and size >= 0:
            return self._counted(self._source.read(self._at_most(size)))
        chunks = list(iter(lambda: self.read(_CHUNK_BYTES), b""))
        return b"".join(chunks)

    def readline(self, size: int | None = -1) -> bytes:
        """Read up to the end of the line, or *size* bytes of it.

        :raises ContentTooLarge: beyond the limit.
        """
        wanted = self._limit_bytes + 1 if size is None or size < 0 else size
        return self._counted(self._source.readline(self._at_most(wanted)))

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Read lines until *hint* bytes were read, or to the end.

        :raises ContentTooLarge: beyond the limit.
        """
        lines: list[bytes] = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _at_most(self, size: int) -> int:
        if self._left < 0:
            raise too_large(self._limit_bytes)
        return min(size, self._left + 1)

    def _counted(self, chunk: bytes) -> bytes:
        self._left -= len(chunk)
        # At the limit, look whether more follows: readers with a limit of their own, such as
        # Werkzeug's, stop here and would take the part for the whole.
        if self._left == 0 and chunk:
            self._left -= len(self._source.read(1))
        if self._left < 0:
            raise too_large(self._limit_bytes)
        return chunk


def too_large(limit_bytes: int) -> ContentTooLarge:
    """Make the refusal of a body above *limit_bytes*."""
    return ContentTooLarge(f"The request body is larger than {limit_bytes} bytes.")
