"""SQLite so that concurrent writers wait for each other instead of losing updates.

Python's driver opens transactions late and SQLAlchemy leaves it to it: two threads
that read, add one and write then overwrite each other. Here every transaction begins
explicitly. One that may write takes the write lock first (``BEGIN IMMEDIATE``), so
what it read is still true when it writes; one that only reads takes none (``BEGIN``)
and, thanks to the write-ahead log, neither waits for a writer nor delays it.

Sources: SQLite, "Transactions", "Write-Ahead Logging" and "Making Other Kinds Of Table
Schema Changes"; SQLAlchemy, "SQLite Transactions with the sqlite3 driver".
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, StaticPool, Table, Transaction, event, text

from carboy.backing.names import Names
from carboy.backing.policy import (
    WRITING,
    Limits,
    Policy,
    begun,
    first_line,
    folder_of,
    survive_fork,
)
from carboy.errors import CarboyError

_RETRY_S = 0.01


class SQLite(Policy):
    """A database in one file, or in memory.

    :param folder: where relative paths start; it is made when it is missing.
    :param reads_only: whether the work at hand has promised not to write.
    """

    probe_statement = "PRAGMA schema_version"  # SELECT 1 would not touch the file
    listeners: ClassVar[dict[str, int]] = {"begin": 1}

    def __init__(
        self,
        url: URL,
        limits: Limits,
        app_name: str,
        *,
        folder: Path,
        reads_only: Callable[[], bool],
    ) -> None:
        named = (url.database or "").removeprefix("file:")
        self.in_memory = named in ("", ":memory:") or url.query.get("mode") == "memory"
        self._folder = folder.absolute()
        self._reads_only = reads_only
        if self.in_memory:
            self.path = ""
        else:
            self.path = str(self._folder / named)
            prefix = "file:" if "uri" in url.query else ""
            url = url.set(database=prefix + self.path)
        self._names = Names(Path(f"{self.path}.names") if self.path else None)
        super().__init__(url, limits, app_name)

    @property
    def place(self) -> str:
        """See :attr:`Policy.place`."""
        return self.path or "memory"

    def connect_args(self, timeout_s: float) -> dict[str, Any]:
        """See :meth:`Policy.connect_args`; without isolation level the driver begins nothing."""
        return {"timeout": timeout_s, "isolation_level": None, "check_same_thread": False}

    def engine(self, **options: Any) -> Engine:
        """See :meth:`Policy.engine`; a database in memory is one connection for all threads."""
        if self.in_memory:
            return self._made(self.limits.timeout_s, poolclass=StaticPool, **options)
        return super().engine(**options)

    def probe(self) -> None:
        """See :meth:`Policy.probe`; memory is always there."""
        if not self.in_memory:
            super().probe()

    def let_go(self, engine: Engine) -> None:
        """See :meth:`Policy.let_go`; a database in memory ends with its connection."""
        if not self.in_memory:
            super().let_go(engine)

    def fit(self, engine: Engine) -> None:
        """See :meth:`Policy.fit`."""
        event.listen(engine, "connect", self._prepare)
        event.listen(engine, "begin", self._begin)
        if not self.in_memory:
            event.listen(engine, "do_connect", self._make_folder)
            survive_fork(engine)

    def begin_alone(self, driver: Any, *, several: bool) -> None:
        """See :meth:`Policy.begin_alone`."""
        if several:
            driver.execute("BEGIN")

    def begin_writing(self, driver: Any) -> None:
        """See :meth:`Policy.begin_writing`."""
        driver.execute("BEGIN IMMEDIATE")

    def has_triggers(self, connection: Connection, table: Table) -> bool:
        """See :meth:`Policy.has_triggers`."""
        asked = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name"
        return bool(connection.scalar(text(asked), {"name": table.name}))

    @contextmanager
    def migrating(self, connection: Connection) -> Iterator[None]:
        """Turn foreign keys off while tables are rebuilt, and check them before the commit.

        Rebuilding a table drops it; with foreign keys on, that would delete the rows that
        refer to it. The switch has no effect inside a transaction, so any is ended first.
        """
        connection.rollback()
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - it was just opened
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield
        finally:
            connection.rollback()
            driver.execute("PRAGMA foreign_keys=ON")

    @contextmanager
    def lock(self) -> Iterator[Callable[[], bool]]:
        """See :meth:`Policy.lock`; a lock on a file beside the database.

        The file stays: removing it would let two processes lock two files of one name.
        """
        if self.in_memory:
            yield lambda: True
            return
        if self._is_own(folder_of(self.path)):
            folder_of(self.path).mkdir(parents=True, exist_ok=True)
        with Path(f"{self.path}.lock").open("a") as file:
            yield lambda: _locked(file.fileno())

    @contextmanager
    def alone(self, connection: Connection, name: str) -> Iterator[Transaction | None]:
        """See :meth:`Policy.alone`; asked before the transaction, which waits for other writers."""
        with self._names.hold(name) as free:
            yield begun(connection) if free else None

    def refusal(self, error: Exception) -> CarboyError:
        """See :meth:`Policy.refusal`."""
        code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_NOTADB:
            return CarboyError(
                f"{self.place} is not a SQLite database. Name another file in DATABASE_URL, or "
                "move this one away."
            )
        return CarboyError(
            f"The database {self.place} cannot be opened for writing ({first_line(error)}). "
            "Make the file and its folder writable for this user, or set DATABASE_URL."
        )

    def _write_nothing(self, connection: Connection) -> None:
        """Write a number the application may use as it is; the write lock alone proves little."""
        version = connection.exec_driver_sql("PRAGMA user_version").scalar()
        connection.exec_driver_sql(f"PRAGMA user_version={version}")

    def _make_folder(self, *_arguments: Any) -> None:
        folder = folder_of(self.path)
        if self._is_own(folder):
            with suppress(OSError):  # the driver's own error follows, and names the path
                folder.mkdir(parents=True, exist_ok=True)
                # It holds personal data; SQLite gives its side files the same mode.
                Path(self.path).touch(mode=0o600)

    def _is_own(self, folder: Path) -> bool:
        return folder == self._folder or self._folder in folder.parents

    def _prepare(self, driver: sqlite3.Connection, _record: Any) -> None:
        driver.execute("PRAGMA foreign_keys=ON")
        if not self.in_memory:
            driver.execute("PRAGMA synchronous=NORMAL")
            _use_write_ahead_log(driver, self.limits.timeout_s)

    def _begin(self, connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITING)
        if writing is None:
            writing = not self._reads_only()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _use_write_ahead_log(driver: sqlite3.Connection, timeout_s: float) -> None:
    """Switch the file over once; it remembers.

    SQLite answers "locked" at once, whatever the timeout, when several connections
    switch at the same time. A file this process cannot write stays as it is.
    """
    until = time.monotonic() + timeout_s
    while driver.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            driver.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                return
            if time.monotonic() > until:
                raise
            time.sleep(_RETRY_S)
        else:
            return


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
