"""A column type for points in time, which are the same on every engine."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, TypeDecorator

__all__ = ["Moment"]


class Moment(TypeDecorator[datetime]):
    """A point in time, in UTC and aware of it; SQLite would forget the zone.

    ::

        created_at: Mapped[datetime] = mapped_column(Moment, default=lambda: datetime.now(UTC))
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Store UTC.

        :param value: aware of its zone, whichever that is.
        """
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read it back as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
