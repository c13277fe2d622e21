"""Where the lines of this package go, and whether one may go there without a record."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import sys
from types import FunctionType
from typing import Any, Final

from carboy.logs.formats import JsonFormatter
from carboy.logs.handler import Output

# What is written to a pipe in one step is never mixed with what others write to it.
LINE_BYTES_MAX: Final[int] = getattr(select, "PIPE_BUF", 512)

_ENCODINGS: Final = frozenset({"utf-8", "UTF-8", "utf8", "ascii", "ASCII", "us-ascii", "US-ASCII"})
_root: Final = logging.root
_Logger: Final = logging.Logger


def _of_logging(function: object) -> object:
    """Give *function*, or what is not it where an agent that traces has replaced it."""
    own = type(function) is FunctionType and (
        function.__code__.co_filename == logging.getLogger.__code__.co_filename
    )
    return function if own and os.linesep == "\n" else object()


_handle: Final = _of_logging(logging.Logger.handle)
_call_handlers: Final = _of_logging(logging.Logger.callHandlers)
_is_enabled_for: Final = _of_logging(logging.Logger.isEnabledFor)


class Shortcut:
    """The way of a finished line of JSON past records, while nobody would notice.

    That is so while :func:`carboy.logs.configure` is all that configured logging: no other
    handler, no filter, no formatter or stream but its own, and lines of this level wanted.
    Asked for every line, so what the project changes counts from the next one on.

    :param logger: whose lines they are; a child of one below the root logger.
    :param level: of the lines.
    """

    __slots__ = ("_handlers", "_level", "_logger", "_number", "_output", "_parent", "_stream")

    def __init__(self, logger: logging.Logger, level: int) -> None:
        # Whatever a project has made of them: flags are often numbers.
        self._logger: Any = logger
        self._parent: Any = logging.getLogger(logger.name.rpartition(".")[0])
        self._level = level
        self._handlers: list[logging.Handler] = []
        self._output: Any = None
        self._stream: Any = None
        self._number: Any = None

    def descriptor(self) -> int:
        """Tell where to write a line, at once and with its end; -1: a record is needed."""
        if _root.handlers != self._handlers:
            self._look()
        logger, parent, output = self._logger, self._parent, self._output
        stream: Any = None if output is None else output.stream
        standard: Any = sys.__stderr__
        if (
            output is None
            or output.filters
            or output.level > self._level
            or type(output.formatter) is not JsonFormatter
            or stream is not standard
            or logger.handlers
            or logger.filters
            or parent.handlers
            or not logger.propagate
            or not parent.propagate
            or _Logger.handle is not _handle
            or _Logger.callHandlers is not _call_handlers
            or _Logger.isEnabledFor is not _is_enabled_for
            or logger.disabled
            or not (
                logger._cache.get(self._level)  # noqa: SLF001
                or logger.isEnabledFor(self._level)
            )
        ):
            return -1
        try:
            if stream is not self._stream:
                # Below its layers of buffers, if any, which take longer to say the same.
                below = getattr(stream, "buffer", stream)
                self._number = getattr(below, "raw", below).fileno
                self._stream = stream
            descriptor: int = self._number()
        except (AttributeError, OSError, ValueError):  # there is none, or it was closed
            return -1
        return descriptor

    def _look(self) -> None:
        """See who handles records, since that has changed."""
        self._handlers = _root.handlers.copy()
        output: Any = self._handlers[0] if len(self._handlers) == 1 else None
        plain = getattr(sys.__stderr__, "encoding", None) in _ENCODINGS
        ours = type(output) is Output and type(self._logger) is _Logger and plain
        self._output = output if ours else None


def write_line(descriptor: int, line: str) -> bool:
    """Write *line* in one step, so that lines of threads and processes never mix.

    :param descriptor: of a :class:`Shortcut`.
    :param line: ASCII, with its end.
    :return: whether it was written; a record tells better why it could not be.
    """
    return len(line) <= LINE_BYTES_MAX and not left_of(descriptor, line)


def left_of(descriptor: int, text: str) -> str:
    """Write *text*, in one step where the system takes it.

    :param text: ASCII, whole lines.
    :return: the lines of which nothing could be written. One that is half out is not among them:
        a second one helps nobody.
    """
    data = text.encode("ascii")
    done = 0
    with contextlib.suppress(OSError):
        while done < len(data):
            written = os.write(descriptor, data[done:])
            if not written:
                break
            done += written
    if done in (0, len(data)):
        return "" if done else text
    return text[text.find("\n", done - 1) + 1 :]
