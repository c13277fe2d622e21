"""Lines that are written together."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections import deque
from threading import Lock
from typing import Final

from carboy.logs.output import LINE_BYTES_MAX, Shortcut, left_of

# What goes to a file does not mix however long it is; no more than this is put together.
_FILE_BYTES_MAX: Final = 1 << 16


class Lines:
    """Finished lines that wait for those behind them, since each write costs as much as a line.

    Whoever lets lines wait here calls :meth:`write` before the answer that they tell of is
    sent, so that no answer is without its line, whatever happens to the process.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, str]] = deque()
        self._descriptor = -1
        self._writing = Lock()

    def descriptor(self, shortcut: Shortcut) -> int:
        """Tell where to write a line; with those that wait, if any does.

        So whatever changes how lines are written counts from the next ones on.

        :return: see :meth:`Shortcut.descriptor`.
        """
        if self._waiting:
            return self._descriptor
        self._descriptor = found = shortcut.descriptor()
        return found

    def add(self, descriptor: int, line: str) -> bool:
        """Have *line* wait.

        :param descriptor: of :meth:`descriptor`.
        :param line: ASCII, with its end.
        :return: whether it will be written; if it is too long for one step, it will not.
        """
        if len(line) > LINE_BYTES_MAX:
            return False
        self._waiting.append((descriptor, line))
        return True

    def write(self) -> None:
        """Write what waits, whole lines in each step; several threads may.

        Steps are no larger than a pipe takes whole, unless the lines go to a file.

        Behind it everything is written that was added before, by whatever thread.
        """
        with self._writing:
            waiting = self._waiting
            part: list[str] = []
            target = room = 0
            of_file = False
            while waiting:
                descriptor, line = waiting.popleft()
                if part and descriptor == target and room < len(line) and not of_file:
                    of_file = _is_file(target)
                    room += _FILE_BYTES_MAX - LINE_BYTES_MAX if of_file else 0
                if part and (descriptor != target or room < len(line)):
                    _write(target, part)
                    part = []
                if not part:
                    target, room, of_file = descriptor, LINE_BYTES_MAX, False
                part.append(line)
                room -= len(line)
            if part:
                _write(target, part)


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _write(descriptor: int, lines: list[str]) -> None:
    """Write *lines*; what the descriptor does not take the stream keeps, as of a full pipe."""
    left = left_of(descriptor, "".join(lines))
    while left:
        line, end, left = left.partition("\n")
        if left_of(descriptor, f"{line}{end}") and sys.__stderr__ is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.__stderr__.write(f"{line}{end}")
                sys.__stderr__.flush()
