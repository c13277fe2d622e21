"""Hold request bodies to their limit and to the length they announce."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from wsgiref.types import WSGIEnvironment

from carboy.errors import ApiError, BadRequest, ContentTooLarge, for_status

_log = logging.getLogger("carboy.crate")
_CHUNK_BYTES = 64 * 1024
_DIGITS_MAX = 18
_REQUEST_TIMEOUT = 408

_Wanted = TypeVar("_Wanted")
_Read = TypeVar("_Read")


class BodyLimit:
    """Refuses what is too large before the app sees it.

    No ``Connection: close`` goes with the refusal: hop-by-hop headers belong to the
    server, and PEP 3333 has servers treat one from an application as a fatal error.

    :param limit_bytes: largest body taken.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes

    def guard(self, environ: WSGIEnvironment) -> None:
        """Check the announced length, and watch over the reading of a body.

        :raises BadRequest: when Content-Length is not one number (RFC 9110, section 8.6).
        :raises ContentTooLarge: when it is above the limit.
        """
        length = environ.get("CONTENT_LENGTH")
        if length:
            if not (length.isascii() and length.isdigit()):
                raise BadRequest("The Content-Length header is malformed.")
            # Short texts only: int() of thousands of digits raises, by design of Python.
            if len(length) > _DIGITS_MAX or (announced := int(length)) > self._limit_bytes:
                raise too_large(self._limit_bytes)
            if "HTTP_TRANSFER_ENCODING" not in environ:
                if announced:
                    environ["wsgi.input"] = AnnouncedInput(environ["wsgi.input"], announced)
                return
        # HTTP/1 without length or transfer coding has no body (RFC 9112, section 6.3).
        elif "HTTP_TRANSFER_ENCODING" not in environ:
            protocol = environ.get("SERVER_PROTOCOL", "")
            if protocol == "HTTP/1.1" or protocol.startswith("HTTP/1"):
                return
        if environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = LimitedInput(environ["wsgi.input"], self._limit_bytes)


class _Input(ABC):
    """What the two kinds of body have in common: the methods of PEP 3333.

    :param source: the server's ``wsgi.input``.
    """

    def __init__(self, source: Any) -> None:
        self._source = source

    @abstractmethod
    def read(self, size: int | None = -1) -> bytes:
        """Read *size* bytes, or all that remain.

        :raises ApiError: if the body is not as it should be.
        """

    @abstractmethod
    def readline(self, size: int | None = -1) -> bytes:
        """Read up to the end of the line, or *size* bytes of it.

        :raises ApiError: if the body is not as it should be.
        """

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Read lines until *hint* bytes were read, or to the end.

        :raises ApiError: if the body is not as it should be.
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


class LimitedInput(_Input):
    """A body of unknown length, which raises when more is read than the limit.

    Never asks the server for more than one byte beyond it.

    :param source: the server's ``wsgi.input``; it must end by itself.
    :param limit_bytes: how much may be read in all.
    """

    def __init__(self, source: Any, limit_bytes: int) -> None:
        super().__init__(source)
        self._limit_bytes = limit_bytes
        self._left = limit_bytes

    def read(self, size: int | None = -1) -> bytes:
        """See :meth:`_Input.read`.

        :raises ContentTooLarge: beyond the limit.
        """
        if size is not None and size >= 0:
            return self._counted(_received(self._source.read, self._at_most(size)))
        chunks = list(iter(lambda: self.read(_CHUNK_BYTES), b""))
        return b"".join(chunks)

    def readline(self, size: int | None = -1) -> bytes:
        """See :meth:`_Input.readline`.

        :raises ContentTooLarge: beyond the limit.
        """
        wanted = self._limit_bytes + 1 if size is None or size < 0 else size
        return self._counted(_received(self._source.readline, self._at_most(wanted)))

    def _at_most(self, size: int) -> int:
        if self._left < 0:
            raise too_large(self._limit_bytes)
        return min(size, self._left + 1)

    def _counted(self, chunk: bytes) -> bytes:
        self._left -= len(chunk)
        # At the limit, look whether more follows: readers with a limit of their own, such as
        # Werkzeug's, stop here and would take the part for the whole.
        if self._left == 0 and chunk:
            self._left -= len(_received(self._source.read, 1))
        if self._left < 0:
            raise too_large(self._limit_bytes)
        return chunk


class AnnouncedInput(_Input):
    """A body of a length told beforehand, which raises when it ends before that.

    A part must never pass for the whole: JSON may be complete by chance
    (RFC 9112, section 8).

    :param source: the server's ``wsgi.input``; never asked for more than *length_bytes*.
    :param length_bytes: the announced length.
    """

    def __init__(self, source: Any, length_bytes: int) -> None:
        super().__init__(source)
        self._length_bytes = length_bytes
        self._left = length_bytes

    def read(self, size: int | None = -1) -> bytes:
        """See :meth:`_Input.read`; fewer than *size* bytes only at the end.

        :raises BadRequest: if the body ends too early.
        """
        wanted = self._at_most(size)
        chunk = self._counted(_received(self._source.read, wanted), wanted)
        if len(chunk) == wanted:
            return chunk
        chunks = [chunk]
        while wanted := wanted - len(chunk):
            chunk = self._counted(_received(self._source.read, wanted), wanted)
            chunks.append(chunk)
        return b"".join(chunks)

    def readinto(self, buffer: Any) -> int:
        """Read into *buffer*, as much as there is at once; 0 bytes only at the end.

        Readers such as Werkzeug's copy a large body once less where they find this.

        :raises BadRequest: if the body ends too early.
        """
        wanted = self._at_most(len(buffer))
        into = getattr(self._source, "readinto", None)
        if into is None:
            chunk = self._counted(_received(self._source.read, wanted), wanted)
            buffer[: len(chunk)] = chunk
            return len(chunk)
        size: int = _received(into, memoryview(buffer)[:wanted])
        self._count(size, wanted)
        return size

    def readline(self, size: int | None = -1) -> bytes:
        """See :meth:`_Input.readline`.

        :raises BadRequest: if the body ends too early.
        """
        wanted = self._at_most(size)
        return self._counted(_received(self._source.readline, wanted), wanted)

    def _at_most(self, size: int | None) -> int:
        return self._left if size is None or size < 0 else min(size, self._left)

    def _counted(self, chunk: bytes, wanted: int) -> bytes:
        self._count(len(chunk), wanted)
        return chunk

    def _count(self, size: int, wanted: int) -> None:
        if wanted and not size:
            arrived = self._length_bytes - self._left
            raise BadRequest(
                f"The request body ended after {arrived} of {self._length_bytes} bytes."
            )
        self._left -= size


def too_large(limit_bytes: int) -> ContentTooLarge:
    """Make the refusal of a body above *limit_bytes*."""
    return ContentTooLarge(f"The request body is larger than {limit_bytes} bytes.")


def _received(read: Callable[[_Wanted], _Read], wanted: _Wanted) -> _Read:
    """Read from the server; whatever it raises is about the request, and not our failure.

    Servers have exceptions of their own for a malformed chunk or trailer and a lost
    connection; which ones cannot be known here.
    """
    try:
        return read(wanted)
    except ApiError:
        raise
    except TimeoutError as error:
        _log.info("A request body came too slowly: %s", error)
        raise for_status(
            _REQUEST_TIMEOUT, "The request body came too slowly. Send it again."
        ) from error
    except Exception as error:
        _log.info("A request body could not be read: %s: %s", type(error).__name__, error)
        raise BadRequest("The request body is malformed or incomplete.") from error
