"""How a record is written: JSON for programs, text for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from carboy.logs.escaping import unforgeable, write_traceback
from carboy.logs.records import NO_ID, SelfWritten

# Nobody's extra: they are there already, or another handler's formatter left them.
_OF_EVERY_RECORD = frozenset(
    {*vars(logging.LogRecord("", 0, "", 0, "", (), None)), "message", "asctime"}
)
_OWN_COUNT = len(_OF_EVERY_RECORD)  # with the two ids, and without the two that were left
_OF_STRUCTLOG = frozenset({"_logger", "_name", "_record", "_from_structlog"})
_ALIASES = {"warn": "warning", "exception": "error"}


def make_formatter(log_format: str, *, colour: bool) -> logging.Formatter:
    """Make the formatter of one output.

    :param log_format: ``json`` or ``text``.
    :param colour: whether text carries the colours of a terminal.
    """
    return JsonFormatter() if log_format == "json" else _TextFormatter(colour=colour)


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object on one line."""

    @cached_property
    def _others(self) -> logging.Formatter:
        import structlog  # a third of the time to the first answer, which makes its own lines

        return structlog.stdlib.ProcessorFormatter(
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
        """Write *record*, which may know better how."""
        if type(record) is logging.LogRecord:
            event = plain_event(record)
            if event is not None:
                return _strict_json(event)
        elif isinstance(record, SelfWritten):
            return record.as_json()
        return self._others.format(record)


class _TextFormatter(logging.Formatter):
    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    @cached_property
    def _others(self) -> logging.Formatter:
        import structlog  # a third of the time to the first answer, which makes its own lines

        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_pre_chain(),
            processors=[
                _with_ids,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False, key="time"),
                unforgeable,
                # Plain tracebacks: the renderer's own show local variables, thus secrets.
                structlog.dev.ConsoleRenderer(
                    colors=self._colour,
                    pad_event_to=0,
                    timestamp_key="time",
                    exception_formatter=write_traceback,
                ),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record, SelfWritten):
            return record.as_text(colour=self._colour)
        return self._others.format(record)


def plain_event(record: logging.LogRecord) -> dict[str, Any] | None:
    """Give what the processors make of a record that has nothing for most of them to do.

    :return: ``None`` for one with an exception or a stack, of structlog's own loggers, or made
        before records were marked.
    """
    fields = vars(record)
    if (
        record.exc_info
        or record.stack_info
        or "request_id" not in fields
        or "trace_id" not in fields
        or not fields.keys().isdisjoint(_OF_STRUCTLOG)
    ):
        return None
    event: dict[str, Any] = {
        "event": record.getMessage(),
        "logger": record.name,
        "level": _level(record.levelname),
    }
    if len(fields) > _OWN_COUNT:
        event |= {name: fields[name] for name in fields if name not in _OF_EVERY_RECORD}
    for name in ("request_id", "trace_id"):
        value = fields[name]
        if value != NO_ID:
            event[name] = value
        else:
            event.pop(name, None)
    event["time"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return event


def _level(name: str) -> str:
    lowered = name.lower()
    return _ALIASES.get(lowered, lowered)


def _pre_chain() -> list[Any]:
    import structlog

    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _without_what_others_formatted,
    ]


def _without_what_others_formatted(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop what another handler's formatter left on the record; no ``extra`` may be so named."""
    event.pop("message", None)
    event.pop("asctime", None)
    return event


def _with_ids(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    record = event["_record"]
    for name in ("request_id", "trace_id"):
        value = getattr(record, name, NO_ID)
        if value != NO_ID:
            event[name] = value
        else:
            event.pop(name, None)
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
