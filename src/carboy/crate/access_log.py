"""One line per request, written without the cost of log processors."""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from wsgiref.types import WSGIEnvironment

from carboy.crate.exchange import Exchange, decoded
from carboy.logs import NO_ID, SelfWritten, Shortcut, printable, write_line

_NAME = "carboy.access"
_COLOURS = {1: "36", 2: "32", 3: "36", 4: "33", 5: "31"}
_US_PER_MS = 1000
_REMEMBERED_MAX = 1024
_REMEMBERED_LENGTH_MAX = 512
_THOUSANDTHS = tuple(f"{number:03d}" for number in range(1000))  # formatting one costs more


class AccessRecord(SelfWritten):
    """The log record of one request; its fields are attributes, as with ``extra``.

    The query string is not among them: tokens and personal data travel in it.
    """

    request_id: str
    trace_id: str
    client: str
    method: str
    path: str
    route: str
    status: int
    duration_ms: float
    bytes: int
    user_agent: str

    def getMessage(self) -> str:  # noqa: N802 - the name of the standard library
        """Give the text for handlers that format by themselves."""
        return (
            f"{printable(self.method)} {printable(self.path)} {self.status} "
            f"{self.duration_ms:.1f} ms {self.bytes} B {printable(self.client) or '-'}"
        )

    def as_json(self) -> str:
        """Write the fields; text of the caller is quoted, so nothing can break out."""
        line = _line(
            self.created,
            round(self.duration_ms * _US_PER_MS),
            self,
            self.trace_id if self.trace_id != NO_ID else "",
            about_method(self.method),
            about_answer(self.route, self.status),
            self.bytes,
            quoted(self.user_agent),
        )
        return line.removesuffix("\n")

    def as_text(self, *, colour: bool) -> str:
        """Write the line for a person: when, what, how it went, how long, who."""
        status = str(self.status)
        if colour:
            status = f"\x1b[{_COLOURS.get(self.status // 100, '31')}m{status}\x1b[0m"
        trace = f" trace {self.trace_id}" if self.trace_id != NO_ID else ""
        return (
            f"{_local_second(int(self.created))} {status} {printable(self.method)} "
            f"{printable(self.path)} {self.duration_ms:.1f} ms {self.bytes} B "
            f"from {printable(self.client) or '-'} by {printable(self.route) or '-'} "
            f"[{self.request_id}{trace}] {printable(self.user_agent)}".rstrip()
        )


class AccessLog:
    """Writes to the logger ``carboy.access``, through whatever handlers it has."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(_NAME)
        self._agents: dict[str, str] = {}
        self._shortcut = Shortcut(self._logger, logging.INFO)
        # All that a record has and that is the same for every request.
        self._constant: dict[str, Any] = {
            **vars(logging.LogRecord(_NAME, logging.INFO, __file__, 0, "", None, None, "write")),
        }
        self._born = time.time() - self._constant["relativeCreated"] / 1000

    def write(
        self,
        exchange: Exchange,
        environ: WSGIEnvironment,
        duration_ns: int,
        method: str,
        answer: str,
    ) -> None:
        """Write the line of a request that was answered.

        :param method: of :func:`about_method`.
        :param answer: of :func:`about_answer`.
        """
        created = time.time()
        duration_us = (duration_ns + 500) // 1000
        agent = environ.get("HTTP_USER_AGENT", "")
        descriptor = self._shortcut.descriptor()
        if descriptor >= 0:
            line = _line(
                created,
                duration_us,
                exchange,
                exchange.trace_id,
                method,
                answer,
                exchange.bytes_sent,
                self._agents.get(agent) or self._quoted(agent),
            )
            if write_line(descriptor, line):
                return
        elif not self._logger.isEnabledFor(logging.INFO):
            return
        self._logger.handle(self._record(exchange, created, duration_us, agent))

    def _quoted(self, agent: str) -> str:
        """Quote the name of a client; most come again."""
        made = quoted(_text(agent))
        if len(agent) <= _REMEMBERED_LENGTH_MAX and len(self._agents) < _REMEMBERED_MAX:
            self._agents[agent] = made
        return made

    def _record(
        self, exchange: Exchange, created: float, duration_us: int, agent: str
    ) -> AccessRecord:
        """Make the record that handlers and filters of the project's own expect."""
        record = AccessRecord.__new__(AccessRecord)
        record.__dict__ = {
            **self._constant,
            "created": created,
            "msecs": created % 1 * 1000,
            "relativeCreated": (created - self._born) * 1000,
            "process": os.getpid(),
            "thread": threading.get_ident(),
            "threadName": threading.current_thread().name,
            "request_id": exchange.request_id,
            "trace_id": exchange.trace_id or NO_ID,
            "client": exchange.client,
            "method": exchange.method,
            "path": exchange.path,
            "route": exchange.route,
            "status": exchange.status,
            "duration_ms": duration_us / _US_PER_MS,
            "bytes": exchange.bytes_sent,
            "user_agent": _text(agent),
        }
        return record


def _text(sent: str) -> str:
    return sent if sent.isascii() else decoded(sent)


def about_method(method: str) -> str:
    """Write what stands between the client and the path."""
    return f',"method":{quoted(method)},"path":'


def about_answer(route: str, status: int) -> str:
    """Write what stands between the path and the duration."""
    return f',"route":{quoted(route)},"status":{status},"duration_ms":'


# The second whose beginning is written: replaced as a whole by whoever sees that it is over.
_second = (0.0, "")


def _line(  # noqa: PLR0913, PLR0917 - what a line says, for every request
    created: float,
    duration_us: int,
    request: Exchange | AccessRecord,
    trace_id: str,
    method: str,
    answer: str,
    sent: int,
    agent: str,
) -> str:
    second, beginning = _second
    past = created - second
    if not 0.0 <= past < 1.0:
        second, beginning = _began(created)
        past = created - second
    trace = f'"{trace_id}"' if trace_id else "null"
    return (
        f'{beginning}{_THOUSANDTHS[int(past * 1000)]}Z","level":"info","logger":"{_NAME}",'
        f'"event":"request","request_id":"{request.request_id}","trace_id":{trace},'
        f'"client":{quoted(request.client)}{method}{quoted(request.path)}{answer}'
        f"{duration_us // 1000}.{_THOUSANDTHS[duration_us % 1000]},"
        f'"bytes":{sent},"user_agent":{agent}}}\n'
    )


def _began(created: float) -> tuple[float, str]:
    global _second  # noqa: PLW0603 - as said there
    whole = float(int(created))
    _second = whole, time.strftime('{"time":"%Y-%m-%dT%H:%M:%S.', time.gmtime(whole))
    return _second


@functools.lru_cache(maxsize=2)
def _local_second(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
