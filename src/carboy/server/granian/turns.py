"""Who may run the app: a bounded number of threads, and never granian's last one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Turns(Generic[Job]):
    """Does jobs in the threads that bring them, *places* at a time.

    A thread that finds every place taken leaves its job to those that have one, and goes
    back to granian. So one of granian's threads is always free to bring what the others
    wait for: room to send more, and the next part of a body. Without it they would wait
    for each other.

    :param places: how many jobs may be under way.
    :param work: does a job; must not raise.
    """

    def __init__(self, places: int, work: Callable[[Job], object]) -> None:
        self._work = work
        self._waiting: deque[Job] = deque()
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(places):
            self._free.put(None)

    def take(self, job: Job) -> None:
        """Do *job*, and then what others have left; or leave it to them."""
        waiting, free = self._waiting, self._free
        waiting.append(job)
        # Looked at again after each place given back: a job may have been left meanwhile.
        while waiting:
            try:
                free.get_nowait()
            except Empty:
                return
            try:
                while waiting:
                    try:
                        job = waiting.popleft()
                    except IndexError:  # somebody else was quicker
                        break
                    self._work(job)
            finally:
                free.put(None)
