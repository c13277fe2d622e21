"""What is not plain is answered by way of objects; what a request did before is seen."""

import logging

import pytest
from marshmallow import Schema, fields, post_dump
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

ROWS = [{"name": "Jar", "weight": 3}, {"name": "Pot", "weight": 5}]
NEW = {"name": "Cup", "weight": 1}


@pytest.fixture
def taken(seen_in_execution):
    """The statements that went the short way."""
    return seen_in_execution("read", "write", "write_alone")


@pytest.fixture
def listening():
    """Listen to something, and stop at the end."""
    put = []

    def listen(*given, **options):
        event.listen(*given, **options)
        put.append(given)

    yield listen
    for given in put:
        event.remove(*given)


def ask_all(client):
    """Read one, list, create."""
    one = client.get("/things/1")
    listed = client.get("/things")
    made = client.post("/things", json=NEW)
    assert [one.status_code, listed.status_code, made.status_code] == [200, 200, 201], made.text
    return one.json["data"], listed.json["data"]["items"], made.json["data"]


def test_what_is_plain_goes_the_short_way(shelf, resource, taken):
    client = shelf(resource(), rows=ROWS).client
    one, listed, made = ask_all(client)
    assert taken == ["read", "read", "write"]
    assert one["name"] == listed[0]["name"] == "Jar"
    assert made["name"] == "Cup"
    assert client.get("/things/3").json["data"] == made


class Loud(Schema):
    id = fields.Integer()
    name = fields.String()
    weight = fields.Integer()

    @post_dump
    def louder(self, data, **_):
        return {**data, "name": data["name"].upper()}


class Told(Schema):
    id = fields.Integer()
    name = fields.Method("of")

    def of(self, row):
        return type(row).__name__ + row.name


class Beyond(Schema):
    id = fields.Integer()
    name = fields.String()
    table = fields.String(attribute="__tablename__")


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        pytest.param(Loud, "JAR", id="a hook of the schema"),
        pytest.param(Told, "ThingJar", id="a method that is given the object"),
        pytest.param(Beyond, "Jar", id="an attribute that is no column"),
    ],
)
def test_a_schema_that_needs_objects_gets_them(shelf, resource, taken, schema, name):
    client = shelf(resource(schema=schema), rows=ROWS).client
    one, listed, _ = ask_all(client)
    assert taken == []
    assert one["name"] == listed[0]["name"] == name


@pytest.mark.parametrize("method", ["read", "list", "create", "save"])
def test_an_overridden_method_is_called(shelf, resource, taken, method):
    calls = []

    def own(self, *given):
        calls.append(method)
        return getattr(super(kind, self), method)(*given)

    kind = resource(**{method: own})
    ask_all(shelf(kind, rows=ROWS).client)
    assert calls
    assert taken == {
        "read": ["read"], "list": ["read", "write"], "create": ["read"] * 2, "save": ["read"] * 2,
    }[method]  # fmt: skip


def test_a_query_that_narrows_goes_the_short_way(shelf, resource, things, taken):
    kind = resource(query=lambda _: select(things.Thing).where(things.Thing.weight > 3))
    client = shelf(kind, rows=ROWS).client
    assert client.get("/things/1").status_code == 404
    assert [row["name"] for row in client.get("/things").json["data"]["items"]] == ["Pot"]
    assert taken == ["read", "read"]


@pytest.mark.parametrize(
    "narrow",
    [
        pytest.param(lambda rows, thing: rows.group_by(thing.id), id="groups of rows"),
        pytest.param(lambda rows, thing: rows.join(thing.__table__.alias(), text("1 = 1")).limit(1),
                     id="a join"),
        pytest.param(lambda rows, _: rows.execution_options(anything=1), id="options"),
    ],
)  # fmt: skip
def test_a_query_that_may_do_more_does_not(shelf, resource, things, taken, narrow):
    kind = resource(query=lambda _: narrow(select(things.Thing), things.Thing), only=("list",))
    assert shelf(kind, rows=ROWS).client.get("/things").status_code == 200
    assert taken == []


@pytest.mark.parametrize(
    ("target", "name", "left"),
    [
        pytest.param("model", "load", [], id="objects that are loaded"),
        pytest.param("model", "before_insert", ["read"] * 2, id="objects before they are written"),
        pytest.param("model", "init", ["read"] * 2, id="objects that are made"),
        pytest.param("name", "set", ["read"] * 2, id="attributes that are set"),
        pytest.param("session", "do_orm_execute", [], id="statements of sessions"),
        pytest.param("session", "after_begin", [], id="transactions that begin"),
        pytest.param("session", "before_flush", ["read"] * 2, id="what sessions write"),
        pytest.param("engine", "before_cursor_execute", [], id="statements of the driver"),
        pytest.param("engine", "commit", [], id="commits"),
    ],
)
def test_whoever_listens_is_told(  # noqa: PLR0917 - fixtures
    shelf, resource, things, taken, listening, target, name, left
):
    service = shelf(resource(), rows=ROWS)
    told = []
    with service.app.app_context():
        engine = service.db.engine
    of = {
        "model": things.Thing, "name": things.Thing.name, "session": Session, "engine": engine,
    }[target]  # fmt: skip
    listening(of, name, lambda *_given, **_more: told.append(name))
    ask_all(service.client)
    assert told
    assert taken == left


def test_a_request_sees_what_it_did_before(shelf, resource, things, taken):
    service = shelf(resource(), rows=ROWS)

    @service.app.before_request
    def heavier():
        service.db.session.get(things.Thing, 1).weight = 99  # not written yet

    assert service.client.get("/things/1").json["data"]["weight"] == 99
    assert service.client.get("/things").json["data"]["items"][0]["weight"] == 99
    assert taken == []


def test_a_transaction_around_the_request_is_taken_part_in(shelf, resource):
    service = shelf(resource(), rows=ROWS)
    lane = service.app.extensions["carboy.lane"]
    with service.app.test_request_context("/things", method="POST"):
        assert lane.is_open_to_write()
        with service.db.enclosing("a key"):
            assert not lane.is_open_to_write()
    with service.app.test_request_context("/things"):
        assert lane.is_open()
        with service.db.writing():
            assert not lane.is_open()


def test_a_trigger_has_its_way(shelf, resource, taken):
    service = shelf(resource(), rows=ROWS)
    with service.app.app_context(), service.db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(
                text(
                    "CREATE TRIGGER heavier AFTER INSERT ON things BEGIN"
                    " UPDATE things SET weight = 77 WHERE id = new.id; END"
                )
            )
        else:
            connection.execute(
                text(
                    "CREATE FUNCTION heavier() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " UPDATE things SET weight = 77 WHERE id = new.id; RETURN NULL; END $$"
                )
            )
            connection.execute(
                text(
                    "CREATE TRIGGER heavier AFTER INSERT ON things"
                    " FOR EACH ROW EXECUTE FUNCTION heavier()"
                )
            )
    assert service.client.post("/things", json=NEW).json["data"]["weight"] == 77
    assert "write" not in taken


def test_an_answer_that_cannot_be_made_leaves_no_row(shelf, resource, things, taken, caplog):
    class Wrong(things.Out):
        name = fields.Integer()  # of text

    caplog.set_level(logging.CRITICAL)
    service = shelf(resource(schema=Wrong))
    service.app.config["PROPAGATE_EXCEPTIONS"] = False
    assert service.client.post("/things", json=NEW).status_code == 500
    assert taken == ["write"]
    with service.app.app_context():
        assert service.db.session.scalars(select(things.Thing)).all() == []
        service.db.session.rollback()
        assert service.db.engine.pool.checkedout() == 0


def test_a_conflict_is_the_same(shelf, resource, taken):
    client = shelf(resource(), rows=ROWS).client
    refused = client.post("/things", json={"name": "Jar"})
    assert refused.status_code == 409
    assert refused.json["data"] == {"name": ["Is taken."]}
    assert client.post("/things", json=NEW).status_code == 201
    assert taken == ["write", "write"]
