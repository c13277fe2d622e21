"""What is counted: takes from a quota within a window of time that moves along.

A window is cut into :data:`PARTS` parts, and the takes of each are one number. Whatever
part lies in the window with any of its length counts in full. So no window of that length,
wherever it begins, has more takes than the quota; a take is returned at most one part
later than a list of all moments would have it; and a counter is never more than 61 numbers.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["PARTS", "Counters", "CountersDown", "Level", "Window", "leaves_in_s", "part_of"]

PARTS = 60


class Window(NamedTuple):
    """One counter and its quota.

    :param key: names the counter; the quota and the length belong into it.
    :param quota: takes that fit.
    :param length_s: length in seconds.
    """

    key: str
    quota: int
    length_s: int


class Level(NamedTuple):
    """How full a window is.

    :param taken: takes it has.
    :param free_in_s: seconds until the oldest of them leaves; 0 if there is none.
    """

    taken: int
    free_in_s: float


class CountersDown(Exception):
    """The place where counters are kept does not answer."""


class Counters(Protocol):
    """A place where counters are kept. Every method is one step that nobody interrupts."""

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """What the methods raise when the place does not answer."""
        ...

    def take(self, windows: Sequence[Window]) -> tuple[bool, list[Level]]:
        """Take one from each window, or from none unless all of them have room.

        :return: whether it was done, and the levels afterwards.
        """
        ...

    def levels(self, windows: Sequence[Window]) -> list[Level]:
        """Tell how full windows are."""
        ...

    def give_back(self, windows: Sequence[Window]) -> None:
        """Undo one take of each window, the latest."""
        ...

    def forget(self, windows: Sequence[Window]) -> None:
        """Empty windows."""
        ...


def part_of(window: Window, now_s: float) -> int:
    """Number the part of *window* in which the moment *now_s* lies."""
    return int(now_s * PARTS // window.length_s)


def leaves_in_s(window: Window, part: int, now_s: float) -> float:
    """Tell in how many seconds no window reaches back into *part* any more."""
    return max(0.0, (part + PARTS + 1) * window.length_s / PARTS - now_s)


def clock() -> float:
    """Give the time that all processes of a machine agree on, in seconds."""
    return time.time()
