"""Answers on their way out: whole ones in one piece, all others by gunicorn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.client import NOT_MODIFIED
from itertools import chain
from typing import Any

from gunicorn.http.wsgi import (  # type: ignore[import-untyped]
    FileWrapper,
    Response,
    _make_early_hints_callback,
)

from carboy.logs import Lines
from carboy.server.gunicorn.connection import Connection
from carboy.server.gunicorn.writer import REQUEST_ID, Header, Run, Writer


class Reply:
    """One answer: the ``start_response`` of the app, and the way of its body.

    :param method: of the request.
    :param cfg: gunicorn's options.
    :param is_last: whether the connection ends with it.
    :param lines: written before the client is waited for.

    :ivar left: what comes behind a whole answer: nothing to be sent, but it may do something.
    """

    __slots__ = (
        "_before",
        "_behind",
        "_cfg",
        "_connection",
        "_headers",
        "_is_done",
        "_lines",
        "_request_id",
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
        # What comes behind them.
        self._before: Run = ()
        self._request_id: str | None = None
        self._behind: Run = ()
        self._response: Any = None
        self._is_done = False
        self.left: Any = ()

    @property
    def is_begun(self) -> bool:
        """Whether any of it may be out."""
        return self._is_done or (self._response is not None and self._response.headers_sent)

    def should_close(self) -> bool:
        """Tell gunicorn's writer whether the connection ends."""
        return self.is_last

    def __call__(
        self, status: Any, headers: Any, exc_info: Any = None, /
    ) -> Callable[[bytes], None]:
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
        self._before, self._request_id, self._behind = (), None, ()
        return self.write

    def in_parts(
        self, status: Any, headers: list[Any], before: Run, request_id: str | None, behind: Run, /
    ) -> Callable[[bytes], None]:
        """Take the headers in parts: the first time they are given.

        :param before: come behind *headers*; the same object in many answers.
        :param request_id: comes next, as ``X-Request-ID``; ``None``: it does not.
        :param behind: come last; the same object in many answers.
        """
        write = self(status, headers)
        self._before, self._request_id, self._behind = before, request_id, behind
        return write

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
        if type(body) is not list and isinstance(body, FileWrapper):
            response = self._at_length()
            response.write_file(body)
        else:
            chunks: Any = ()
            if type(body) is not list:
                chunks = iter(body)
                first = next(chunks, b"")
            else:
                first = body[0] if len(body) == 1 else b"".join(body)
            status = self._status
            if self._response is None and status is not None and self.method != "HEAD":
                # What the app promised has come, or all of it: nothing is left to wait for.
                whole = writer.written(
                    status,
                    self._headers,
                    first,
                    is_last=self.is_last,
                    before=self._before,
                    request_id=self._request_id,
                    behind=self._behind,
                )
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
            headers = self._headers
            if self._before or self._request_id is not None or self._behind:
                named = () if self._request_id is None else ((REQUEST_ID, self._request_id),)
                headers = [*headers, *self._before, *named, *self._behind]
            response.start_response(self._status, headers)
            self._response = response
        return self._response
