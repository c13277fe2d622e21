"""Names that one piece of work holds at a time, among the processes that share a file."""

from __future__ import annotations

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Lock

__all__ = ["Names", "number_of"]


def number_of(name: str) -> int:
    """Give a *name* its number: 63 bits, so that two names share one about never."""
    return int.from_bytes(sha256(name.encode()).digest()[:8]) >> 1


class Names:
    """Names being held, by threads of this process and by other processes.

    Each name is one byte of a file, locked by the operating system, which unlocks it when
    its process dies. That lock belongs to a process; between threads a set decides.

    :param path: the file, which stays empty; ``None``: nobody else shares the work.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._held: set[int] = set()
        self._deciding = Lock()
        self._file: int | None = None

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        """Hold *name* until the end of the context.

        :return: whether it was free; ``False``: somebody else holds it, and keeps it.
        """
        number = number_of(name)
        taken = self._take(number)
        try:
            yield taken
        finally:
            if taken:
                self._give_back(number)

    def _take(self, number: int) -> bool:
        with self._deciding:
            if number in self._held:
                return False
            if self._path is not None:
                file = self._opened()
                try:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
                except (BlockingIOError, PermissionError):  # POSIX leaves the choice
                    return False
            self._held.add(number)
            return True

    def _give_back(self, number: int) -> None:
        with self._deciding:
            if self._path is not None:
                fcntl.lockf(self._opened(), fcntl.LOCK_UN, 1, number)
            self._held.discard(number)

    def _opened(self) -> int:
        """Open the file once: closing any descriptor of it would end the locks of all."""
        assert self._path is not None  # noqa: S101 - only asked for with one
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            weakref.finalize(self, os.close, self._file)
        return self._file
