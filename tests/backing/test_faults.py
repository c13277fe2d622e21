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
