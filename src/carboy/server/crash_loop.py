"""Workers that crash one after the other, and a server that says so and ends."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from gunicorn.errors import HaltServer  # type: ignore[import-untyped]

_IN_A_ROW = 10
_YOUNG_S = 5.0
_EXIT_STATUS = 1


class CrashLoop:
    """Counts workers that crash soon after their start while no other lives longer.

    Starting workers for ever would look like a service that runs. Ended, it is restarted by
    what watches over it, or not, but seen.
    """

    def __init__(self) -> None:
        self._row = 0

    def look_at(self, workers: Mapping[int, Any]) -> None:
        """Take note of those that have ended and are not reaped yet.

        :param workers: process id → worker.
        :raises HaltServer: at the tenth in a row.
        """
        if not hasattr(os, "waitid"):  # macOS
            return
        now = time.monotonic()
        for pid, worker in workers.items():
            ended = _ended(pid)
            if ended is None:
                continue
            if now - worker.born >= _YOUNG_S:
                self._row = 0
            elif ended.si_code != os.CLD_EXITED or ended.si_status != 0:
                self._row += 1
        settled = any(now - worker.born >= _YOUNG_S for worker in workers.values())
        if self._row >= _IN_A_ROW and not settled:
            raise HaltServer(
                f"Workers crash one after the other: {self._row} in a row, none lived "
                f"{_YOUNG_S:.0f} s. The lines above say how they ended.",
                _EXIT_STATUS,
            )


def _ended(pid: int) -> Any:
    """Look at how a child ended, and leave it to be reaped; ``None``: it lives."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
