"""Writing where only reading was promised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from carboy.backing.policy import WRITING

__all__ = ["writing"]


@contextmanager
def writing(session: Session, *, promised: bool) -> Iterator[Session]:
    """Commit at the end what *session* does inside; see :meth:`Database.writing`.

    :param promised: whether its transactions begin as reading ones.
    """
    if session.in_transaction() and promised and not _writes(session):
        session.commit()
    try:
        if not session.in_transaction():
            session.connection(execution_options={WRITING: True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


def _writes(session: Session) -> bool:
    return WRITING in session.connection().get_execution_options()
