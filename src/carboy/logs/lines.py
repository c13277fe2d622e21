"""Lines that are written together."""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from threading import Lock

from carboy.logs.output import LINE_BYTES_MAX, Shortcut, write_whole


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

        Behind it everything is written that was added before, by whatever thread.
        """
        with self._writing:
            waiting = self._waiting
            part: list[str] = []
            target = room = 0
            while waiting:
                descriptor, line = waiting.popleft()
                if part and (descriptor != target or len(line) > room):
                    _write(target, part)
                    part = []
                if not part:
                    target, room = descriptor, LINE_BYTES_MAX
                part.append(line)
                room -= len(line)
            if part:
                _write(target, part)


def _write(descriptor: int, lines: list[str]) -> None:
    """Write *lines*, or as many of them as can be."""
    if write_whole(descriptor, "".join(lines)):
        return
    for line in lines:
        # The stream keeps what a full pipe does not take.
        if not write_whole(descriptor, line) and sys.__stderr__ is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.__stderr__.write(line)
                sys.__stderr__.flush()
