"""One line per request, written without the cost of log processors."""

from __future__ import annotations

import logging
import os
import threading
import time
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from carboy.crate.access_line import NAME, line_of
from carboy.crate.access_record import AccessRecord
from carboy.crate.exchange import Exchange, decoded
from carboy.logs import NO_ID, Lines, Shortcut, write_line

_US_PER_MS: Final = 1000
_REMEMBERED_MAX: Final = 1024
_REMEMBERED_LENGTH_MAX: Final = 512


class AccessLog:
    """Writes to the logger ``carboy.access``, through whatever handlers it has."""

    def __init__(self) -> None:
        self._logger: Any = logging.getLogger(NAME)
        self._agents: dict[str, str] = {}
        self._shortcut = Shortcut(self._logger, logging.INFO)
        # All that a record has and that is the same for every request.
        self._constant: dict[str, Any] = {
            **vars(logging.LogRecord(NAME, logging.INFO, __file__, 0, "", None, None, "write")),
        }
        self._born = time.time() - self._constant["relativeCreated"] / 1000

    def write(  # noqa: PLR0913, PLR0917 - what a line says, for every request
        self,
        exchange: Exchange,
        environ: WSGIEnvironment,
        duration_ns: int,
        method: str,
        answer: str,
        lines: Lines | None = None,
    ) -> None:
        """Write the line of a request that was answered.

        :param method: of :func:`about_method`.
        :param answer: of :func:`about_answer`.
        :param lines: where it may wait for others; ``None``: it must not.
        """
        created = time.time()
        duration_us = (duration_ns + 500) // 1000
        agent = environ.get("HTTP_USER_AGENT", "")
        if lines is None:
            descriptor = self._shortcut.descriptor()
        else:
            descriptor = lines.descriptor(self._shortcut)
        if descriptor >= 0:
            line = line_of(
                created,
                duration_us,
                exchange.request_id,
                exchange.trace_id,
                exchange.client,
                method,
                exchange.path,
                answer,
                exchange.bytes_sent,
                self._agents.get(agent) or self._quoted(agent),
            )
            if write_line(descriptor, line) if lines is None else lines.add(descriptor, line):
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
        thread: Any = threading.current_thread()
        record = AccessRecord.__new__(AccessRecord)
        record.__dict__ = {
            **self._constant,
            "created": created,
            "msecs": created % 1 * 1000,
            "relativeCreated": (created - self._born) * 1000,
            "process": os.getpid(),
            "thread": threading.get_ident(),
            "threadName": thread.name,
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
