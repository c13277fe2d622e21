"""PostgreSQL through psycopg 3."""

from __future__ import annotations

import math
import select
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    PoolProxiedConnection,
    Table,
    Transaction,
    event,
    text,
)
from sqlalchemy.exc import DisconnectionError

from carboy.backing.names import number_of
from carboy.backing.policy import Limits, Policy, begun, first_line, survive_fork, unchanged
from carboy.errors import CarboyError, SettingsError

_THRESHOLD = "prepare_threshold"
_NOT_SUPPORTED = "0A000"
_IDLE = 0  # PQTRANS_IDLE (PostgreSQL, "Connection Status Functions")
_TRIGGERS = text(
    "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = CAST(:name AS regclass)"
    " AND NOT tgisinternal)"
    " OR (SELECT relhasrules OR relkind <> 'r' FROM pg_class WHERE oid = CAST(:name AS regclass))"
)
_POLL = "carboy_poll"
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
    needs_cursors: ClassVar[bool] = False
    listeners: ClassVar[dict[str, int]] = {"handle_error": 1}

    def __init__(self, url: URL, limits: Limits, app_name: str) -> None:
        try:
            import psycopg  # noqa: F401 - an extra: only its presence matters here
        except ImportError:
            raise CarboyError(
                "DATABASE_URL names PostgreSQL and its driver is missing. "
                'Install it with: pip install "carboy[postgres]"'
            ) from None
        from carboy.backing import libpq  # it imports the driver

        self.sent_by = libpq.sent_by  # type: ignore[method-assign]
        self.fetched = libpq.fetched  # type: ignore[method-assign]
        super().__init__(url.set(drivername="postgresql+psycopg"), limits, app_name)

    @property
    def place(self) -> str:
        """See :attr:`Policy.place`."""
        return self.url.set(drivername="postgresql", query={}).render_as_string()

    def connect_args(self, timeout_s: float) -> dict[str, Any]:
        """See :meth:`Policy.connect_args`; the driver counts whole seconds."""
        given = {"connect_timeout": max(1, math.ceil(timeout_s)), "application_name": self.app_name}
        told: dict[str, Any] = {
            name: value for name, value in given.items() if name not in self.url.query
        }
        if _THRESHOLD in self.url.query:
            told[_THRESHOLD] = _threshold(self.url.query[_THRESHOLD])
        return told

    def fit(self, engine: Engine) -> None:
        """See :meth:`Policy.fit`."""
        survive_fork(engine)
        _roll_back_what_was_begun(engine)
        event.listen(engine, "checkout", _refuse_the_dead)
        event.listen(engine, "handle_error", _replace_the_outdated)

    def migrating(self, connection: Connection) -> AbstractContextManager[None]:
        """See :meth:`Policy.migrating`."""
        return unchanged(connection)

    def begin_alone(self, driver: Any, *, several: bool) -> bool:  # noqa: ARG002 - each statement sees its own moment
        """See :meth:`Policy.begin_alone`; saves telling the server about it, twice."""
        alone: bool = driver.autocommit
        if not alone:
            _commit_each(driver, on=True)
        return alone

    def end_alone(self, driver: Any, begun: bool) -> None:  # noqa: FBT001 - as the other gave it
        """See :meth:`Policy.end_alone`."""
        if not begun:
            _commit_each(driver, on=False)

    def begin_writing(self, driver: Any) -> None:
        """See :meth:`Policy.begin_writing`; the driver begins with the first statement."""

    def has_triggers(self, connection: Connection, table: Table) -> bool:
        """See :meth:`Policy.has_triggers`; those of foreign keys change nothing."""
        name = connection.dialect.identifier_preparer.format_table(table)
        return bool(connection.scalar(_TRIGGERS, {"name": name}))

    def is_outdated(self, error: Exception) -> bool:
        """See :meth:`Policy.is_outdated`."""
        return is_outdated(error)

    def forget(self, driver: Any) -> None:
        """See :meth:`Policy.forget`; at a rollback every release of the driver does so."""
        driver.execute("BEGIN; ROLLBACK" if driver.autocommit else "ROLLBACK")

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


def _commit_each(driver: Any, *, on: bool) -> None:
    """Set ``autocommit``; the driver's own way takes a lock and a tenth of a short request.

    In a transaction the driver refuses that, and should.
    """
    if driver.pgconn.transaction_status == _IDLE:
        driver._autocommit = on  # noqa: SLF001 - what that way ends in
    if driver.autocommit is not on:
        driver.autocommit = on


def _roll_back_what_was_begun(engine: Engine) -> None:
    """Ask the driver for a rollback only where there is anything to roll back.

    The pool does so whenever a connection comes back. The driver takes a lock before it finds
    that nothing was begun, a twentieth of a short request.
    """
    genuine = engine.dialect.do_rollback

    def do_rollback(connection: PoolProxiedConnection) -> None:
        driver: Any = getattr(connection, "dbapi_connection", connection)
        pgconn = getattr(driver, "pgconn", None)
        if (
            pgconn is None
            or pgconn.transaction_status != _IDLE
            or pgconn.pipeline_status
            # Prepared for two phases, a connection is idle, too.
            or getattr(driver, "_tpc", driver) is not None
        ):
            genuine(connection)

    engine.dialect.do_rollback = do_rollback  # type: ignore[method-assign, assignment]


def _threshold(text: Any) -> int | None:
    """Read how often the driver runs a statement before it prepares it; ``None``: never.

    The driver takes a number, and would compare with the text of the URL.
    """
    if text == "none":
        return None
    if isinstance(text, str) and text.isascii() and text.isdigit():
        return int(text)
    raise SettingsError(
        [f"DATABASE_URL has {_THRESHOLD}={text}. Write a number, or none: nothing is prepared."]
    )


def is_outdated(error: BaseException) -> bool:
    """Tell whether a prepared statement gives other columns than when it was prepared.

    Migrations do that under a running service. The message is translated; the state stands for
    much else; the name of the function of the server that raised it is neither.
    """
    if getattr(error, "sqlstate", None) != _NOT_SUPPORTED:
        return False
    return getattr(error, "diag", None) is not None and (
        error.diag.source_function == "RevalidateCachedQuery"  # type: ignore[attr-defined]
    )


def _replace_the_outdated(context: ExceptionContext) -> None:
    """Give up a connection whose prepared statements are of other tables than there are now.

    Who asked gets a 503, and may ask again at once.
    """
    if is_outdated(context.original_exception):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _refuse_the_dead(driver: Any, record: Any, _proxy: Any) -> None:
    """Notice a connection the server has closed, without asking the server.

    An idle connection has nothing to read. When there is something, it is a farewell
    (the server was restarted) or a notice: only then is it worth a round trip.
    """
    waiting = record.info.get(_POLL)
    if waiting is None:
        waiting = record.info[_POLL] = select.poll()
        waiting.register(driver.fileno(), select.POLLIN)
    if not waiting.poll(0):
        return
    try:
        driver.execute("SELECT 1")
        driver.rollback()
    except driver.OperationalError:
        raise DisconnectionError("The server has closed the connection.") from None
