import socket

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolExhausted

from carboy.backing.faults import translate
from carboy.errors import Unavailable


@pytest.fixture
def users(service, models):
    """Views that do what the test hands them."""
    service.tasks = []

    def write():
        from flask import request

        service.db.session.add(models.User(**request.json))
        service.db.session.commit()
        return "ok"

    def do():
        return service.tasks.pop()()

    service.app.add_url_rule("/users", view_func=write, methods=["POST"])
    service.app.add_url_rule("/do", view_func=do, methods=["POST"])
    first = {"email": "ann@example.com", "first": "Ann", "last": "Lee"}
    assert service.client.post("/users", json=first).status_code == 200
    return service


@pytest.mark.parametrize(("fields", "columns"), [
    pytest.param({"email": "ann@example.com"}, ["email"], id="one column"),
    pytest.param({"email": "b@example.com", "first": "Ann", "last": "Lee"}, ["first", "last"],
                 id="two columns together"),
    pytest.param({"email": "b@example.com", "id": 1}, ["id"], id="the primary key"),
])  # fmt: skip
def test_a_duplicate_is_a_409_that_names_the_columns(users, fields, columns):
    answer = users.client.post("/users", json=fields)
    assert answer.status_code == 409
    assert answer.json["message"] == f"There is one with this {' and '.join(columns)} already."
    assert answer.json["data"] == {name: ["Is taken."] for name in columns}
    assert "example.com" not in answer.text


def test_a_duplicate_of_an_expression_names_nothing(users):
    with users.app.app_context():
        users.db.session.execute(text("CREATE UNIQUE INDEX one_email ON users (lower(email))"))
        users.db.session.commit()
    answer = users.client.post("/users", json={"email": "ANN@example.com"})
    assert (answer.status_code, answer.json["data"]) == (409, None)


def test_a_duplicate_in_a_table_without_model_names_nothing(users):
    def write():
        users.db.session.execute(text("CREATE TABLE others (secret INTEGER UNIQUE)"))
        users.db.session.execute(text("INSERT INTO others VALUES (1), (1)"))

    users.tasks.append(write)
    answer = users.client.post("/do")
    assert (answer.status_code, answer.json["data"]) == (409, None)


@pytest.mark.parametrize("change", ["refers to nothing", "is still referred to"])
def test_a_broken_reference_is_a_409(users, models, change):
    def write():
        session = users.db.session
        session.add(models.Pet(owner_id=1 if change == "is still referred to" else 99))
        session.flush()
        session.execute(text("DELETE FROM users"))

    users.tasks.append(write)
    assert users.client.post("/do").status_code == 409


@pytest.mark.parametrize("fields", [
    pytest.param({"email": None}, id="a column that must not be null"),
    pytest.param({"email": "b@example.com", "age": -1}, id="a check"),
])  # fmt: skip
def test_what_validation_should_have_caught_stays_a_fault_of_the_code(users, fields):
    with pytest.raises(Exception, match="constraint"):
        users.client.post("/users", json=fields)


@pytest.mark.parametrize("number", [
    pytest.param(2**63, id="beyond 64 bits"),
    pytest.param(-(2**63) - 1, id="below 64 bits"),
    pytest.param(10**400, id="400 digits"),
])  # fmt: skip
@pytest.mark.parametrize("place", ["in a new row", "in a changed row"])
def test_a_number_no_column_can_hold_is_a_422(users, models, number, place):
    def write():
        session = users.db.session
        if place == "in a new row":
            session.add(models.User(email="big@example.com", age=number))
        else:
            session.query(models.User).update({"age": number})
        session.flush()

    users.tasks.append(write)
    answer = users.client.post("/do")
    assert (answer.status_code, answer.json["data"]) == (422, None)
    assert answer.json["message"].startswith("A value is too large")


@pytest.mark.parametrize(("statement", "values"), [
    pytest.param("SELECT CAST(:x AS smallint)", {"x": 70_000}, id="a number beyond its type"),
    pytest.param("INSERT INTO short VALUES (:x)", {"x": "four"}, id="a text that is too long"),
    pytest.param("SELECT CAST(:x AS text)", {"x": "a\0b"}, id="a text with NUL"),
    pytest.param("SELECT CAST(:x AS date) + 2147483000", {"x": "2026-01-01"}, id="a date too far"),
])  # fmt: skip
def test_a_value_that_postgresql_cannot_hold_is_a_422(users, on_postgresql, statement, values):
    def read():
        users.db.session.execute(text("CREATE TEMPORARY TABLE short (word varchar(3))"))
        users.db.session.execute(text(statement), values)

    users.tasks.append(read)
    assert users.client.post("/do").status_code == 422


def test_a_division_by_zero_stays_a_fault_of_the_code(users, on_postgresql):
    users.tasks.append(lambda: users.db.session.execute(text("SELECT 1 / 0")))
    with pytest.raises(Exception, match="zero"):
        users.client.post("/do")


def test_an_overflow_elsewhere_stays_a_fault_of_the_code(models):
    assert translate(OverflowError("math range error"), models.Model.metadata) is None


def test_a_wrong_statement_stays_a_fault_of_the_code(users):
    def wrong():
        users.db.session.execute(text("SELECT nothing FROM nowhere"))

    users.tasks.append(wrong)
    with pytest.raises(Exception, match="nowhere"):
        users.client.post("/do")


def test_other_errors_are_not_the_databases_business(models):
    assert translate(ZeroDivisionError(), models.Model.metadata) is None


def test_an_exhausted_pool_is_a_503(make_app, url, elsewhere):
    app = make_app(DATABASE_URL=url, DATABASE_POOL_SIZE=1, DATABASE_TIMEOUT_S=0.1)

    @app.get("/")
    def read():
        return str(app.db.session.scalar(text("SELECT 1")))

    with app.app_context():
        app.db.session.execute(text("SELECT 1"))
        refused = elsewhere(app.test_client().get, "/")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert app.test_client().get("/").text == "1"


def test_a_pool_timeout_says_when_to_come_back(models):
    meant = translate(PoolExhausted(), models.Model.metadata)
    assert isinstance(meant, Unavailable)
    assert meant.headers == {"Retry-After": "1"}


def test_a_server_that_is_not_there_is_a_503_and_no_readiness(make_app):
    with socket.socket() as taken:  # bound and not listening: nobody answers
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        app = make_app(DATABASE_URL=f"postgresql://ann:hush@127.0.0.1:{port}/shop")

        @app.get("/")
        def read():
            return str(app.db.session.scalar(text("SELECT 1")))

        refused = app.test_client().get("/")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        with pytest.raises(Exception, match="refused"):
            app.extensions["carboy.checks"]["database"]()
