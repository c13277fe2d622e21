"""How many of granian's threads take requests: as few as get the work done."""

from __future__ import annotations

import sys
import threading
import time
from threading import get_ident
from typing import Any, Final

_TICK_S: Final = 0.005
_WINDOW_TICKS: Final = 10
_WINDOWS: Final = 20
# Below this share of a processor, threads that are all busy wait for something else.
_WAITING_BELOW: Final = 0.6
# Above it they have more to do than one interpreter can, and only get into each other's way.
_BUSY_ABOVE: Final = 0.85
# A thread that rests looks once in a while whether there is something to do, come what may.
_REST_S: Final = 5.0


class Crew:
    """Lets threads rest that would only take the interpreter's lock from each other.

    Python runs one thread at a time. Where several take requests that need nothing but the
    processor, each request costs changes of threads that take longer than it does itself: a
    JSON view cost twice the processor time with five threads as with one. So one thread takes
    them all while it keeps up. Others join within milliseconds where it waits for a database,
    a client or another service, and stay as long as there is waiting to do.

    :param size: threads there are at most.

    :ivar wanted: threads that shall be awake.
    :ivar busy: thread → what it works on.
    :ivar dozing: whether :meth:`rouse` is to be called by who begins to work.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.wanted = 1
        self.busy: dict[int, Any] = {}
        self._known: set[int] = set()
        self._awake = 0
        self._resting = threading.Condition()
        self._bell = threading.Event()
        self.dozing = False
        self._dismissed = not _has_lock()
        self._before: dict[int, Any] = {}
        self._ticks = self._occupied = self._windows = 0
        # Most that were busy at once: in the last second, and in the one under way.
        self._most = self._highest = 0
        self._looked_at = self._used_s = 0.0

    def start(self) -> None:
        """Begin to watch; without this, and without a global lock, nobody rests."""
        if not self._dismissed:
            threading.Thread(target=self._watch, name="crew", daemon=True).start()

    def rouse(self) -> None:
        """Watch again."""
        self.dozing = False
        self._bell.set()

    def dismiss(self) -> None:
        """Wake everybody for good."""
        self._dismissed = True
        self._bell.set()
        with self._resting:
            self._resting.notify_all()

    def rest(self) -> None:
        """Let the calling thread wait until it is needed, if others are enough.

        Called by granian's threads with nothing in their hands.
        """
        me = get_ident()
        if me not in self._known:
            with self._resting:
                self._known.add(me)
                self._awake += 1
        if not self.is_crowded():
            return
        with self._resting:
            if not self.is_crowded():
                return
            self._awake -= 1
            self._resting.wait(_REST_S)
            self._awake += 1

    def is_crowded(self) -> bool:
        """Whether more threads are awake than shall be."""
        return self._awake > self.wanted and not self._dismissed

    def is_single(self) -> bool:
        """Whether all threads but one rest."""
        return self._awake <= 1

    def has_relief(self) -> bool:
        """Whether one thread is awake, and another would soon be if that one were stuck."""
        return self._awake <= 1 < self.size and not self._dismissed

    def _want(self, count: int) -> None:
        count = max(1, min(count, self.size))
        with self._resting:
            more = count - self.wanted
            self.wanted = count
            if more > 0:
                self._resting.notify(more)

    def _watch(self) -> None:
        self._begin_window()
        while not self._dismissed:
            time.sleep(_TICK_S)
            self.look()
            if self._windows == 0 and self._ticks == 0 and not self._most:
                self._doze()

    def _doze(self) -> None:
        """Watch no more until somebody comes, when nobody came for a while."""
        self._bell.clear()
        self.dozing = True
        if not self.busy and not self._dismissed:
            self._bell.wait()
        self._begin_window()

    def look(self) -> None:
        """See who works on what, and want more threads or fewer."""
        busy = self.busy.copy()
        before, self._before = self._before, busy
        stuck = sum(1 for thread, work in busy.items() if before.get(thread) is work)
        self._ticks += 1
        self._occupied += len(busy) >= self.wanted
        self._highest = max(self._highest, len(busy))
        if stuck >= self.wanted:
            self._want(2 * stuck)
        if self._ticks == _WINDOW_TICKS:
            self._close_window(stuck)

    def _close_window(self, stuck: int) -> None:
        share = self._share()
        if self._occupied == _WINDOW_TICKS and share < _WAITING_BELOW:
            self._want(self.wanted + 1)
        self._windows += 1
        if self._windows == _WINDOWS:
            if self._highest < self.wanted or share > _BUSY_ABOVE:
                self._want(max(stuck + 1, self.wanted - 1))
            self._windows, self._most, self._highest = 0, self._highest, 0
        self._begin_window()

    def _begin_window(self) -> None:
        self._looked_at, self._used_s = time.monotonic(), time.process_time()
        self._ticks = self._occupied = 0

    def _share(self) -> float:
        """Give the processors that were used since the window began."""
        passed_s = time.monotonic() - self._looked_at
        return (time.process_time() - self._used_s) / passed_s if passed_s > 0 else 0.0


def _has_lock() -> bool:
    asked = getattr(sys, "_is_gil_enabled", None)
    return asked is None or bool(asked())
