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
from carboy.logs import SelfWritten, printable

_NAME = "carboy.access"
_COLOURS = {1: "36", 2: "32", 3: "36", 4: "33", 5: "31"}
_NS_PER_MS = 1_000_000


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
        trace_id = f'"{self.trace_id}"' if self.trace_id != "-" else "null"
        return (
            f'{{"time":"{_utc_second(int(self.created))}.{int(self.msecs):03d}Z",'
            f'"level":"info","logger":"{_NAME}","event":"request",'
            f'"request_id":"{self.request_id}","trace_id":{trace_id},'
            f'"client":{quoted(self.client)},"method":{quoted(self.method)},'
            f'"path":{quoted(self.path)},"route":{quoted(self.route)},'
            f'"status":{self.status},"duration_ms":{self.duration_ms:.3f},'
            f'"bytes":{self.bytes},"user_agent":{quoted(self.user_agent)}}}'
        )

    def as_text(self, *, colour: bool) -> str:
        """Write the line for a person: when, what, how it went, how long, who."""
        status = str(self.status)
        if colour:
            status = f"\x1b[{_COLOURS.get(self.status // 100, '31')}m{status}\x1b[0m"
        trace = f" trace {self.trace_id}" if self.trace_id != "-" else ""
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
        # All that a record has and that is the same for every request.
        self._constant: dict[str, Any] = {
            **vars(logging.LogRecord(_NAME, logging.INFO, __file__, 0, "", None, None, "write")),
        }
        self._born = time.time() - self._constant["relativeCreated"] / 1000

    def write(self, exchange: Exchange, environ: WSGIEnvironment, duration_ns: int) -> None:
        """Write the line of a request that was answered."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        created = time.time()
        agent = environ.get("HTTP_USER_AGENT", "")
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
            "trace_id": exchange.trace_id or "-",
            "client": exchange.client,
            "method": exchange.method,
            "path": exchange.path,
            "route": exchange.route,
            "status": exchange.status,
            "duration_ms": round(duration_ns / _NS_PER_MS, 3),
            "bytes": exchange.bytes_sent,
            "user_agent": agent if agent.isascii() else decoded(agent),
        }
        self._logger.handle(record)


@functools.lru_cache(maxsize=2)
def _utc_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


@functools.lru_cache(maxsize=2)
def _local_second(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))
