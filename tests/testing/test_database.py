import os
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, inspect, make_url, text

from carboy.testing import fresh_database


def tables(url):
    url = make_url(url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        before = inspect(connection).get_table_names()
        connection.execute(text("CREATE TABLE things (id INTEGER)"))
    return before


def test_each_is_empty_and_apart_from_the_others():
    with fresh_database() as one, fresh_database() as two:
        assert one != two
        assert (tables(one), tables(two)) == ([], [])


@pytest.mark.parametrize("given", [
    pytest.param(None, id="nothing set"),
    pytest.param("sqlite:///precious.sqlite3", id="a SQLite file, which is not touched"),
])  # fmt: skip
def test_sqlite_is_a_file_that_is_gone_afterwards(given, monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    with fresh_database(given) as url:
        path = Path(make_url(url).database)
        tables(url)
        assert path.is_file()
        assert path.name != "precious.sqlite3"
    assert not path.parent.exists()
    assert list(tmp_path.iterdir()) == []


def test_postgresql_is_a_database_that_is_gone_afterwards_even_while_in_use():
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        pytest.skip("DATABASE_URL does not name PostgreSQL")
    import psycopg

    with fresh_database(server) as url:
        left_open = psycopg.connect(url)
        left_open.execute("SELECT 1")
    left_open.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)
