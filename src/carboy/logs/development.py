"""Lines of ``flask run``: one per request is enough, and a log is no terminal."""

from __future__ import annotations

import logging
import re

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_REQUEST = re.compile(r"\S+ - - \[[^]]*\] \"[^\"]*\" (?:\d{3}|-) \S+", re.DOTALL)


class _WithoutRequests(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the line of a request; take the colours out of every other."""
        text = _ANSI.sub("", record.getMessage())
        if record.levelno == logging.INFO and _REQUEST.fullmatch(text.rstrip()):
            return False
        record.msg, record.args = text, ()
        return True


def leave_out_requests_of_werkzeug() -> None:
    """Keep Werkzeug's development server from repeating what the access log says."""
    logger = logging.getLogger("werkzeug")
    if not any(isinstance(known, _WithoutRequests) for known in logger.filters):
        logger.addFilter(_WithoutRequests())
