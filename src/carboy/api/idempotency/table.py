"""Where first answers are kept: a table of the project's own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import DateTime, LargeBinary, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from carboy.api.idempotency.identity import CALLER_MAX_CHARS, KEY_MAX_CHARS
from carboy.errors import CarboyError

if TYPE_CHECKING:
    from carboy.backing.database import Database

__all__ = ["IdempotencyKeyMixin", "database_of", "table_of"]

_INFO = "carboy.idempotency"


class IdempotencyKeyMixin:
    """The columns of the table; one class of the project makes it part of its migrations.

    ::

        class IdempotencyKey(IdempotencyKeyMixin, Model):
            __tablename__ = "idempotency_keys"
    """

    caller: Mapped[str] = mapped_column(String(CALLER_MAX_CHARS), primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_MAX_CHARS), primary_key=True)
    operation: Mapped[str] = mapped_column(Text)
    """Method and route, for people who look."""
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[str] = mapped_column(Text)
    """A JSON list of pairs."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        table = getattr(cls, "__table__", None)
        if isinstance(table, Table):
            # Found by the metadata, the project needs to name it nowhere else.
            table.metadata.info[_INFO] = table


def database_of(app: Flask) -> Database:
    """Give the database of *app*.

    :raises CarboyError: if it has none.
    """
    database: Database | None = app.extensions.get("sqlalchemy")
    if database is None or not hasattr(database, "enclosing"):
        raise CarboyError(
            "A view is idempotent and the app has no carboy.Database to keep its answers in. "
            "Make one and call its init_app(app)."
        )
    return database


def table_of(app: Flask) -> Table:
    """Give the table in which *app* keeps its answers.

    :raises CarboyError: if it has none.
    """
    table: Table | None = database_of(app).metadata.info.get(_INFO)
    if table is None:
        raise CarboyError(
            "A view is idempotent and the database has no table for its answers. Add one: "
            'class IdempotencyKey(IdempotencyKeyMixin, Model): __tablename__ = "idempotency_keys"'
        )
    return table
