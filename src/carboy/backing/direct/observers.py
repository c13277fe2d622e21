"""Who would notice that a statement did not go through SQLAlchemy's hands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, QueuePool
from sqlalchemy.orm import Session, sessionmaker

__all__ = ["Observers"]

_POOLS = frozenset({QueuePool, NullPool})
_OF_ENGINE = (
    "before_execute",
    "after_execute",
    "before_cursor_execute",
    "after_cursor_execute",
    "engine_connect",
    "set_connection_execution_options",
    "begin",
    "commit",
    "rollback",
)
_OF_DIALECT = ("do_execute", "do_execute_no_params", "handle_error")
_OF_READING = (
    "do_orm_execute",
    "after_begin",
    "after_transaction_create",
    "after_transaction_end",
    "after_rollback",
    "after_soft_rollback",
    "loaded_as_persistent",
)
_OF_WRITING = (
    "before_attach",
    "after_attach",
    "transient_to_pending",
    "pending_to_persistent",
    "before_flush",
    "after_flush",
    "after_flush_postexec",
    "before_commit",
    "after_commit",
    "pending_to_transient",
    "persistent_to_transient",
    "persistent_to_detached",
)
_UNUSUAL = ("binds", "twophase", "execution_options")
# As SQLAlchemy wrote them: whoever replaces one, as tracing agents do, is noticed.
_SESSION = attrgetter(
    "__init__", "add", "begin", "close", "commit", "connection", "execute", "flush", "get_bind",
    "refresh", "rollback", "scalar", "scalars",
)  # fmt: skip
_ENGINE = attrgetter("connect", "raw_connection")
_CONNECTION = attrgetter("execute", "_execute_context", "_cursor_execute")
_WRITTEN = _SESSION(Session), _ENGINE(Engine), _CONNECTION(Connection)


class _Silence:
    """Whether nobody else listens to some events of a dispatcher.

    What was found once is compared by identity: a new listener of the dispatcher puts another
    object in its place, and one of its class appears in a collection that is known.

    :param own: event → how many listeners of this package's it has.
    """

    def __init__(self, names: Iterable[str], own: Mapping[str, int]) -> None:
        self._names = tuple(names)
        self._counts = [own.get(name, 0) for name in self._names]
        self._listeners = attrgetter(*self._names)
        self._known: tuple[tuple[Any, ...], list[Any], list[Any], list[int]] = ((), [], [], [])

    def of(self, dispatch: Any) -> bool:
        """Tell it of a dispatcher, which is mostly the same as the last time."""
        found = self._listeners(dispatch)
        known, above, own, counts = self._known
        return (
            found == known and not any(above) and (not own or list(map(len, own)) == counts)
        ) or self._found_anew(found)

    def _found_anew(self, found: tuple[Any, ...]) -> bool:
        if list(map(len, found)) != self._counts:
            return False
        paired = list(zip(found, self._counts, strict=True))
        above = [each.parent_listeners for each, count in paired if not count]
        own = [each for each, count in paired if count]
        self._known = found, above, own, [count for count in self._counts if count]
        return True


class Observers:
    """Whoever listens to an engine and its sessions, beside this package.

    :param own: event → how many listeners of this package's it has.
    """

    def __init__(
        self, engine: Engine, sessions: sessionmaker[Session], own: Mapping[str, int]
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._at_engine = _Silence(_OF_ENGINE, own)
        self._at_dialect = _Silence(_OF_DIALECT, own)
        self._reading = _Silence(_OF_READING, own)
        self._writing = _Silence((*_OF_READING, *_OF_WRITING), own)
        # What a class knows of its listeners cannot be asked; what an object of it does, can.
        self._witness = sessions() if _is_stock(sessions.class_) else None

    def none(self, session: Session | None, *, writing: bool = False) -> bool:
        """Tell whether nobody is told of statements, and nothing changes what they do.

        :param session: of the request, if it has one by now.
        """
        return self._none_at_engine() and self._none_at_session(session, writing=writing)

    def _none_at_engine(self) -> bool:
        engine = self._engine
        if (
            engine.get_execution_options()
            or engine._should_log_info()  # noqa: SLF001 - no public word
            # Where all share one connection, nobody may use it beside a transaction.
            or type(engine.pool) not in _POOLS
            or getattr(engine.dialect, "_on_connect_isolation_level", None) is not None
        ):
            return False
        return self._at_engine.of(engine.dispatch) and self._at_dialect.of(engine.dialect.dispatch)

    def _none_at_session(self, session: Session | None, *, writing: bool) -> bool:
        sessions, engine = self._sessions, self._engine
        kind, given = sessions.class_, sessions.kw
        if given.get("bind") is not engine or any(map(given.get, _UNUSUAL)):
            return False
        if session is None:
            session = self._witness
        elif session.bind is not engine or type(session) is not kind or session.execution_options:
            return False
        if session is None or not _is_stock(kind):
            return False
        return (self._writing if writing else self._reading).of(session.dispatch)


def _is_stock(kind: type[Session]) -> bool:
    return (_SESSION(kind), _ENGINE(Engine), _CONNECTION(Connection)) == _WRITTEN
