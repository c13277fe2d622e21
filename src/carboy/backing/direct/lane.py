"""The short way from a statement to its rows, and when it is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from sqlalchemy import BindParameter, Engine, Insert, Select, Table
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from carboy.backing.address import globals_touched
from carboy.backing.direct.execution import Execution
from carboy.backing.direct.observers import Observers
from carboy.backing.direct.prepared import Bound, Prepared
from carboy.backing.direct.selection import columns_of
from carboy.backing.policy import Policy
from carboy.backing.records import Records
from carboy.backing.repeats import Watch

__all__ = ["Lane"]

STATEMENTS_MAX = 500
"""Shapes of statements that are remembered; the oldest are forgotten."""

_NOTHING: Mapping[str, Any] = {}
_SESSIONS = "_sqlalchemy_sessions"  # where Flask-SQLAlchemy-Lite keeps those of a request


class Lane:
    """Runs statements for the sessions of one app.

    :param promised: whether the work at hand has promised not to write.
    :param watch: is told of statements, as it is by the engine of those that go through it.
    """

    def __init__(
        self,
        engine: Engine,
        sessions: sessionmaker[Session],
        policy: Policy,
        promised: Callable[[], bool],
        watch: Watch | None = None,
    ) -> None:
        own = policy.listeners if watch is None else policy.listeners | watch.listeners
        self._dialect = engine.dialect
        self._observers = Observers(engine, sessions, own)
        self._execution = Execution(engine, policy, watch)
        self._promised = promised
        self._known: dict[Any, Any] = {}
        self._triggers: dict[Table, bool] = {}
        self._learning = Lock()

    def is_open(self, kind: type[Any] | None = None) -> bool:
        """Tell whether a read of the request at hand may go without a transaction.

        It may if the request only reads, nobody listens, and its session has neither begun a
        transaction nor anything that waits to be written.

        :param kind: a mapped class, of which the session must not hold objects either: what it
            holds is what it shows, whatever was written meanwhile.
        """
        session = _session()
        return (
            _is_idle(session)
            and self._promised()
            and self._observers.none(session)
            and (session is None or kind is None or not _holds(session, kind))
        )

    def is_open_to_write(self) -> bool:
        """Tell whether a write of the request at hand may be all of its transaction."""
        session = _session()
        return (
            _is_idle(session)
            and not self._promised()
            and self._observers.none(session, writing=True)
        )

    def has_triggers(self, table: Table) -> bool:
        """Tell whether the database changes rows of a table by itself.

        Then a row that was just written may be another one than the statement says. It is asked
        once in the life of a process.
        """
        known = self._triggers.get(table)
        if known is None:
            known = self._triggers[table] = self._execution.has_triggers(table)
        return known

    def bound(
        self,
        statement: Select[Any],
        columns: Sequence[InstrumentedAttribute[Any]] = (),
        *,
        accepts: Callable[[Select[Any]], bool] | None = None,
    ) -> Bound | None:
        """Render a statement, or find what was rendered of another one of its shape.

        :param columns: attributes of its one entity to select; by default what it selects.
        :param accepts: whether statements of this shape may be rendered.
        :return: ``None`` if they may not, or only SQLAlchemy knows all they mean.
        """
        key = statement._generate_cache_key()  # noqa: SLF001 - SQLAlchemy's own notion of a shape
        if key is None or key.params or statement.get_execution_options():
            return None
        shape = (key.key, *[column.key for column in columns])
        try:
            prepared: Prepared | None = self._known[shape]
        except KeyError:
            prepared = None
            if accepts is None or accepts(statement):
                prepared = self._rendered(statement, key.bindparams, columns)
            self._remember(shape, prepared)
        return None if prepared is None else Bound(prepared, key.bindparams)

    def constant(
        self,
        name: Any,
        make: Callable[[], Select[Any] | Insert],
        columns: Sequence[InstrumentedAttribute[Any]] = (),
    ) -> Bound | None:
        """Render a statement that is always the same; see :meth:`bound`.

        :param name: what tells it from others; hashable.
        """
        try:
            bound: Bound | None = self._known[name]
        except KeyError:
            statement = make()
            bound = (
                self._inserting(statement)
                if isinstance(statement, Insert)
                else self.bound(statement, columns)
            )
            self._remember(name, bound)
        return bound

    def _inserting(self, statement: Insert) -> Bound | None:
        names = tuple(str(column.key) for column in statement.exported_columns)
        try:
            return Bound(Prepared(statement, (), names, self._dialect), ())
        except NotImplementedError:
            return None

    def read(self, bound: Bound, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement as a transaction of its own; the lane must be open."""
        return self._execution.read((bound,), given)[0]

    def read_all(self, *several: Bound) -> list[list[tuple[Any, ...]]]:
        """Run several on one connection; where reading takes a transaction, in one."""
        return self._execution.read(several, _NOTHING)

    def write(
        self, bound: Bound, given: Mapping[str, Any], finish: Callable[[tuple[Any, ...]], Any]
    ) -> Any:
        """Run one statement that writes a row and gives it back; commit if *finish* succeeds.

        :return: what *finish* makes of the row.
        """
        return self._execution.write(bound, given, finish)

    def write_alone(self, bound: Bound, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Run one statement that writes a row and gives it back, as a transaction of its own."""
        return self._execution.write_alone(bound, given)

    def records(
        self, session: Callable[[], Session], statement: Select[Any], given: Mapping[str, Any]
    ) -> Records:
        """Give the rows of a statement; see :meth:`Database.rows`."""
        held = _session()
        if _is_clean(held) and self._observers.none(held):
            bound = self.bound(statement)
            if bound is not None:
                alone = bound.prepared.is_single and _is_idle(held) and self._promised()
                found = (
                    self.read(bound, given)
                    if alone
                    else self._execution.read_within(session().connection(), bound, given)
                )
                if found is not None:
                    return Records(bound.prepared.names, found)
        selected, names = columns_of(statement)
        rows = session().execute(selected, dict(given))
        return Records(names, [tuple(row) for row in rows])

    def _rendered(
        self,
        statement: Select[Any],
        binds: Sequence[BindParameter[Any]],
        columns: Sequence[InstrumentedAttribute[Any]],
    ) -> Prepared | None:
        if columns:
            selected = statement.with_only_columns(*columns, maintain_column_froms=True)
            names = tuple(column.key for column in columns)
        else:
            selected, names = columns_of(statement)
        try:
            return Prepared(selected, binds, names, self._dialect)
        except NotImplementedError:
            return None

    def _remember(self, name: Any, value: Any) -> None:
        with self._learning:
            while len(self._known) >= STATEMENTS_MAX:
                del self._known[next(iter(self._known))]
            self._known[name] = value


def _session() -> Session | None:
    """Find the session of the request, if it has begun to use one."""
    held = globals_touched()
    sessions = None if held is None else held.get(_SESSIONS)
    return sessions.get("default") if sessions else None


def _holds(session: Session, kind: type[Any]) -> bool:
    return any(isinstance(each, kind) for each in session.identity_map.values())


def _is_clean(session: Session | None) -> bool:
    """Tell whether nothing waits to be written before a statement."""
    return session is None or not (session.new or session.dirty or session.deleted)


def _is_idle(session: Session | None) -> bool:
    return session is None or not (session.in_transaction() or not _is_clean(session))
