"""One transaction around code that commits by itself.

The session joins a transaction that is not its own: what the code calls a commit
becomes the end of a savepoint, and only the end of the enclosure makes it last.
Source: SQLAlchemy, "Joining a Session into an External Transaction".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, Transaction, event
from sqlalchemy.orm import Session

from carboy.backing.policy import Policy

__all__ = ["Enclosure", "enclosed"]


class Enclosure:
    """What goes on between the beginning of the outer transaction and its end.

    :ivar connection: for statements beside those of the session, in the same transaction.
    :ivar committed: whether the code inside has committed anything.
    """

    def __init__(self, session: Session, connection: Connection, transaction: Transaction) -> None:
        self.connection = connection
        self._session = session
        self.committed = False
        self._transaction = transaction

    def leave(self) -> None:
        """Undo what the code inside did not commit; from here on :attr:`connection` is alone."""
        self._session.rollback()

    def commit(self) -> None:
        """Make everything last: what was committed inside, and what :attr:`connection` did."""
        self.leave()
        self._transaction.commit()

    def _note(self, session: Session) -> None:
        self.committed = self.committed or not session.in_nested_transaction()


@contextmanager
def enclosed(session: Session, policy: Policy, name: str) -> Iterator[Enclosure | None]:
    """Enclose what the code inside does with *session*; see :meth:`Database.enclosing`."""
    if session.in_transaction():
        session.commit()
    with ExitStack() as stack:
        bind = session.get_bind()
        # A session of isolated tests is bound to a connection already.
        connection = bind if isinstance(bind, Connection) else stack.enter_context(bind.connect())
        transaction = stack.enter_context(policy.alone(connection, name))
        if transaction is None:
            yield None
            return
        enclosure = Enclosure(session, connection, transaction)
        try:
            with _joined(session, connection, enclosure):
                yield enclosure
        finally:
            if transaction.is_active:
                transaction.rollback()


@contextmanager
def _joined(session: Session, connection: Connection, enclosure: Enclosure) -> Iterator[None]:
    before: tuple[Any, Any] = (session.bind, session.join_transaction_mode)
    session.bind, session.join_transaction_mode = connection, "create_savepoint"
    event.listen(session, "after_commit", enclosure._note)  # noqa: SLF001 - of this module
    try:
        yield
    finally:
        event.remove(session, "after_commit", enclosure._note)  # noqa: SLF001
        try:
            enclosure.leave()
        finally:
            session.bind, session.join_transaction_mode = before
