"""Where records go, and from which level on."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from carboy.importing import when_imported
from carboy.logs.development import leave_out_requests_of_werkzeug
from carboy.logs.formats import make_formatter
from carboy.logs.handler import Output
from carboy.logs.records import mark_records
from carboy.settings import Settings

_FAMILY = "carboy"
_SERVER = "gunicorn.error"


def configure(settings: Settings) -> bool:
    """Send log records to standard error, as ``LOG_LEVEL`` and ``LOG_FORMAT`` say.

    Does so only when the root logger has no handler yet: whoever configured logging
    before, or called this before, is left alone. Loggers of ``structlog`` and Python's
    warnings then write the same lines, and the development server leaves its lines
    about requests to the access log.

    :return: whether logging was configured by this call.
    """
    mark_records()
    root = logging.getLogger()
    if root.handlers:
        return False
    handler = Output()
    handler.setFormatter(make_formatter(settings.LOG_FORMAT, colour=coloured(sys.stderr)))
    root.addHandler(handler)
    root.setLevel(settings.LOG_LEVEL)
    logging.captureWarnings(capture=True)
    if settings.ACCESS_LOG:
        leave_out_requests_of_werkzeug()
    # It takes a third of the time to the first answer, and most projects never import it.
    when_imported("structlog", _configure_structlog)
    return True


def enable_again() -> None:
    """Undo what ``logging.config`` did to the loggers of this package and of its server.

    ``dictConfig`` and ``fileConfig`` disable, by default and without a word, every logger
    that exists and is not named to them. A single logger that somebody disabled stays so.
    """
    if not logging.getLogger(_FAMILY).disabled:
        return
    for name in list(logging.root.manager.loggerDict):
        if name in (_FAMILY, _SERVER) or name.startswith(f"{_FAMILY}."):
            logging.getLogger(name).disabled = False


def coloured(stream: TextIO) -> bool:
    """Tell whether *stream* shows colours: a terminal, unless ``NO_COLOR`` is set.

    Source: https://no-color.org
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


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
