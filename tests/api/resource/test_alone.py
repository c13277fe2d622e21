"""A row that is written by one statement, and nothing else around it."""

import logging
import tempfile
from pathlib import Path

import flask
import pytest
from flask import url_for
from marshmallow import Schema, fields
from sqlalchemy import event, text

from carboy.api.blueprint import Blueprint
from carboy.api.envelope import Bare
from carboy.api.resource import certainty

ROW = {
    "name": "Jar", "weight": 3, "sold": "2026-01-02", "worth": "2.50", "pull": 1.5, "kind": "glass",
}  # fmt: skip


class Plain(Schema):
    id = fields.Integer(dump_only=True)
    name = fields.String(required=True)
    kind = fields.String()
    weight = fields.Integer(allow_none=True)
    sold = fields.Date(allow_none=True)
    worth = fields.Decimal()
    pull = fields.Float(allow_none=True, allow_nan=True)


@pytest.fixture
def ways(seen_in_execution):
    """How rows were written."""
    return seen_in_execution("write", "write_alone")


@pytest.fixture
def plain(resource):
    return lambda **members: resource(**{"schema": Plain, "writable": Plain, **members})


def test_what_can_always_be_shown_is_committed_by_its_statement(shelf, plain, ways):
    client = shelf(plain()).client
    for name in ("Jar", "Pot"):
        made = client.post("/things", json={**ROW, "name": name})
        assert made.status_code == 201
        again = client.get(made.headers["Location"])
        assert again.json == made.json
        assert again.json["data"] == {**ROW, "name": name, "id": made.json["data"]["id"]}
    assert client.post("/things", json={"name": "Cup"}).json["data"]["worth"] == "1.00"
    assert ways == ["write_alone"] * 3


def formatted():
    class Formatted(Plain):
        sold = fields.Date(format="%d.%m.%Y")

    return {"schema": Formatted}


def mismatched():
    class Mismatched(Plain):
        kind = fields.Integer()  # of text

    return {"schema": Mismatched}


def own_field():
    class Loud(fields.String):
        def _serialize(self, value, *given, **more):
            return super()._serialize(value, *given, **more).upper()

    class Own(Plain):
        name = Loud()

    return {"schema": Own}


@pytest.mark.parametrize(
    ("members", "row"),
    [
        pytest.param(formatted, ROW, id="a format of its own"),
        pytest.param(mismatched, {**ROW, "kind": "7"}, id="another kind of value"),
        pytest.param(dict, {**ROW, "pull": "Infinity"}, id="infinity"),
        pytest.param(
            lambda: {"prepare": lambda _, data: {**data, "weight": True}}, ROW, id="almost a number"
        ),
    ],
)
def test_what_might_not_be_shown_is_not(  # noqa: PLR0917 - fixtures
    shelf, plain, ways, caplog, members, row
):
    caplog.set_level(logging.CRITICAL)
    service = shelf(plain(**members()))
    service.app.config["PROPAGATE_EXCEPTIONS"] = False
    made = service.client.post("/things", json=row)
    assert ways == ["write"]
    assert service.client.get("/things/1").status_code == (200 if made.status_code == 201 else 404)


def test_a_field_of_the_project_is_asked(shelf, plain, ways):
    client = shelf(plain(**own_field())).client
    assert client.post("/things", json=ROW).json["data"]["name"] == "JAR"
    assert ways == []


class Cautious(Bare):
    """An envelope of the project."""

    def success(self, data, status):
        if status == 201:
            raise RuntimeError("no answer")
        return super().success(data, status)


class Fragile(flask.Response):
    """A response of the project."""


def envelope(app):
    app.extensions["carboy.envelope"] = Cautious()


def response(app):
    app.response_class = Fragile


def defaults(app):
    app.url_defaults(lambda *_: None)


@pytest.mark.parametrize("own", [envelope, response, defaults])
def test_code_of_the_project_runs_before_the_commit(shelf, plain, ways, caplog, own):
    caplog.set_level(logging.CRITICAL)
    service = shelf(plain())
    service.app.config["PROPAGATE_EXCEPTIONS"] = False
    own(service.app)
    made = service.client.post("/things", json=ROW)
    assert made.status_code == (500 if own is envelope else 201)
    assert ways == ["write"]
    assert service.client.get("/things/1").status_code == (404 if own is envelope else 200)


def test_what_is_taken_for_certain_wrongly_would_be_seen(shelf, plain, ways, caplog, monkeypatch):
    monkeypatch.setattr(certainty.Certainty, "of", lambda *_: True)
    caplog.set_level(logging.CRITICAL)
    service = shelf(plain(**mismatched()))
    service.app.config["PROPAGATE_EXCEPTIONS"] = False
    assert service.client.post("/things", json=ROW).status_code == 500
    assert ways == ["write_alone"]
    counted = "SELECT count(*) FROM things"
    with service.app.app_context():
        assert service.db.session.scalar(text(counted)) == 1


def test_a_conflict_leaves_the_connection_as_it_was(shelf, plain, ways):
    service = shelf(plain())
    assert service.client.post("/things", json=ROW).status_code == 201
    for _ in range(3):
        refused = service.client.post("/things", json=ROW)
        assert refused.status_code == 409
        assert refused.json["data"] == {"name": ["Is taken."]}
    with service.app.app_context():
        assert service.db.engine.pool.checkedout() == 0
        service.db.session.execute(text("DELETE FROM things"))
        service.db.session.rollback()
    assert service.client.get("/things/1").status_code == 200
    assert ways == ["write_alone"] * 4


@pytest.mark.parametrize("mounted", ["/", "/shop"])
@pytest.mark.parametrize(
    "where",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"url_prefix": "/v1"}, id="below a prefix"),
        pytest.param({"url_prefix": "/<tenant>"}, id="below a variable"),
    ],
)
def test_an_address_is_the_one_that_flask_writes(shelf, plain, mounted, where):
    written = []

    api = Blueprint("api", __name__, **where)
    service = shelf(plain(), blueprint=api)

    @service.app.after_request
    def note(answer):
        if answer.status_code == 201:
            values = {**flask.request.view_args, "id": answer.json["data"]["id"]}
            written.append(url_for(".things_item", **values))
        return answer

    prefix = where.get("url_prefix", "").replace("<tenant>", "a b")
    for number in range(12):
        made = service.client.post(
            f"{prefix}/things",
            json={**ROW, "name": str(number)},
            environ_overrides={"SCRIPT_NAME": mounted.rstrip("/")},
        )
        assert made.headers["Location"] == written[-1]
    assert len(set(written)) == 12


@pytest.fixture
def trips(shelf, plain):
    """Serve, and count how often the server is asked."""
    service = shelf(plain(), rows=[{"name": "Jar"}])
    with service.app.app_context():
        engine = service.db.engine
    if engine.dialect.name != "postgresql":
        pytest.skip("DATABASE_URL does not name PostgreSQL")
    engine.dispose()
    with tempfile.NamedTemporaryFile() as file:
        event.listen(engine, "connect", lambda driver, _: driver.pgconn.trace(file.fileno()))

        def count(ask):
            before = Path(file.name).read_text(encoding="utf-8").count("\n")
            ask()
            lines = Path(file.name).read_text(encoding="utf-8").splitlines()[before:]
            # Each of these messages asks the server to answer (PostgreSQL, "Message Flow").
            return sum(line.split("\t")[1:2] == ["F"] and _asks(line) for line in lines)

        yield service.client, count, service
        engine.dispose()


def _asks(line):
    return line.split("\t")[3] in {"Sync", "Query"}


def test_one_row_is_read_and_written_by_one_question(trips):
    client, count, _ = trips
    names = iter(range(100))
    asked = {
        "read": lambda: client.get("/things/1"),
        "list": lambda: client.get("/things"),
        "create": lambda: client.post("/things", json={**ROW, "name": f"n{next(names)}"}),
    }
    for ask in asked.values():  # connects, learns whether there are triggers
        assert ask().status_code < 300
    for number in range(12):
        found = {name: count(ask) for name, ask in asked.items()}
        if number < 3 or number > 8:  # in between the driver prepares them, each by a question
            assert found == dict.fromkeys(asked, 1)


def test_tables_may_change_under_a_prepared_insert(trips):
    client, _, service = trips
    for number in range(9):
        if number == 8:
            with service.app.app_context(), service.db.engine.begin() as connection:
                connection.execute(text("ALTER TABLE things ALTER COLUMN kind TYPE char(9)"))
        made = client.post("/things", json={**ROW, "name": f"n{number}"})
        assert made.json["data"]["kind"] == ("glass    " if number == 8 else "glass")
