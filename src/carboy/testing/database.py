"""A database of its own for each test."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url


@contextmanager
def fresh_database(url: str | None = None) -> Iterator[str]:
    """Make an empty database, give its URL, and remove it at the end.

    :param url: a database on the server to use; by default the variable ``DATABASE_URL``.
        PostgreSQL: a new database beside that one, which is not touched; its user must be
        allowed to create databases. SQLite, or nothing: a file in a temporary folder.
    :return: what to set ``DATABASE_URL`` to.

    ::

        with fresh_database() as url:
            app = create_app(Testing.load(DATABASE_URL=url))
    """
    given = make_url(url or os.environ.get("DATABASE_URL") or "sqlite://")
    if given.get_backend_name() == "sqlite":
        with tempfile.TemporaryDirectory(prefix="carboy-") as folder:
            yield f"sqlite:///{Path(folder) / 'test.sqlite3'}"
        return
    import psycopg  # an extra; SQLite does without

    given = given.set(drivername="postgresql")
    name = f"carboy_test_{uuid.uuid4().hex}"
    with psycopg.connect(given.render_as_string(hide_password=False), autocommit=True) as server:
        # template0 has no visitors, who would keep a parallel run from copying it
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield given.set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
