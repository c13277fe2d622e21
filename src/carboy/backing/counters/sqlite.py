"""Counters in a SQLite file, exact for all processes of one machine."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from carboy.backing.counters.window import PARTS, Level, Window, clock, leaves_in_s, part_of

if TYPE_CHECKING:
    import sqlite3

__all__ = ["SQLiteCounters"]

_PRUNE_EVERY_S = 30.0
_RETRY_S = 0.005
_PRUNED_AT_ONCE = 2000
_TABLE = """
CREATE TABLE IF NOT EXISTS takes (
    key TEXT NOT NULL, part INTEGER NOT NULL, count INTEGER NOT NULL, gone_at REAL NOT NULL,
    PRIMARY KEY (key, part)
) WITHOUT ROWID
"""
_INDEX = "CREATE INDEX IF NOT EXISTS takes_gone_at ON takes (gone_at)"
_LEVEL = "SELECT total(count), min(part) FROM takes WHERE key = ? AND part >= ?"
_ADD = """
INSERT INTO takes VALUES (?, ?, 1, ?) ON CONFLICT (key, part) DO UPDATE SET count = count + 1
"""
_LESS = """
UPDATE takes SET count = count - 1
WHERE key = :key
    AND part = (SELECT max(part) FROM takes WHERE key = :key AND count > 0)
"""
_PRUNE = """
DELETE FROM takes WHERE (key, part) IN
    (SELECT key, part FROM takes WHERE gone_at < ? ORDER BY gone_at LIMIT ?)
"""


class SQLiteCounters:
    """Counters in a file of their own.

    A process has one connection, made at the first use: one that crossed a fork would
    damage the file. Within a process a lock queues the threads, which costs less than
    SQLite's way of waiting.

    :param file: made when it is missing; readable by this user only.
    :param timeout_s: how long to wait for other processes.
    :param clock: gives the time in seconds, the same one to all processes.
    """

    def __init__(
        self, file: Path, *, timeout_s: float = 1.0, clock: Callable[[], float] = clock
    ) -> None:
        self._file = file
        self._timeout_s = timeout_s
        self._clock = clock
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []
        self._pruned_at = 0.0
        os.register_at_fork(after_in_child=_unlocked(self))

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        import sqlite3  # not before something is counted

        return sqlite3.Error, OSError

    def take(self, windows: Sequence[Window]) -> tuple[bool, list[Level]]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._writing() as connection:
            now = self._clock()
            levels = [_level(connection, one, now) for one in windows]
            fits = all(level.taken < one.quota for one, level in zip(windows, levels, strict=True))
            if not fits:
                return False, levels
            self._prune(connection, now)
            for number, one in enumerate(windows):
                part = part_of(one, now)
                leaves_in = leaves_in_s(one, part, now)
                connection.execute(_ADD, (one.key, part, now + leaves_in))
                taken, free_in = levels[number]
                levels[number] = Level(taken + 1, free_in if taken else leaves_in)
            return True, levels

    def levels(self, windows: Sequence[Window]) -> list[Level]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._lock:
            now = self._clock()
            connection = self._connected()
            return [_level(connection, one, now) for one in windows]

    def give_back(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._writing() as connection:
            connection.executemany(_LESS, [{"key": one.key} for one in windows])
            connection.executemany(
                "DELETE FROM takes WHERE key = ? AND count = 0", [(one.key,) for one in windows]
            )

    def forget(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        with self._writing() as connection:
            connection.executemany(
                "DELETE FROM takes WHERE key = ?", [(one.key,) for one in windows]
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        if self._connection is not None:
            # Closing what the parent opened could take its locks away; it is kept, unused.
            self._inherited.append(self._connection)
            self._connection = None
        import sqlite3  # as above

        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.touch(mode=0o600)
        connection = sqlite3.connect(
            self._file, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            self._choose_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_TABLE)
            connection.execute(_INDEX)
        except BaseException:
            connection.close()
            raise
        weakref.finalize(self, _close, connection, os.getpid()).atexit = False
        self._connection, self._process = connection, os.getpid()
        return connection

    def _choose_wal(self, connection: sqlite3.Connection) -> None:
        """Have readers and a writer at a time; SQLite does not wait when several ask for it."""
        give_up_at = time.monotonic() + self._timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except connection.OperationalError:
                if time.monotonic() >= give_up_at:
                    raise
                time.sleep(_RETRY_S)
            else:
                return

    def _prune(self, connection: sqlite3.Connection, now: float) -> None:
        if now >= self._pruned_at + _PRUNE_EVERY_S:
            self._pruned_at = now
            connection.execute(_PRUNE, (now, _PRUNED_AT_ONCE))


def _level(connection: sqlite3.Connection, window: Window, now: float) -> Level:
    found = connection.execute(_LEVEL, (window.key, part_of(window, now) - PARTS)).fetchone()
    taken, oldest = found
    return Level(int(taken), leaves_in_s(window, oldest, now)) if taken else Level(0, 0.0)


def _close(connection: sqlite3.Connection, process: int) -> None:
    if process == os.getpid():
        connection.close()


def _unlocked(counters: SQLiteCounters) -> Callable[[], None]:
    """Make what gives a forked process a lock that no thread of its parent holds."""
    reference = weakref.ref(counters)

    def unlock() -> None:
        found = reference()
        if found is not None:
            found._lock = Lock()  # noqa: SLF001 - of the same module

    return unlock
