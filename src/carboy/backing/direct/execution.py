"""Statements on connections of the pool, with nothing of SQLAlchemy's in between but the pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, Table
from sqlalchemy.exc import DBAPIError, StatementError

from carboy.backing.direct.prepared import Bound, Prepared
from carboy.backing.policy import WRITING, Policy
from carboy.backing.repeats import Watch

__all__ = ["Execution"]

Rows = list[tuple[Any, ...]]
_CURSOR = "carboy_cursor"
_ROWS_KEPT_MAX = 100
_HARMLESS = frozenset({WRITING})
"""Options of a connection that leave statements as they are rendered."""


class Execution:
    """Runs what was prepared; errors are those of SQLAlchemy.

    A connection comes from the pool and returns to it as it was, whatever happens. One that is
    broken, or was left in the middle of a statement, is closed.
    """

    def __init__(self, engine: Engine, policy: Policy, watch: Watch | None = None) -> None:
        self._engine = engine
        self._policy = policy
        self._watch = watch

    def read(self, several: Sequence[Bound], given: Mapping[str, Any]) -> list[Rows]:
        """Run statements that only read, and give the rows of each.

        :param given: values by the keys of bind parameters.
        """
        return self._run(several, given)

    def write_alone(self, bound: Bound, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Run a statement that writes a row and gives it back; what it does is committed.

        A statement is a transaction of its own where nobody has begun one: on PostgreSQL one way
        to the server and back, in place of three.
        """
        return self._run((bound,), given)[0][0]

    def _run(self, several: Sequence[Bound], given: Mapping[str, Any]) -> list[Rows]:
        ready = [(bound.prepared, self._values(bound, given)) for bound in several]
        connection = self._borrowed()
        driver: Any = connection.dbapi_connection
        clean = False
        try:
            begun = self._policy.begin_alone(driver, several=len(ready) > 1)
            try:
                found = [
                    self._fetched(connection, driver, prepared, values)
                    for prepared, values in ready
                ]
            except DBAPIError:
                if connection.is_valid:
                    self._policy.end_alone(driver, begun)
                    clean = True
                raise
            self._policy.end_alone(driver, begun)
            clean = True
            return found
        finally:
            # An interrupt may come at any place: who knows what the next request would find?
            if not clean and connection.is_valid:
                connection.invalidate()
            connection.close()  # the pool ends what was begun

    def read_within(
        self, connection: Connection, bound: Bound, given: Mapping[str, Any]
    ) -> Rows | None:
        """Run a statement on a connection of SQLAlchemy's, in the transaction that it is in.

        :return: ``None`` if options of the connection may change what is run.
        """
        if not connection.get_execution_options().keys() <= _HARMLESS:
            return None
        prepared, values = bound.prepared, self._values(bound, given)
        result = connection.exec_driver_sql(prepared.text, values)
        make = prepared.maker(result.cursor)
        return make([tuple(row) for row in result])

    def write(
        self, bound: Bound, given: Mapping[str, Any], finish: Callable[[tuple[Any, ...]], Any]
    ) -> Any:
        """Run a statement that writes a row; *finish* is called before the commit."""
        prepared, values = bound.prepared, self._values(bound, given)
        connection = self._borrowed()
        try:
            driver: Any = connection.dbapi_connection
            row = self._written(connection, driver, prepared, values)
            made = finish(row)
            self._commit(connection, driver)
            return made
        finally:
            connection.close()  # without a commit, the pool takes everything back

    def _commit(self, connection: PoolProxiedConnection, driver: Any) -> None:
        try:
            driver.commit()
        except BaseException as error:
            self._explain(error, connection, None, None)
            raise

    def has_triggers(self, table: Table) -> bool:
        """Ask whether there are triggers or rules on a table."""
        with self._engine.connect().execution_options(**{WRITING: False}) as connection:
            return self._policy.has_triggers(connection, table)

    def _written(
        self, connection: PoolProxiedConnection, driver: Any, prepared: Prepared, values: Any
    ) -> tuple[Any, ...]:
        try:
            self._policy.begin_writing(driver)
            try:
                return _rows(driver, prepared, values)[0]
            except Exception as error:
                if not self._policy.is_outdated(error):
                    raise
                driver.rollback()
                self._policy.forget(driver)
                driver.rollback()
                self._policy.begin_writing(driver)
                return _rows(driver, prepared, values)[0]
        except BaseException as error:
            self._explain(error, connection, prepared.text, values)
            raise

    def _fetched(
        self, connection: PoolProxiedConnection, driver: Any, prepared: Prepared, values: Any
    ) -> Rows:
        if self._watch is not None:
            self._watch.saw(prepared.text)
        try:
            try:
                return self._rows_of(connection, driver, prepared, values)
            except Exception as error:
                if not self._policy.is_outdated(error):
                    raise
                # Tables were altered since it was prepared; nothing has been done.
                self._policy.forget(driver)
                return _rows(driver, prepared, values)
        except BaseException as error:
            self._explain(error, connection, prepared.text, values)
            raise

    def _rows_of(
        self, connection: PoolProxiedConnection, driver: Any, prepared: Prepared, values: Any
    ) -> Rows:
        """Run a statement in the quickest way there is, at last with a cursor that is kept."""
        kept, policy = connection.info, self._policy
        if prepared.sent is not None:
            found = policy.fetched(driver, kept, prepared.sent, values)
            if found is not None:
                return prepared.made(found)
        cursor = kept.pop(_CURSOR, None) or driver.cursor()
        cursor.execute(prepared.text, values)
        rows = prepared.rows(cursor)
        if prepared.sent is None and not policy.needs_cursors:
            prepared.sent = policy.sent_by(cursor)
        if len(rows) > _ROWS_KEPT_MAX:
            cursor.close()  # it would hold what it read until the next statement
        else:
            kept[_CURSOR] = cursor
        return rows

    def _borrowed(self) -> PoolProxiedConnection:
        dialect = self._engine.dialect
        try:
            return self._engine.raw_connection()
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(
                None,
                None,
                error,
                dialect.loaded_dbapi.Error,
                hide_parameters=self._engine.hide_parameters,
                dialect=dialect,
            ) from error

    def _values(self, bound: Bound, given: Mapping[str, Any]) -> Any:
        try:
            return bound.prepared.values(bound.binds, given)
        except Exception as error:
            raise StatementError(
                f"({type(error).__module__}.{type(error).__qualname__}) {error}",
                bound.prepared.text,
                dict(given),
                error,
                hide_parameters=self._engine.hide_parameters,
            ) from error

    def _explain(
        self,
        error: BaseException,
        connection: PoolProxiedConnection,
        text: str | None,
        values: Any,
    ) -> None:
        """Raise what SQLAlchemy does for an error of the driver's."""
        dialect = self._engine.dialect
        if not isinstance(error, Exception):
            connection.invalidate(error)  # in the middle of a statement: a timeout, an interrupt
            return
        if not isinstance(error, dialect.loaded_dbapi.Error):
            return
        gone = dialect.is_disconnect(error, connection.dbapi_connection, None)
        if gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text,
            values,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=self._engine.hide_parameters,
            connection_invalidated=gone,
            dialect=dialect,
        ) from error


def _rows(driver: Any, prepared: Prepared, values: Any) -> Rows:
    cursor = driver.cursor()
    cursor.execute(prepared.text, values)
    rows = prepared.rows(cursor)
    cursor.close()
    return rows
