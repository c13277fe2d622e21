"""PostgreSQL through psycopg 3."""

from __future__ import annotations

import math
import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, Transaction, event, text
from sqlalchemy.exc import DisconnectionError

from carboy.backing.names import number_of
from carboy.backing.policy import Limits, Policy, begun, first_line, survive_fork, unchanged
from carboy.errors import CarboyError

_LOCK = int.from_bytes(b"carboy")


class PostgreSQL(Policy):
    """A database on a server.

    :raises CarboyError: when the driver is not installed.
    """

    snapshot: ClassVar[dict[str, Any]] = {
        **Policy.snapshot,
        "isolation_level": "REPEATABLE READ",
        "postgresql_readonly": True,
    }

    def __init__(self, url: URL, limits: Limits, app_name: str) -> None:
        try:
            import psycopg  # noqa: F401 - an extra: only its presence matters here
        except ImportError:
            raise CarboyError(
                "DATABASE_URL names PostgreSQL and its driver is missing. "
                'Install it with: pip install "carboy[postgres]"'
            ) from None
        super().__init__(url.set(drivername="postgresql+psycopg"), limits, app_name)

    @property
    def place(self) -> str:
        """See :attr:`Policy.place`."""
        return self.url.set(drivername="postgresql", query={}).render_as_string()

    def connect_args(self, timeout_s: float) -> dict[str, Any]:
        """See :meth:`Policy.connect_args`; the driver counts whole seconds."""
        given = {"connect_timeout": max(1, math.ceil(timeout_s)), "application_name": self.app_name}
        return {name: value for name, value in given.items() if name not in self.url.query}

    def fit(self, engine: Engine) -> None:
        """See :meth:`Policy.fit`."""
        survive_fork(engine)
        event.listen(engine, "checkout", _refuse_the_dead)

    def migrating(self, connection: Connection) -> AbstractContextManager[None]:
        """See :meth:`Policy.migrating`."""
        return unchanged(connection)

    @contextmanager
    def lock(self) -> Iterator[Callable[[], bool]]:
        """See :meth:`Policy.lock`; an advisory lock of the database.

        It is tried, not awaited: a statement that waits holds a snapshot, and
        ``CREATE INDEX CONCURRENTLY`` of whoever migrates would wait for that.
        Source: PostgreSQL, "Advisory Locks" and "Building Indexes Concurrently".
        """
        asking = text("SELECT pg_try_advisory_lock(:key)").bindparams(key=_LOCK)
        alone = self.outside().execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            yield lambda: bool(connection.scalar(asking))

    @contextmanager
    def alone(self, connection: Connection, name: str) -> Iterator[Transaction | None]:
        """See :meth:`Policy.alone`; an advisory lock that ends with the transaction."""
        transaction = begun(connection)
        asking = text("SELECT pg_try_advisory_xact_lock(:key)").bindparams(key=number_of(name))
        if connection.scalar(asking):
            yield transaction
        else:
            transaction.rollback()
            yield None

    def refusal(self, error: Exception) -> CarboyError:
        """See :meth:`Policy.refusal`."""
        return CarboyError(
            f"The database at {self.place} cannot be used ({first_line(error)}). "
            "Check that the server runs, and DATABASE_URL."
        )


def _refuse_the_dead(driver: Any, _record: Any, _proxy: Any) -> None:
    """Notice a connection the server has closed, without asking the server.

    An idle connection has nothing to read. When there is something, it is a farewell
    (the server was restarted) or a notice: only then is it worth a round trip.
    """
    waiting = select.poll()
    waiting.register(driver.fileno(), select.POLLIN)
    if not waiting.poll(0):
        return
    try:
        driver.execute("SELECT 1")
        driver.rollback()
    except driver.OperationalError:
        raise DisconnectionError("The server has closed the connection.") from None
