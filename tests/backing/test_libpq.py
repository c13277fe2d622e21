"""Statements without a cursor: the rows and the errors that a cursor gives."""

import datetime as dt
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

psycopg = pytest.importorskip("psycopg")
from psycopg.adapt import PyFormat  # noqa: E402 - as above

from carboy.backing import libpq  # noqa: E402 - it imports the driver
from carboy.backing.libpq import fetched, sent_by  # noqa: E402

pytestmark = pytest.mark.usefixtures("on_postgresql")

DAY = dt.date(2026, 2, 28)
MOMENT = dt.datetime(2026, 2, 28, 12, 30, 15, 123456, tzinfo=dt.UTC)
STATEMENTS = [
    pytest.param("SELECT 1", {}, id="no parameters"),
    pytest.param("SELECT 1 WHERE %(a)s = 2", {"a": 1}, id="no rows"),
    pytest.param("SELECT %(a)s + 1", {"a": 7}, id="a small number"),
    pytest.param("SELECT %(a)s + 1", {"a": 70_000}, id="a number of four bytes"),
    pytest.param("SELECT %(a)s + 1", {"a": 7_000_000_000}, id="a number of eight bytes"),
    pytest.param("SELECT %(a)s::numeric", {"a": 7**60}, id="a number beyond"),
    pytest.param("SELECT %(b)s, %(a)s, %(b)s", {"a": 1, "b": "two"}, id="one parameter twice"),
    pytest.param("SELECT %(a)s::text, 5 %% 3", {"a": "5%"}, id="a percent sign"),
    pytest.param("SELECT %(a)s::int, NULL", {"a": None}, id="nothing"),
    pytest.param("SELECT %(a)s, %(b)s", {"a": DAY, "b": MOMENT}, id="times"),
    pytest.param("SELECT %(a)s, %(b)s", {"a": Decimal("1.50"), "b": 0.1}, id="fractions"),
    pytest.param("SELECT %(a)s, %(b)s", {"a": b"\0\xff", "b": uuid.UUID(int=7)}, id="bytes"),
    pytest.param("SELECT %(a)s, %(b)s::bool", {"a": [1, 2], "b": True}, id="an array"),
    pytest.param('SELECT %(a)s::jsonb, \'{"x": "é"}\'::json', {"a": "[1]"}, id="JSON"),
    pytest.param("SELECT n, 'ü' FROM generate_series(1, %(a)s) n", {"a": 300}, id="many rows"),
]


@pytest.fixture
def driver(url):
    with psycopg.connect(url, autocommit=True) as connected:
        connected.execute("SET TIME ZONE 'Asia/Kathmandu'")
        yield connected


def prepared(driver, text, values):
    """Have a cursor run a statement until it is prepared."""
    cursor = driver.execute(text, values or None)
    sent = sent_by(cursor)  # it forgets what it is asked again
    for _ in range(driver.prepare_threshold):
        cursor.execute(text, values or None)
    return cursor, sent


@pytest.mark.parametrize(("text", "values"), STATEMENTS)
def test_rows_are_those_of_a_cursor(driver, text, values):
    cursor, sent = prepared(driver, text, values)
    expected, kept = cursor.fetchall(), {}
    for _ in range(2):
        found = fetched(driver, kept, sent, values)
        assert repr(found) == repr(expected)
    assert sent.formats == (PyFormat.AUTO,) * len(values)


def test_values_of_another_type_take_a_cursor_until_it_has_prepared_that(driver):
    text = "SELECT %(a)s + 1"
    _, sent = prepared(driver, text, {"a": 1})
    assert fetched(driver, {}, sent, {"a": 70_000}) is None
    prepared(driver, text, {"a": 70_000})
    assert fetched(driver, {}, sent, {"a": 70_000}) == [(70_001,)]
    assert fetched(driver, {}, sent, {"a": 2}) == [(3,)]


def test_what_psycopg_has_given_up_takes_a_cursor(driver):
    _, sent = prepared(driver, "SELECT 1", {})
    driver.execute("BEGIN; ROLLBACK")
    driver.autocommit = False
    driver.execute("SELECT 2")
    driver.rollback()
    driver.autocommit = True
    assert fetched(driver, {}, sent, {}) is None
    assert driver.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_what_is_used_is_given_up_last(driver):
    driver._prepared.prepared_max = 2
    _, often = prepared(driver, "SELECT 1", {})
    _, once = prepared(driver, "SELECT 2", {})
    fetched(driver, {}, often, {})
    prepared(driver, "SELECT 3", {})
    driver.execute("SELECT 4")  # makes room
    assert fetched(driver, {}, once, {}) is None
    assert fetched(driver, {}, often, {}) == [(1,)]


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        pytest.param("SELECT 1 / %(a)s", {"a": 1}, {"a": 0}, id="a division by zero"),
        pytest.param("SELECT %(a)s::text::date", {"a": "2026-01-01"}, {"a": "x"}, id="no date"),
        pytest.param("SELECT %(a)s::text", {"a": "x"}, {"a": "\0"}, id="a zero byte"),
    ],
)
def test_errors_are_those_of_a_cursor(driver, text, good, bad):
    cursor, sent = prepared(driver, text, good)
    with pytest.raises(psycopg.Error) as expected:
        cursor.execute(text, bad)
    with pytest.raises(psycopg.Error) as found:
        fetched(driver, {}, sent, bad)
    assert type(found.value) is type(expected.value)
    assert str(found.value) == str(expected.value)
    assert found.value.sqlstate == expected.value.sqlstate
    assert fetched(driver, {}, sent, good) is not None


def test_a_connection_that_is_lost_is_broken(driver, url):
    _, sent = prepared(driver, "SELECT 1", {})
    with psycopg.connect(url, autocommit=True) as another:
        another.execute("SELECT pg_terminate_backend(%s)", (driver.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError, match=r"terminating|unexpectedly"):
        fetched(driver, {}, sent, {})
    assert driver.broken


def test_a_connection_that_is_lost_in_the_middle_tells_why(driver, url, elsewhere):
    _, sent = prepared(driver, "SELECT pg_sleep(%(a)s)", {"a": 0})
    with psycopg.connect(url, autocommit=True) as another:
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid = %s AND wait_event = 'PgSleep'"
        )

        def end():
            while not another.execute(ended, (driver.info.backend_pid,)).fetchall():
                time.sleep(0.01)

        with ThreadPoolExecutor(1) as threads:
            ending = threads.submit(end)
            with pytest.raises(psycopg.OperationalError, match="due to administrator command"):
                fetched(driver, {}, sent, {"a": 30})
            ending.result()
    assert driver.broken


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("TIME ZONE 'Europe/Berlin'", "SELECT '2026-02-03 12:00Z'::timestamptz"),
        ("DateStyle TO 'SQL, DMY'", "SELECT '2026-02-03'::date"),
        ("IntervalStyle TO 'iso_8601'", "SELECT '3 hours'::interval"),
        ("client_encoding TO 'LATIN1'", "SELECT chr(233), length(%(a)s)"),
    ],
    ids=lambda text: text.partition(" ")[0],
)
def test_settings_of_the_session_may_change(driver, setting, text):
    values = {"a": "é"} if "%" in text else {}
    cursor, sent = prepared(driver, text, values)
    kept = {}
    assert repr(fetched(driver, kept, sent, values)) == repr(cursor.fetchall())
    driver.execute(f"SET {setting}")
    try:
        expected = driver.execute(text, values or None).fetchall()
    except (psycopg.Error, NotImplementedError) as error:
        with pytest.raises(type(error)):
            fetched(driver, kept, sent, values)
    else:
        assert repr(fetched(driver, kept, sent, values)) == repr(expected)


def test_errors_are_read_in_the_encoding_of_the_session(driver):
    text = "SELECT ('é' || %(a)s::text)::date"
    driver.execute("SET client_encoding TO 'LATIN1'")
    _, sent = prepared(driver, text.replace("é", "2026-01-0"), {"a": "1"})
    with pytest.raises(psycopg.DataError, match='"2026-01-0é"'):
        fetched(driver, {}, sent, {"a": "é"})


def test_notifications_are_handled(driver):
    heard = []
    driver.add_notify_handler(heard.append)
    driver.execute("LISTEN news")
    _, sent = prepared(driver, "SELECT pg_notify('news', %(a)s)", {"a": "one"})
    heard.clear()
    fetched(driver, {}, sent, {"a": "two"})
    assert [each.payload for each in heard] == ["two"]


def test_a_large_result_is_not_held(driver):
    _, sent = prepared(driver, "SELECT n FROM generate_series(1, %(a)s) n", {"a": 3})
    for rows, held in ((100, True), (101, False)):
        kept = {}
        assert len(fetched(driver, kept, sent, {"a": rows})) == rows
        ((transformer, _),) = kept.values()
        assert (transformer.pgresult is not None) is held


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (psycopg.Cursor, "execute"),
        (psycopg.Cursor, "fetchall"),
        (psycopg.Connection, "cursor"),
        (psycopg.Connection, "wait"),
        (psycopg.waiting, "wait"),
    ],
)
def test_a_method_that_was_replaced_is_called(driver, monkeypatch, where, name):
    _, sent = prepared(driver, "SELECT 1", {})
    genuine = getattr(where, name)

    def watched(*given, **more):
        return genuine(*given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(where, name, watched)
        assert fetched(driver, {}, sent, {}) is None
    assert fetched(driver, {}, sent, {}) == [(1,)]


REPLACED_BEFORE = """
import functools, sys, psycopg
genuine = psycopg.Cursor.execute
if sys.argv[2] == "replaced":
    psycopg.Cursor.execute = functools.wraps(genuine)(lambda *a, **b: genuine(*a, **b))
from carboy.backing import libpq
with psycopg.connect(sys.argv[1]) as driver:
    print(libpq.sent_by(driver.execute("SELECT 1")) is not None)
"""


@pytest.mark.parametrize(("when", "sent"), [("replaced", "False"), ("as it was", "True")])
def test_who_replaced_a_method_before_is_called_as_well(url, when, sent):
    command = [sys.executable, "-c", REPLACED_BEFORE, url, when]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == sent


class Watching(psycopg.Cursor):
    pass


@pytest.mark.parametrize(
    ("name", "other"),
    [("cursor_factory", Watching), ("row_factory", psycopg.rows.namedtuple_row)],
)
def test_what_a_connection_makes_of_its_own_takes_a_cursor(driver, name, other):
    _, sent = prepared(driver, "SELECT 1", {})
    setattr(driver, name, other)
    assert fetched(driver, {}, sent, {}) is None


def test_a_connection_of_another_class_has_cursors_of_its_own(url):
    class Own(psycopg.Connection):
        pass

    with Own.connect(url, autocommit=True) as driver:
        _, sent = prepared(driver, "SELECT 1", {})
        assert fetched(driver, {}, sent, {}) is None


def test_a_thread_that_takes_signals_is_not_held_up(driver, monkeypatch, elsewhere):
    monkeypatch.setattr(libpq, "takes_signals", libpq.takes_signals.__wrapped__)
    _, sent = prepared(driver, "SELECT 1", {})
    assert fetched(driver, {}, sent, {}) is None
    assert elsewhere(fetched, driver, {}, sent, {}) == [(1,)]


def test_a_service_needs_no_cursor_for_what_it_asks_often(service, models, monkeypatch):
    from sqlalchemy import bindparam, select

    policy = service.app.extensions["carboy.database"]
    taken = []

    def counted(*given):
        found = fetched(*given)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(policy, "fetched", counted)
    statement = select(models.Counter).where(models.Counter.id == bindparam("key"))
    for _ in range(20):
        with service.app.test_request_context("/"):
            assert service.db.row(statement, key=1).id == 1
    assert taken[-10:] == [True] * 10
