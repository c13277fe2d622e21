"""Rows without objects: the same as the session sees, with nothing left behind."""

import datetime as dt
import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Integer,
    MetaData,
    Numeric,
    Table,
    bindparam,
    event,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from carboy.backing.database import Database
from carboy.backing.direct import lane as lanes
from carboy.backing.direct.execution import Execution
from carboy.backing.moment import Moment
from carboy.backing.records import Records
from carboy.errors import NotFound


@pytest.fixture
def people(service, models):
    """Three users, and a request that only reads."""
    user = models.User
    with service.app.app_context():
        for age, name in enumerate(("ann", "bob", "cid"), 1):
            service.db.session.add(user(email=f"{name}@example.com", first=name, age=age))
            service.db.session.flush()
        service.db.session.commit()
    return service


@pytest.fixture
def reading(people):
    with people.app.test_request_context("/"):
        yield people


def idle(service):
    """Tell whether no connection is in use, as after the last request."""
    return service.db.engine.pool.checkedout() == 0


def statements(engine):
    """Write down what goes through SQLAlchemy's hands."""
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    return seen


def test_an_entity_stands_for_its_columns(reading, models):
    user = models.User
    rows = reading.db.rows(select(user).order_by(user.id))
    assert rows.names == ("id", "email", "first", "last", "age")
    assert [row.email for row in rows][:2] == ["ann@example.com", "bob@example.com"]
    assert rows[0] == (1, "ann@example.com", "ann", None, 1)
    assert rows[1:].tuples == rows.tuples[1:]
    assert pickle.loads(pickle.dumps(rows[0])) == rows[0]


@pytest.mark.parametrize(
    ("what", "names"),
    [
        pytest.param(lambda u: (u.id, u.email), ("id", "email"), id="columns"),
        pytest.param(lambda u: (func.count(u.id).label("many"),), ("many",), id="a label"),
        pytest.param(lambda u: (aliased(u, name="other"),), ("id", "email", "first", "last", "age"),
                     id="an alias"),
    ],
)  # fmt: skip
def test_columns_have_the_names_they_were_given(reading, models, what, names):
    assert reading.db.rows(select(*what(models.User))).names == names


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        pytest.param(
            lambda u: (u.id, u.id.label("id")), "several columns named id", id="one twice"
        ),
        pytest.param(lambda u: (u, aliased(u)), "several columns named", id="two entities alike"),
        pytest.param(lambda u: (u.id + 1,), "no name", id="an expression without a name"),
    ],
)
def test_a_column_needs_a_name_of_its_own(reading, models, what, remedy):
    with pytest.raises(TypeError, match=remedy):
        reading.db.rows(select(*what(models.User)))


def test_parameters_are_given_by_name(reading, models):
    by_id = select(models.User.email).where(models.User.id == bindparam("id"))
    assert reading.db.row(by_id, id=2).email == "bob@example.com"
    assert reading.db.row(by_id, id=3).email == "cid@example.com"


def test_one_row_is_the_only_one_or_404(reading, models):
    user = models.User
    with pytest.raises(NotFound, match="No such user"):
        reading.db.rows(select(user).where(user.id == 9)).one("No such user.")
    with pytest.raises(ValueError, match="3 were found"):
        reading.db.row(select(user))
    assert reading.db.rows(select(user).where(user.id == 9)).first() is None


def test_a_request_that_reads_leaves_no_transaction_behind(reading, models):
    for _ in range(3):
        assert len(reading.db.rows(select(models.User))) == 3
    assert not reading.db.session.in_transaction()
    assert idle(reading)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_session_changed_is_read(people, models, method):
    user = models.User
    with people.app.test_request_context("/", method=method):
        with people.db.writing() as session:
            session.get(user, 1).age = 50
            assert people.db.rows(select(user.age).where(user.id == 1))[0].age == 50
            session.add(models.User(email="new@example.com"))
            assert len(people.db.rows(select(user))) == 4
        people.db.session.add(models.User(email="newer@example.com"))
        assert len(people.db.rows(select(user))) == 5


def test_an_open_transaction_is_the_one_that_reads(reading, models, elsewhere):
    user = models.User
    reading.db.session.execute(update(user).values(age=7))
    assert {row.age for row in reading.db.rows(select(user))} == {7}

    def look():
        with reading.app.test_request_context("/"):
            return {row.age for row in reading.db.rows(select(user))}

    assert elsewhere(look) == {1, 2, 3}


def test_whoever_listens_is_told(reading, models):
    seen = statements(reading.db.engine)
    assert reading.db.rows(select(models.User.id))[0].id == 1
    assert len([one for one in seen if "SELECT users.id" in one]) == 1


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda u: select(u).with_for_update(), id="a lock"),
        pytest.param(lambda u: select(func.any_of_the_projects(u.id)), id="an unknown function"),
        pytest.param(lambda u: select(u.id).where(text("1 = 1")), id="text"),
    ],
)
def test_what_may_need_a_transaction_gets_one(reading, models, make, monkeypatch):
    monkeypatch.setattr(lanes.Lane, "read", None)
    if "any_of" in str(make(models.User)):
        with pytest.raises(DBAPIError):
            reading.db.rows(make(models.User))
    else:
        assert len(reading.db.rows(make(models.User))) == 3
    assert reading.db.session.in_transaction()


@pytest.fixture
def within(monkeypatch):
    """What was run in the transaction of a session without its objects, and what that gave."""
    given = []
    genuine = Execution.read_within

    def counted(self, *told):
        given.append(genuine(self, *told))
        return given[-1]

    monkeypatch.setattr(Execution, "read_within", counted)
    return given


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda u, n: select(u.id, u.first).where(u.id == n), id="a condition"),
        pytest.param(lambda u, n: select(u.id).where(u.id == n).with_for_update(), id="a lock"),
        pytest.param(lambda u, n: select(u.id).where(text("id = :n").bindparams(n=n)), id="text"),
        pytest.param(lambda u, n: select(func.nullif(u.id, n).label("x")), id="a function"),
        pytest.param(lambda u, n: select(u.last).order_by(u.id).limit(n), id="some, all NULL"),
        pytest.param(lambda u, n: select(u.id).where(u.first.like(f"%{n}")), id="none"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_transaction_reads_what_its_session_would(people, models, within, method, make):
    with people.app.test_request_context("/", method=method):
        people.db.session.connection()
        for number in (1, 2, 1):
            statement = make(models.User, number)
            rows = people.db.rows(statement)
            assert list(rows) == [tuple(row) for row in people.db.session.execute(statement)]
    assert len(within) == 3


def test_values_in_a_transaction_are_those_of_their_types(make_app, url, within):
    table = Table(
        "prices", MetaData(), Column("id", Integer, primary_key=True), Column("at", Moment),
        Column("price", Numeric(10, 2)), Column("more", JSON),
    )  # fmt: skip
    row = (1, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), Decimal("1.50"), {"a": [1]})
    app = make_app(DATABASE_URL=url)
    with app.test_request_context("/", method="POST"):
        table.metadata.create_all(app.db.engine)
        with app.db.writing() as session:
            session.execute(table.insert().values(row))
            assert app.db.row(select(table)) == row
            assert app.db.row(select(table).where(table.c.price == Decimal("1.50"))) == row
    assert within == [[row], [row]]


@pytest.mark.parametrize("of", ["statement", "connection", "session"])
def test_options_have_their_effect_in_a_transaction(make_app, url, within, of):
    options = {"schema_translate_map": {"here": None}}
    table = Table("things", MetaData(schema="here"), Column("id", Integer, primary_key=True))
    given = {"session_options": {"execution_options": options}} if of == "session" else {}
    app = make_app(Database(MetaData(), **given), DATABASE_URL=url)
    asked = select(table.c.id)
    with app.test_request_context("/", method="POST"):
        with app.db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE things (id INTEGER)")
        if of == "connection":
            app.db.session.connection(execution_options=options)
        if of == "statement":
            asked = asked.execution_options(**options)
        assert list(app.db.rows(asked)) == []
    assert within in ([], [None])


def test_options_of_a_statement_have_their_effect_without_one(make_app, url):
    table = Table("things", MetaData(schema="here"), Column("id", Integer, primary_key=True))
    app = make_app(DATABASE_URL=url)
    asked = select(table.c.id).execution_options(schema_translate_map={"here": None})
    with app.test_request_context("/"):
        with app.db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE things (id INTEGER)")
        assert list(app.db.rows(asked)) == []


def test_an_error_in_a_transaction_is_that_of_its_session(people, models, within):
    nowhere = select(Table("nowhere", MetaData(), Column("id", Integer)))
    with people.app.test_request_context("/", method="POST"):
        people.db.session.add(models.User(email="dan@example.com"))
        people.db.session.flush()
        with pytest.raises(DBAPIError) as raised:
            people.db.rows(nowhere)
        assert "nowhere" in raised.value.statement
        people.db.session.rollback()
        assert len(people.db.rows(select(models.User))) == 3
        people.db.session.rollback()
        assert idle(people)
    assert len(within) == 1


def test_errors_are_those_of_sqlalchemy_and_leave_nothing(reading):
    nowhere = Table("nowhere", MetaData(), Column("id", Integer))
    with pytest.raises(DBAPIError) as raised:
        reading.db.rows(select(nowhere.c.id))
    assert "nowhere" in raised.value.statement
    assert idle(reading)


@pytest.mark.parametrize("step", ["begin_alone", "end_alone", "is_outdated"])
def test_an_interrupt_leaves_no_half_prepared_connection(reading, models, step, monkeypatch):
    policy = reading.app.extensions["carboy.database"]
    genuine = getattr(policy, step)

    def interrupted(*given, **more):
        if step != "end_alone":
            genuine(*given, **more)
        raise KeyboardInterrupt

    assert len(reading.db.rows(select(models.User.id))) == 3
    monkeypatch.setattr(policy, step, interrupted)
    nowhere = Table("nowhere", MetaData(), Column("id", Integer))
    with pytest.raises(KeyboardInterrupt):
        reading.db.rows(select(nowhere.c.id if step == "is_outdated" else models.User.id))
    monkeypatch.undo()
    assert idle(reading)
    reading.db.session.execute(update(models.User).values(age=7))
    reading.db.session.rollback()  # which a connection that commits by itself could not do
    assert {row.age for row in reading.db.rows(select(models.User))} == {1, 2, 3}


def test_statements_that_are_remembered_are_bounded(reading, models, monkeypatch):
    monkeypatch.setattr(lanes, "STATEMENTS_MAX", 5)
    known = reading.app.extensions["carboy.lane"]._known
    for number in range(12):
        columns = [models.User.id.label(f"n{each}") for each in range(number + 1)]
        assert len(reading.db.rows(select(*columns))) == 3
    assert len(known) == 5


def test_threads_do_not_get_each_others_rows(people, models):
    user = models.User

    def look(number):
        with people.app.test_request_context("/"):
            row = people.db.row(select(user).where(user.id == number % 3 + 1))
            return row.age == number % 3 + 1

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(look, range(200)))
    with people.app.app_context():
        assert idle(people)


def test_isolated_tests_see_their_own_changes(people, models):
    with people.db.test_isolation(people.app):
        with people.app.test_request_context("/", method="POST"):
            people.db.session.execute(update(models.User).values(age=99))
            people.db.session.commit()
        with people.app.test_request_context("/"):
            assert {row.age for row in people.db.rows(select(models.User))} == {99}
    with people.app.test_request_context("/"):
        assert {row.age for row in people.db.rows(select(models.User))} == {1, 2, 3}


@pytest.mark.usefixtures("on_postgresql")
class TestOnPostgreSQL:
    def test_a_restart_of_the_server_is_noticed(self, reading, models):
        from sqlalchemy import create_engine

        assert len(reading.db.rows(select(models.User))) == 3
        outside = create_engine(reading.url.replace("postgresql:", "postgresql+psycopg:"))
        with outside.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        outside.dispose()
        assert len(reading.db.rows(select(models.User))) == 3

    def test_a_statement_alone_is_refused_where_a_transaction_is_open(self, reading):
        policy = reading.app.extensions["carboy.database"]
        with reading.db.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            with pytest.raises(Exception, match="can't change 'autocommit' now"):
                policy.begin_alone(connection.connection.dbapi_connection, several=False)
            assert not connection.connection.dbapi_connection.autocommit

    def test_tables_may_change_under_prepared_statements(self, reading, models):
        import psycopg

        for _ in range(10):  # more often than the driver waits before it prepares one
            assert reading.db.rows(select(models.User.first))[0].first == "ann"
        with psycopg.connect(reading.url) as another:
            another.execute("ALTER TABLE users ALTER COLUMN first TYPE char(5)")
        assert reading.db.rows(select(models.User.first))[0].first == "ann  "
        assert idle(reading)

    def test_a_session_on_outdated_statements_is_asked_to_retry(self, people, models):
        import psycopg

        @people.app.get("/first")
        def first():
            found = people.db.session.scalars(select(models.User.first)).first()
            people.db.session.commit()  # a rollback lets the driver forget what it prepared
            return found

        for _ in range(10):
            assert people.client.get("/first").text == "ann"
        with psycopg.connect(people.url) as another:
            another.execute("ALTER TABLE users ALTER COLUMN first TYPE char(5)")
        assert people.client.get("/first").status_code == 503
        assert people.client.get("/first").text == "ann  "

    @pytest.mark.parametrize(
        ("option", "prepared"), [("", True), ("?prepare_threshold=none", False)]
    )
    def test_preparing_can_be_turned_off(self, make_app, url, models, option, prepared):
        app = make_app(DATABASE_URL=url + option, DATABASE_POOL_SIZE=1)
        with app.test_request_context("/"):
            models.Model.metadata.create_all(app.db.engine)
            for _ in range(10):
                app.db.rows(select(models.User.id))
            found = app.db.session.scalar(
                text(
                    "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%users.id%'"
                )
            )
        assert bool(found) is prepared

    def test_what_cannot_be_read_as_a_number_is_refused(self, make_app, url, models):
        with pytest.raises(Exception, match="prepare_threshold=often"):
            make_app(DATABASE_URL=url + "?prepare_threshold=often")


def test_rows_compare_and_show_as_what_they_are():
    rows = Records(("a", "b"), [(1, 2)])
    assert repr(rows) == "Records([Record(a=1, b=2)])"
    assert list(rows) == [(1, 2)]
    assert len(Records(("a",), [])) == 0
