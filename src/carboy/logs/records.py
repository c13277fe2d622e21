"""What every log record knows: the request it was made in."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Any, Protocol

NO_ID = "-"
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
        record.request_id = ids.request_id if ids else NO_ID
        record.trace_id = (ids.trace_id if ids else "") or NO_ID
        return record

    setattr(marked, _MARK, True)
    logging.setLogRecordFactory(marked)
