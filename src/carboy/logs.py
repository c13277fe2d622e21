"""The standard ``logging`` module, set up from settings, with the request's ids on every record.

Nothing here replaces ``logging``: views and libraries log as they always did, and a
project that configured logging itself keeps what it configured.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Protocol, TextIO

import orjson

from carboy.settings import Settings

__all__ = ["SelfWritten", "coloured", "configure", "current_ids", "mark_records", "printable"]

_NONE = "-"
_MARK = "carboy_marks_records"


class Ids(Protocol):
    """What a log record learns about the request it was made in."""

    request_id: str
    trace_id: str


current_ids: ContextVar[Ids | None] = ContextVar("carboy.ids", default=None)
"""The request being answered in this thread or greenlet; the crate sets and resets it."""


class SelfWritten(logging.LogRecord):
    """A record that writes its own line, for the few that are too frequent for processors.

    Handlers of the project's own see an ordinary record: the fields as attributes and
    the text as its message.
    """

    def as_json(self) -> str:
        """Write the record as one JSON object on one line."""
        raise NotImplementedError

    def as_text(self, *, colour: bool) -> str:
        """Write the record for a person."""
        raise NotImplementedError


def mark_records() -> None:
    """Give every log record ``request_id`` and ``trace_id``, ``-`` outside a request.

    Chains the record factory that is in place; calling it again changes nothing.
    """
    former = logging.getLogRecordFactory()
    if getattr(former, _MARK, False):
        return

    def marked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = former(*args, **kwargs)
        ids = current_ids.get()
        record.request_id = ids.request_id if ids else _NONE
        record.trace_id = (ids.trace_id if ids else "") or _NONE
        return record

    setattr(marked, _MARK, True)
    logging.setLogRecordFactory(marked)


def configure(settings: Settings) -> bool:
    """Send log records to standard error, as ``LOG_LEVEL`` and ``LOG_FORMAT`` say.

    Does so only when the root logger has no handler yet: whoever configured logging
    before, or called this before, is left alone. Loggers of ``structlog`` then write
    the same lines.

    :return: whether logging was configured by this call.
    """
    mark_records()
    root = logging.getLogger()
    if root.handlers:
        return False
    handler = logging.StreamHandler()
    handler.setFormatter(make_formatter(settings.LOG_FORMAT, colour=coloured(sys.stderr)))
    root.addHandler(handler)
    root.setLevel(settings.LOG_LEVEL)
    _configure_structlog()
    return True


def make_formatter(log_format: str, *, colour: bool) -> logging.Formatter:
    """Make the formatter of one output.

    :param log_format: ``json`` or ``text``.
    :param colour: whether text carries the colours of a terminal.
    """
    return _JsonFormatter() if log_format == "json" else _TextFormatter(colour=colour)


def coloured(stream: TextIO) -> bool:
    """Tell whether *stream* shows colours: a terminal, unless ``NO_COLOR`` is set.

    Source: https://no-color.org
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def printable(text: str) -> str:
    """Escape whatever could steer a terminal or forge a line.

    That is every character Unicode calls not printable: C0 and C1 controls, escape,
    line and paragraph separators, and the marks that turn the writing direction.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


class _JsonFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        import structlog  # 40 ms that a process without this output need not spend

        self._others = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_pre_chain(),
            processors=[
                _with_ids,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=_strict_json),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record, SelfWritten):
            return record.as_json()
        return self._others.format(record)


class _TextFormatter(logging.Formatter):
    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        import structlog  # 40 ms that a process without this output need not spend

        self._colour = colour
        self._others = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_pre_chain(),
            processors=[
                _with_ids,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False, key="time"),
                _unforgeable,
                # Plain tracebacks: the renderer's own show local variables, thus secrets.
                structlog.dev.ConsoleRenderer(
                    colors=colour,
                    pad_event_to=0,
                    timestamp_key="time",
                    exception_formatter=structlog.dev.plain_traceback,
                ),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record, SelfWritten):
            return record.as_text(colour=self._colour)
        return self._others.format(record)


def _pre_chain() -> list[Any]:
    import structlog

    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
    ]


def _configure_structlog() -> None:
    import structlog

    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _with_ids(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    record = event["_record"]
    for name in ("request_id", "trace_id"):
        value = getattr(record, name, _NONE)
        if value != _NONE:
            event[name] = value
        else:
            event.pop(name, None)
    return event


def _unforgeable(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Escape controls; a message may have several lines, which are indented as its own."""
    for name, value in event.items():
        if isinstance(value, str) and name != "exception":
            event[name] = "\n    ".join(printable(line) for line in value.split("\n"))
    return event


def _strict_json(event: Mapping[str, Any], **_options: Any) -> str:
    """Write *event* in ASCII, on one line; what JSON cannot hold becomes its ``repr``."""
    options = orjson.OPT_NON_STR_KEYS
    try:
        line = orjson.dumps(event, default=repr, option=options)
    except TypeError:  # a lone surrogate, a number beyond 64 bits, a cycle
        held = {str(name): str(value) for name, value in event.items()}
        line = orjson.dumps(
            {
                name.encode("utf-8", "backslashreplace").decode(): value.encode(
                    "utf-8", "backslashreplace"
                ).decode()
                for name, value in held.items()
            }
        )
    return line.decode() if line.isascii() else json.dumps(orjson.loads(line))
