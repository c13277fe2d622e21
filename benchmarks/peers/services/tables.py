"""The tables, and sessions on them for the peers that come without a database layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from random import sample
from typing import Any

from sqlalchemy import Engine, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

WORLDS = 10_000
USERS = 10_000
ITEMS = 1_000_000
LIST_SIZE = 50
PAGE_SIZE = 100
DRAWN_MAX = 500
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
LATE_FORTUNE = "Additional fortune added at request time."


class Model(DeclarativeBase):
    """The tables of the benchmark."""


class World(Model):
    """A number; of TechEmpower's benchmarks."""

    __tablename__ = "world"
    id: Mapped[int] = mapped_column(primary_key=True)
    randomnumber: Mapped[int]


class Fortune(Model):
    """A saying; of TechEmpower's benchmarks."""

    __tablename__ = "fortune"
    id: Mapped[int] = mapped_column(primary_key=True)
    message: Mapped[str] = mapped_column(String(2048))


class User(Model):
    """A row of the size that tables of users have."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120))
    age: Mapped[int]
    city: Mapped[str] = mapped_column(String(80))
    active: Mapped[bool]
    born: Mapped[date]


class Item(Model):
    """A row of the long table."""

    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    value: Mapped[int]


def database_url() -> str:
    """Give the database's address, with the driver that SQLAlchemy shall use."""
    return os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)


def pool_size() -> int:
    """Say how many connections a service may hold: as many as it has threads."""
    return int(os.environ["THREADS"])


def settle(engine: Engine) -> None:
    """Have connections of SQLite trust the write-ahead log, as its documentation advises."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()


def sessions() -> sessionmaker[Session]:
    """Make what opens sessions; objects stay readable after a commit, which saves a SELECT."""
    url = database_url()
    options: dict[str, Any] = {"connect_args": {"timeout": 30}} if url.startswith("sqlite") else {}
    engine = create_engine(url, pool_size=pool_size(), max_overflow=0, **options)
    settle(engine)
    return sessionmaker(engine, expire_on_commit=False)


def drawn(count: int) -> list[int]:
    """Draw *count* ids of worlds, each once; in order, so that two writers cannot deadlock."""
    return sorted(sample(range(1, WORLDS + 1), max(1, min(count, DRAWN_MAX))))


def in_order(fortunes: Sequence[Any]) -> list[Any]:
    """Sort fortunes by what they say."""
    return sorted(fortunes, key=lambda fortune: fortune.message)
