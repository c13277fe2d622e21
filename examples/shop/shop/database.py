"""The database, the base of all models, and the column types they share."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

from carboy import Database
from carboy.errors import NotFound

ID_MAX = 2**63 - 1
# SQLite numbers rows by itself only in a column that is declared exactly INTEGER; it holds 64 bits.
Id = BigInteger().with_variant(Integer(), "sqlite")


class Model(DeclarativeBase):
    """Base of all models. Constraints are named, so that a migration can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = Database(Model.metadata)
Found = TypeVar("Found", bound=Model)


class Money(TypeDecorator[Decimal]):
    """An amount in the shop's currency, stored as whole cents.

    SQLite has no decimal type: it would keep a ``NUMERIC`` as a binary fraction.
    Whole cents are exact, add up and compare in SQL, and are the same on every engine.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Turn an amount into cents.

        :raises ValueError: if it has a fraction of a cent; rounding is for the caller to decide.
        """
        if value is None:
            return None
        cents = value.scaleb(2)
        if cents != cents.to_integral_value():
            raise ValueError(f"{value} has a fraction of a cent. Round it first.")
        return int(cents)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Turn cents into an amount with two decimals."""
        return None if value is None else Decimal(value).scaleb(-2)


class Moment(TypeDecorator[datetime]):
    """A point in time, in UTC and aware of it. SQLite forgets the zone; this restores it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store UTC, whatever zone the caller thinks in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read it back as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


def find(model: type[Found], number: int, **options: Any) -> Found:
    """Load one row by its id, taken from a URL.

    :param options: passed to :meth:`sqlalchemy.orm.Session.get`.
    :raises NotFound: if there is none, also for numbers no database could hold.
    """
    found = db.session.get(model, number, **options) if 0 < number <= ID_MAX else None
    if found is None:
        raise NotFound(f"No {model.__name__.lower()} {number}.")
    return found
