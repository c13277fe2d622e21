"""One answer on its way out: started once, counted, finished once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol, Self, cast
from wsgiref.types import StartResponse, WSGIEnvironment

from carboy.crate.dressing import Dressing
from carboy.crate.exchange import Exchange
from carboy.crate.health import Reply
from carboy.crate.refusal import status_line
from carboy.logs import current_ids

_get_ids: Final = current_ids.get
_set_ids: Final = current_ids.set
_CLIENT_CLOSED: Final = 499
_FAILED: Final = 500

# What apps say is one of a few lines; taking the number out costs more than knowing it.
_CODES: Final[dict[str, int]] = {}
_CODES_MAX: Final = 128


def _code(status: str) -> int:
    code = int(status[:3])
    if len(_CODES) < _CODES_MAX:
        _CODES[status] = code
    return code


class Surroundings(Protocol):
    """What the crate does for an answer."""

    def refuse(self, error: Exception, environ: WSGIEnvironment) -> Reply:
        """Turn an error into the answer, or raise it when it is to be let through."""
        ...

    def finished(self, exchange: Exchange, environ: WSGIEnvironment) -> None:
        """Count and log the request."""
        ...


class Answer:
    """The ``start_response`` that the app calls, and the body that the server reads.

    The request is counted and logged when the last promised byte has been handed over,
    the body has ended, or the server closes the answer (as it does when the client has
    gone), whichever comes first. The log context lasts until the close.
    """

    _next: Callable[[], Any]
    _write: Callable[[bytes], object]

    __slots__ = (
        "_close",
        "_closed",
        "_crate",
        "_dressing",
        "_environ",
        "_exchange",
        "_finished",
        "_length",
        "_next",
        "_start_response",
        "_write",
        "previous",
    )

    def __init__(
        self,
        crate: Surroundings,
        dressing: Dressing,
        exchange: Exchange,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> None:
        self._crate = crate
        self._dressing = dressing
        self._exchange = exchange
        self._environ = environ
        self._start_response = start_response
        self._close: Callable[[], object] | None = None
        self._closed = self._finished = False
        self._length: Any = None
        # Set back by value: a token is refused where a server closes from elsewhere.
        self.previous = _get_ids()
        _set_ids(exchange)

    def start(
        self, status: Any, headers: Any, exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Complete the headers and pass them on (PEP 3333, "The start_response() Callable").

        What an app gives is taken as it is: the server has its say. One whose ``start_response``
        is of a class with a method ``in_parts`` is told which headers are the same objects in
        many answers.

        :raises BaseException: that of *exc_info*, when the headers are out already.
        """
        code = _CODES.get(status) or _code(status)
        given, before, request_id, behind, length = self._dressing.dress(
            self._environ, self._exchange, code, headers
        )
        start = self._start_response
        # Of the class, since what stands for another has its attributes, and wants to be called.
        has_parts = exc_info is None and getattr(type(start), "in_parts", None) is not None
        if has_parts:
            self._write = cast("Any", start).in_parts(status, given, before, request_id, behind)
        else:
            given += before
            if request_id is not None:
                given.append(("X-Request-ID", request_id))
            given += behind
            if exc_info is None:
                self._write = start(status, given)
            else:
                self._write = start(status, given, exc_info)
        self._exchange.status = code
        self._length = length
        return self.write

    def write(self, data: Any) -> None:
        """Send *data* at once: the old way of PEP 3333, for apps that need it."""
        self._exchange.bytes_sent += len(data)
        self._write(data)

    def carry(self, body: Any) -> Iterable[bytes]:
        """Take the app's body; what the server can send as a file stays what it is."""
        self._close = getattr(body, "close", None)
        wrapper = self._environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            try:
                cast("Any", body).close = self.close
            except AttributeError:
                pass  # written in C: it is read through here, at the speed of any body
            else:
                self._exchange.bytes_sent = self._promised()
                return cast("Iterable[bytes]", body)
        self._next = iter(body).__next__
        return self

    def reply(self, reply: Reply) -> Self:
        """Give an answer of the crate's own."""
        self._respond(reply, None)
        return self

    def fail(self, error: Exception) -> Self:
        """Answer for a request that went wrong before it had a body.

        :raises Exception: the error, when it is to be let through or it is too late.
        """
        try:
            self._respond(self._crate.refuse(error, self._environ), error)
        except BaseException:
            self._break_off()
            raise
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> Any:
        exchange = self._exchange
        try:
            chunk = self._next()
        except StopIteration:
            self._finish()
            raise
        except Exception as error:
            if exchange.bytes_sent:
                exchange.status = _FAILED
                raise
            self.fail(error)
            chunk = self._next()
        exchange.bytes_sent += len(chunk)
        # HEAD announces a length and sends nothing, so only a positive one can be reached.
        if exchange.bytes_sent >= self._promised() > 0:
            self._finish()
        return chunk

    def close(self) -> None:
        """Close the app's body, then end the request; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._close is not None:
                self._close()
        finally:
            self._finish()
            _set_ids(self.previous)

    def _respond(self, reply: Reply, error: Exception | None) -> None:
        status, headers, body = reply
        length = ("Content-Length", str(len(body)))
        # Only to take back headers that were given before; PEP 3333 has it for nothing else.
        again = error is not None and self._exchange.status
        exc_info: Any = (type(error), error, error.__traceback__) if error and again else None
        bodiless = status == 204  # noqa: PLR2004 - No Content
        sent = headers if bodiless else [*headers, length]
        self.start(status_line(status), sent, exc_info)
        silent = bodiless or self._exchange.method == "HEAD"
        self._next = iter(() if silent else (body,)).__next__

    def _promised(self) -> int:
        length = self._length
        return int(length) if length is not None and length.isdecimal() else 0

    def _break_off(self) -> None:
        self._exchange.status = _FAILED
        self.close()

    def _finish(self) -> None:
        if not self._finished:
            self._finished = True
            if not self._exchange.status:
                self._exchange.status = _CLIENT_CLOSED
            self._crate.finished(self._exchange, self._environ)
