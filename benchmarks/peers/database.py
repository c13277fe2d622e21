"""The database that all services of a run share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, insert, make_url, text

from carboy.testing import fresh_database
from peers.scenarios import ITEMS, USERS, WORLDS, number_of, user_of
from peers.services.tables import Fortune, Model, User, World

_LOCAL = "postgresql://postgres@127.0.0.1/postgres"
_SERIES = {
    "postgresql": "SELECT n FROM generate_series(1, :many) AS numbers(n)",
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers "
    "WHERE n < :many) SELECT n FROM numbers",
}
# With what HTML must not take literally, and with letters beyond ASCII.
FORTUNES = (
    "A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1",
    "A computer program does what you tell it to do, not what you want it to do.",
    "A computer scientist is someone who fixes things that aren't broken.",
    "A list is only as strong as its weakest link.",
    "Any program that runs right is obsolete.",
    "Computers make very fast, very accurate mistakes.",
    "Emacs is a nice operating system, but I prefer UNIX.",
    "Feature: A bug with seniority.",
    '<script>alert("This should not be displayed in a browser alert box.");</script>',
    "After enough decimal places, nobody gives a damn.",
    "fortune: No such file or directory",
    "フレームワークのベンチマーク",
)


class Unreachable(Exception):
    """There is no PostgreSQL to measure on."""


def server(given: str) -> str:
    """Give the address of the PostgreSQL to use.

    :param given: ``DATABASE_URL``; the local server is tried without.
    :raises Unreachable: if it does not answer.
    """
    import psycopg  # the part on SQLite does without

    url = given if given.startswith("postgres") else _LOCAL
    try:
        with psycopg.connect(url, connect_timeout=5):
            return url
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise Unreachable(f"{make_url(url)!r}: {reason}") from None


@contextmanager
def filled(url: str) -> Iterator[Database]:
    """Make a database with all rows, and remove it at the end.

    :param url: a database on the server to use, or ``sqlite://``.
    """
    with fresh_database(url) as made:
        database = Database(made)
        database.fill()
        yield database
        database.engine.dispose()


class Database:
    """The rows that services read and change."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.kind = make_url(url).get_backend_name()
        dialect = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self.engine = create_engine(dialect, isolation_level="AUTOCOMMIT")

    @property
    def version(self) -> str:
        """Name and version of the engine."""
        if self.kind == "sqlite":
            return f"SQLite {sqlite3.sqlite_version}"
        with self.engine.connect() as connection:
            return f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"

    def fill(self) -> None:
        """Make the tables and their rows."""
        with self.engine.connect() as connection:
            if self.kind == "sqlite":
                connection.execute(text("PRAGMA journal_mode = WAL"))
            Model.metadata.create_all(connection)
            connection.execute(text("BEGIN"))
            connection.execute(
                insert(World),
                [{"id": key, "randomnumber": number_of(key)} for key in range(1, WORLDS + 1)],
            )
            connection.execute(
                insert(Fortune),
                [{"id": key, "message": said} for key, said in enumerate(FORTUNES, 1)],
            )
            connection.execute(text("COMMIT"))
            connection.execute(text("BEGIN"))
            connection.execute(insert(User), [_row(key) for key in range(1, USERS + 1)])
            connection.execute(
                text(
                    "INSERT INTO items (id, name, value) "  # noqa: S608 - constants
                    f"SELECT n, 'Item ' || n, n * 31 % 1000003 "
                    f"FROM ({_SERIES[self.kind]}) AS series"
                ),
                {"many": ITEMS},
            )
            connection.execute(text("COMMIT"))
            self._tidy(connection)

    def restore(self) -> None:
        """Bring back what a scenario changed, so that the next peer finds what this one found."""
        with self.engine.connect() as connection:
            connection.execute(text("BEGIN" if self.kind == "postgresql" else "BEGIN IMMEDIATE"))
            if self.kind == "postgresql":  # requests that were cut off may still be writing
                connection.execute(text("LOCK TABLE users, world IN SHARE ROW EXCLUSIVE MODE"))
            connection.execute(text(f"DELETE FROM users WHERE id > {USERS}"))  # noqa: S608
            connection.execute(
                text(f"UPDATE world SET randomnumber = id * 7919 % {WORLDS} + 1")  # noqa: S608
            )
            connection.execute(text("COMMIT"))
            self._tidy(connection, "users", "world")

    def users(self) -> int:
        """Count users."""
        with self.engine.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM users")) or 0

    def numbers(self, keys: list[int]) -> dict[int, int]:
        """Read the numbers of some worlds."""
        with self.engine.connect() as connection:
            found = connection.execute(text("SELECT id, randomnumber FROM world"))
            wanted = set(keys)
            return {key: number for key, number in found if key in wanted}

    def _tidy(self, connection: object, *tables: str) -> None:
        if self.kind == "postgresql":
            # Here and not by the server's own time table, in the middle of a measurement.
            connection.execute(text(f"VACUUM ANALYZE {', '.join(tables)}"))
            connection.execute(text("CHECKPOINT"))
        else:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _row(key: int) -> dict[str, object]:
    from datetime import date

    user = user_of(key)
    del user["id"]
    return {**user, "born": date.fromisoformat(user["born"])}
