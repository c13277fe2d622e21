"""Tests whose commits are undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

__all__ = ["isolated"]


@contextmanager
def isolated(engine: Engine, sessions: sessionmaker[Session]) -> Iterator[None]:
    """Undo at the end what *sessions* commit inside.

    All of them share one connection and its transaction; a commit ends a savepoint.
    Source: SQLAlchemy, "Joining a Session into an External Transaction".
    """
    with engine.connect() as connection:
        outer = connection.begin()
        before = {"join_transaction_mode": "conditional_savepoint", **sessions.kw}
        sessions.configure(bind=connection, join_transaction_mode="create_savepoint")
        try:
            yield
        finally:
            sessions.configure(**before)
            outer.rollback()
