"""Short transactions of our own, that leave a view's alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from carboy.backing.database import Database
from carboy.backing.policy import WRITING

__all__ = ["reading"]


@contextmanager
def reading(db: Database) -> Iterator[Session]:
    """Read, and hold neither lock nor connection afterwards.

    Whoever calls is found out before the view begins. Did the transaction stay open, a
    view that hashes a password or calls another service would keep the write lock of
    SQLite meanwhile. One the view has begun already is used and left as it is.
    """
    session = db.session
    if session.in_transaction():
        yield session
        return
    try:
        session.connection(execution_options={WRITING: False})
        yield session
    finally:
        session.rollback()
