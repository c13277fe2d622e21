"""Who would notice that a statement did not go through SQLAlchemy's hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, QueuePool
from sqlalchemy.orm import Session, sessionmaker

__all__ = ["Observers"]

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
# As SQLAlchemy wrote them: whoever replaces one, as tracing agents do, is noticed.
_SESSION = {
    name: getattr(Session, name)
    for name in (
        "__init__", "add", "begin", "close", "commit", "connection", "execute", "flush", "get_bind",
        "refresh", "rollback", "scalar", "scalars",
    )
}  # fmt: skip
_BELOW = {
    (kind, name): getattr(kind, name)
    for kind, name in (
        (Engine, "connect"), (Engine, "raw_connection"), (Connection, "execute"),
        (Connection, "_execute_context"), (Connection, "_cursor_execute"),
    )
}  # fmt: skip


class Observers:
    """Whoever listens to an engine and its sessions, beside this package.

    :param own: event → how many listeners of this package's it has.
    """

    def __init__(
        self, engine: Engine, sessions: sessionmaker[Session], own: Mapping[str, int]
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._own_of_engine = {name: own[name] for name in _OF_ENGINE if name in own}
        self._own_of_dialect = {name: own[name] for name in _OF_DIALECT if name in own}
        self._own_of_session = {name: own[name] for name in _OF_READING if name in own}
        self._of_reading = [name for name in _OF_READING if name not in own]
        self._of_writing = [*self._of_reading, *_OF_WRITING]
        self._witness: Session | None = None
        self._of_engine = [name for name in _OF_ENGINE if name not in own]
        self._of_dialect = [name for name in _OF_DIALECT if name not in own]

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
            or type(engine.pool) not in (QueuePool, NullPool)
            or getattr(engine.dialect, "_on_connect_isolation_level", None) is not None
        ):
            return False
        dispatch: Any = engine.dispatch
        for name in self._of_engine:
            if getattr(dispatch, name):
                return False
        told: Any = engine.dialect.dispatch
        for name in self._of_dialect:
            if getattr(told, name):
                return False
        for name, count in self._own_of_dialect.items():
            if len(getattr(told, name)) != count:
                return False
        for name, count in self._own_of_engine.items():
            if len(getattr(dispatch, name)) != count:
                return False
        return True

    def _none_at_session(self, session: Session | None, *, writing: bool) -> bool:
        sessions, engine = self._sessions, self._engine
        kind = sessions.class_
        given = sessions.kw
        if given.get("bind") is not engine or given.get("binds") or given.get("twophase"):
            return False
        if session is not None and (session.bind is not engine or type(session) is not kind):
            return False
        if not _is_stock(kind):
            return False
        if session is None:
            # What a class knows of its listeners cannot be asked; what an object of it does, can.
            session = self._witness = self._witness or sessions()
        dispatch: Any = session.dispatch
        for name in self._of_writing if writing else self._of_reading:
            if getattr(dispatch, name):
                return False
        return all(
            len(getattr(dispatch, name)) == count for name, count in self._own_of_session.items()
        )


def _is_stock(kind: type[Session]) -> bool:
    for name, written in _SESSION.items():
        if getattr(kind, name) is not written:
            return False
    return all(getattr(owner, name) is written for (owner, name), written in _BELOW.items())
