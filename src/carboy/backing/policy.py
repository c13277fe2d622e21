"""What every kind of database needs beyond SQLAlchemy's defaults.

One subclass per kind: :mod:`carboy.backing.sqlite`, :mod:`carboy.backing.postgresql`.
Nothing outside this folder asks which one is in use.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, NullPool, Table, Transaction, create_engine, event
from sqlalchemy.exc import DisconnectionError

from carboy.errors import CarboyError

WRITING = "carboy_writing"


@dataclass(frozen=True)
class Limits:
    """How much a process may ask of its database.

    :param pool_size: connections this process may hold.
    :param timeout_s: wait for a free connection, for a new one, or for a lock.
    :param probe_timeout_s: what a readiness check may wait.
    :param hide_parameters: keep the values of statements out of logs and tracebacks.
    """

    pool_size: int
    timeout_s: float
    probe_timeout_s: float
    hide_parameters: bool


class Policy(ABC):
    """How connections to one database are made, kept, checked and locked.

    :param url: where it is, in SQLAlchemy's form.
    :param app_name: shown by servers that list their connections.
    """

    probe_statement = "SELECT 1"
    snapshot: ClassVar[dict[str, Any]] = {WRITING: False}
    """Options of a connection on which everything is read as of one moment."""
    needs_cursors: ClassVar[bool] = True
    """Whether every statement is run by one."""
    listeners: ClassVar[dict[str, int]] = {}
    """How many listeners :meth:`fit` adds for events about transactions and errors."""

    def __init__(self, url: URL, limits: Limits, app_name: str) -> None:
        self.url = url
        self.limits = limits
        self.app_name = app_name

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the database is, for messages; never with a password."""

    @abstractmethod
    def connect_args(self, timeout_s: float) -> dict[str, Any]:
        """What the driver is told when it connects."""

    @abstractmethod
    def fit(self, engine: Engine) -> None:
        """Attach what this kind of database needs to an engine."""

    @abstractmethod
    def migrating(self, connection: Connection) -> AbstractContextManager[None]:
        """Prepare a connection for changes of the schema, and undo that afterwards."""

    @abstractmethod
    def lock(self) -> AbstractContextManager[Callable[[], bool]]:
        """Give a function that tries once to become the only one who migrates.

        What it took is given back at the end of the context, and by the operating
        system or the server when the process dies.
        """

    @abstractmethod
    def alone(
        self, connection: Connection, name: str
    ) -> AbstractContextManager[Transaction | None]:
        """Begin a transaction that holds *name* until its end, or give ``None``: it is held.

        It never waits for who holds the name. The name is free again when the context ends,
        or its process dies.
        """

    @abstractmethod
    def refusal(self, error: Exception) -> CarboyError:
        """Say in one line why the database cannot be used, and what to do."""

    def begin_alone(self, driver: Any, *, several: bool) -> Any:
        """Prepare a connection of the driver, which is idle, for statements without a transaction.

        Each is one by itself.

        :param several: they only read, and should see the same moment, as far as a transaction of
            this kind of database does by itself.
        :return: what :meth:`end_alone` needs to know.
        """
        del driver, several

    def end_alone(self, driver: Any, begun: Any) -> None:
        """Undo it, also after an error; the pool ends a transaction by itself."""
        del driver, begun

    def sent_by(self, cursor: Any) -> Any:
        """Give what :meth:`fetched` needs to know of the statement that a cursor has run.

        ``None``: it can only be run by a cursor.
        """
        del cursor

    def fetched(
        self, driver: Any, kept: MutableMapping[str, Any], sent: Any, values: Any
    ) -> list[tuple[Any, ...]] | None:
        """Run a statement without a cursor, between :meth:`begin_alone` and :meth:`end_alone`.

        :param kept: what belongs to the connection.
        :return: its rows as a cursor gives them; ``None`` if it takes a cursor this time.
        """
        raise NotImplementedError

    @abstractmethod
    def begin_writing(self, driver: Any) -> None:
        """Begin a transaction that writes on a connection of the driver, which is idle."""

    @abstractmethod
    def has_triggers(self, connection: Connection, table: Table) -> bool:
        """Tell whether the database changes what is written into a table by itself."""

    def is_outdated(self, error: Exception) -> bool:  # noqa: ARG002 - for those who override it
        """Tell whether a statement failed only because tables changed since it was prepared."""
        return False

    def forget(self, driver: Any) -> None:
        """Let the driver prepare its statements anew; the connection is in no transaction."""
        del driver

    def engine(self, **options: Any) -> Engine:
        """Make the engine that views use.

        No overflow: workers x pool size is exactly what the server has to allow.
        """
        return self._made(
            self.limits.timeout_s,
            **{
                "pool_size": self.limits.pool_size,
                "max_overflow": 0,
                "pool_timeout": self.limits.timeout_s,
                **options,
            },
        )

    def probe(self) -> None:
        """Ask the database for a sign of life, on a connection of its own.

        :raises sqlalchemy.exc.DBAPIError: when there is none within the time allowed.
        """
        engine = self.outside(self.limits.probe_timeout_s)
        with engine.connect().execution_options(**{WRITING: False}) as connection:
            connection.exec_driver_sql(self.probe_statement)

    def prove_writable(self) -> None:
        """Do what needs the right to write, and undo it.

        :raises sqlalchemy.exc.DBAPIError: when the database is not there or read-only.
        """
        with self.outside().connect().execution_options(**{WRITING: True}) as connection:
            self._write_nothing(connection)

    def _write_nothing(self, connection: Connection) -> None:
        connection.exec_driver_sql(self.probe_statement)

    def outside(self, timeout_s: float | None = None) -> Engine:
        """Make an engine that takes nothing from the pool and keeps no connection."""
        return self._made(
            self.limits.timeout_s if timeout_s is None else timeout_s, poolclass=NullPool
        )

    def let_go(self, engine: Engine) -> None:
        """Close what the pool holds, before workers are forked."""
        engine.dispose()

    def _made(self, timeout_s: float, **options: Any) -> Engine:
        defaults = {"hide_parameters": self.limits.hide_parameters}
        told = {**self.connect_args(timeout_s), **options.pop("connect_args", {})}
        engine = create_engine(self.url, connect_args=told, **{**defaults, **options})
        self.fit(engine)
        return engine


def survive_fork(engine: Engine) -> None:
    """Keep a forked worker from using connections of its parent.

    Two processes on one connection corrupt its protocol, and closing it in the child
    would end it for the parent as well: the child sets it aside, open, and connects anew.
    Source: SQLAlchemy, "Using Connection Pools with Multiprocessing or os.fork()".
    """
    inherited: list[Any] = []

    @event.listens_for(engine, "connect")
    def note_the_process(_connection: Any, record: Any) -> None:
        record.info["carboy_pid"] = os.getpid()

    @event.listens_for(engine, "checkout")
    def refuse_another_process(connection: Any, record: Any, proxy: Any) -> None:
        if record.info["carboy_pid"] != os.getpid():
            inherited.append(connection)
            record.dbapi_connection = proxy.dbapi_connection = None
            raise DisconnectionError("The connection belongs to the parent process.")


def begun(connection: Connection) -> Transaction:
    """Begin a transaction, inside of the one there is: tests may undo what others commit."""
    return connection.begin_nested() if connection.in_transaction() else connection.begin()


@contextmanager
def unchanged(_connection: Connection) -> Iterator[None]:
    """Migrate on a connection that needs no preparation."""
    yield


def quiet_plugins() -> None:
    """Keep Alembic, which is imported when it is needed, from announcing its plugins."""
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


def first_line(error: Exception) -> str:
    """Give the driver's own reason, without statement, parameters and hints."""
    reason = str(getattr(error, "orig", None) or error).strip()
    return reason.splitlines()[0].rstrip(".") if reason else type(error).__name__


def folder_of(path: str) -> Path:
    """Give the folder a file lies in, absolute."""
    return Path(path).absolute().parent
