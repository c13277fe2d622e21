"""How far a stop has come, known to every process of the server at the same moment."""

from __future__ import annotations

import mmap
from enum import IntEnum
from typing import Final


class Phase(IntEnum):
    """The phases of a server's life, in their order."""

    SERVING = 0
    STOPPING = 1  # still serving, and no longer ready
    CLOSING = 2  # what has been accepted is finished, nothing more comes in


_STOPPING: Final = int(Phase.STOPPING)  # asked for with every request; members cost a look-up


class SharedPhase:
    """One byte that the master writes and its workers, forked later, read.

    Shared memory needs no signal and no file: a worker in the middle of anything sees
    the change with its next request.
    """

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 1)

    def enter(self, phase: Phase) -> None:
        """Tell every process."""
        self._page[0] = phase

    def stopping(self) -> bool:
        """Whether the server is on its way out: readiness answers 503."""
        return self._page[0] >= _STOPPING

    def closing(self) -> bool:
        """Whether the port is being closed."""
        return self._page[0] >= Phase.CLOSING
