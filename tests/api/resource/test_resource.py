"""What a resource does over HTTP, on a real database."""

import uuid
from functools import wraps

import pytest
from marshmallow import INCLUDE, Schema, fields
from openapi_spec_validator import validate
from sqlalchemy import select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from carboy.api.blueprint import Blueprint
from carboy.api.envelope import Bare
from carboy.api.resource import Resource
from carboy.errors import Forbidden

FULL = {
    "name": "Jar", "kind": "glass", "weight": 3, "worth": "2.50", "sold_on": "2026-05-01",
    "box": {"size": 2, "colour": "red"}, "owner_id": None,
}  # fmt: skip


@pytest.fixture
def client(shelf, resource):
    return shelf(resource()).client


@pytest.fixture
def jar(client):
    answer = client.post("/things", json=FULL)
    assert answer.status_code == 201, answer.text
    return answer


def data(answer):
    assert answer.status_code < 300, answer.text
    return answer.json["data"]


def test_creating_answers_the_row_and_says_where_it_is(client, jar):
    assert data(jar) == {**FULL, "id": 1}
    assert jar.headers["Location"] == "/things/1"
    read = client.get("/things/1")
    assert data(read) == data(jar)
    assert read.headers["ETag"] == jar.headers["ETag"]
    assert data(client.get("/things"))["items"] == [data(jar)]


def test_replacing_sets_what_is_left_out_to_its_default(client, jar):
    answer = client.put("/things/1", json={"name": "Pot"})
    assert data(answer) == {
        "id": 1, "name": "Pot", "kind": "plain", "weight": None, "worth": "1.00",
        "sold_on": None, "box": {}, "owner_id": None,
    }  # fmt: skip
    assert answer.headers["ETag"] == client.get("/things/1").headers["ETag"]


def test_replacing_needs_what_is_required(client, jar):
    answer = client.put("/things/1", json={"kind": "clay"})
    assert answer.status_code == 422
    assert answer.json["data"].keys() == {"name"}


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json"])
@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        pytest.param("{}", {}, id="nothing sent: nothing changed"),
        pytest.param('{"kind": "clay"}', {"kind": "clay"}, id="what is sent is set"),
        pytest.param('{"weight": null}', {"weight": None}, id="null empties"),
        pytest.param(
            '{"box": {"size": 9}}', {"box": {"size": 9, "colour": "red"}}, id="objects are merged"
        ),
        pytest.param('{"box": {"colour": null}}', {"box": {"size": 2}}, id="null removes a part"),
    ],
)
def test_a_patch_is_a_merge_patch(client, jar, content_type, patch, changed):
    answer = client.patch("/things/1", data=patch, content_type=content_type)
    assert data(answer) == {**data(jar), **changed}
    assert data(client.get("/things/1")) == data(answer)
    assert answer.headers["ETag"] == client.get("/things/1").headers["ETag"]


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        pytest.param({"name": None}, "name", id="null where there must be something"),
        pytest.param({"box": None}, "box", id="null for an object that must be there"),
        pytest.param({"box": {"size": None}}, "box", id="removing a part that must be there"),
        pytest.param({"box": {"depth": 1}}, "box", id="an unknown part"),
        pytest.param({"box": 7}, "box", id="no object where one must be"),
        pytest.param({"id": 7}, "id", id="the key"),
        pytest.param({"secret": "x"}, "secret", id="a column the schema does not list"),
    ],
)
def test_a_patch_that_cannot_be_changes_nothing(client, jar, patch, field):
    answer = client.patch("/things/1", json=patch)
    assert answer.status_code == 422
    assert answer.json["data"].keys() == {field}
    assert data(client.get("/things/1")) == data(jar)


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize("column", ["id", "secret"])
def test_nothing_can_be_set_that_the_schema_does_not_list(client, jar, things, method, column):
    path = "/things" if method == "post" else "/things/1"
    answer = getattr(client, method)(path, json={**FULL, "name": "Cup", column: "9"})
    assert answer.status_code == 422
    assert answer.json["data"].keys() == {column}


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("weight", 2**31, id="a number beyond 32 bits"),
        pytest.param("weight", -(10**40), id="a number of forty digits"),
        pytest.param("name", "x" * 41, id="a text longer than its column"),
        pytest.param("worth", "10000.00", id="more digits than its column"),
        pytest.param("worth", "1e308", id="three hundred digits"),
        pytest.param("kind", "a\0b", id="a NUL"),
    ],
)
def test_what_a_column_cannot_hold_is_refused_naming_the_field(client, jar, method, field, value):
    path = "/things" if method == "post" else "/things/1"
    answer = getattr(client, method)(path, json={**FULL, "name": "Cup", field: value})
    assert answer.status_code == 422
    assert answer.json["data"].keys() == {field}


def test_deleting_answers_nothing_and_leaves_nothing(client, jar):
    answer = client.delete("/things/1")
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get("/things/1").status_code == 404
    assert client.delete("/things/1").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("key", [0, 7, 2**31, 2**63, 10**40])
def test_an_unknown_row_is_404_and_is_named_however_large_its_key(client, method, key):
    sent = {"json": FULL} if method in ("PUT", "PATCH") else {}
    answer = client.open(f"/things/{key}", method=method, **sent)
    assert answer.status_code == 404
    assert answer.json["message"] == f"No thing {key}."


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_duplicate_is_a_conflict_and_names_the_field(client, jar, method):
    client.post("/things", json={**FULL, "name": "Cup"})
    path = "/things" if method == "post" else "/things/2"
    answer = getattr(client, method)(path, json=FULL)
    assert answer.status_code == 409
    assert answer.json["data"].keys() == {"name"}


def test_what_is_referred_to_cannot_be_deleted(client, jar):
    data(client.post("/things", json={**FULL, "name": "Lid", "owner_id": 1}))
    assert client.delete("/things/1").status_code == 409
    assert client.get("/things/1").status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize(
    ("headers", "done"),
    [
        pytest.param({"If-Match": "{tag}"}, True, id="as it was read"),
        pytest.param({"If-Match": "*"}, True, id="whatever there is"),
        pytest.param({"If-Match": '"other"'}, False, id="another"),
        pytest.param({"If-None-Match": "*"}, False, id="nothing may be there"),
    ],
)
def test_a_write_happens_only_to_what_is_expected(client, jar, method, headers, done):
    sent = {} if method == "delete" else {"json": {**FULL, "kind": "clay"}}
    tag = jar.headers["ETag"]
    headers = {name: value.format(tag=tag) for name, value in headers.items()}
    answer = getattr(client, method)("/things/1", headers=headers, **sent)
    assert (answer.status_code < 300) if done else (answer.status_code == 412)
    assert (client.get("/things/1").headers.get("ETag") != tag) == done


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_if_match_can_be_demanded(shelf, resource, method):
    client = shelf(resource(if_match="required")).client
    made = client.post("/things", json=FULL)
    sent = {} if method == "delete" else {"json": FULL}
    answer = getattr(client, method)("/things/1", **sent)
    assert answer.status_code == 428
    assert answer.json["code"] == "precondition_required"
    headers = {"If-Match": made.headers["ETag"]}
    assert getattr(client, method)("/things/1", headers=headers, **sent).status_code < 300
    operation = client.get("/openapi.json").json["paths"]["/things/{id}"][method]
    header = next(one for one in operation["parameters"] if one["name"] == "If-Match")
    assert header["required"]
    assert {"412", "428"} <= operation["responses"].keys()


@pytest.mark.parametrize("path", ["/things", "/things/1"])
def test_who_has_it_already_is_told_so(client, jar, path):
    tag = client.get(path).headers["ETag"]
    answer = client.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data) == (304, b"")
    client.patch("/things/1", json={"kind": "clay"})
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_the_tag_is_that_of_a_read_in_any_envelope(shelf, resource):
    class Telling(Bare):
        def success(self, data, status):
            return {"status": status, "is": data}

    client = shelf(resource(), blueprint=Blueprint("api", __name__, envelope=Telling())).client
    made = client.post("/things", json=FULL)
    assert made.json["status"] == 201
    assert made.headers["ETag"] == client.get("/things/1").headers["ETag"]


ONLY = {
    "list": ("get", "/things"),
    "create": ("post", "/things"),
    "read": ("get", "/things/1"),
    "replace": ("put", "/things/1"),
    "update": ("patch", "/things/1"),
    "delete": ("delete", "/things/1"),
}


@pytest.mark.parametrize("method", ONLY)
def test_a_method_can_be_all_there_is(shelf, resource, method):
    client = shelf(resource(only=(method,)), rows=[{"name": "x"}]).client
    for name, (word, path) in ONLY.items():
        answer = getattr(client, word)(path, json=FULL)
        if name == method:
            assert answer.status_code < 300
            assert "Location" not in answer.headers
        else:
            assert answer.status_code in (404, 405)


def test_without_a_writable_schema_it_is_read_and_deleted(shelf, resource):
    client = shelf(resource(writable=None), rows=[{"name": "x"}]).client
    assert client.put("/things/1", json=FULL).status_code == 405
    assert client.post("/things", json=FULL).status_code == 405
    assert data(client.get("/things/1"))["name"] == "x"
    assert client.delete("/things/1").status_code == 204


def test_a_list_may_show_less(shelf, resource):
    short = Schema.from_dict({"name": fields.String()}, name="Short")
    client = shelf(resource(list_schema=short), rows=[{"name": "x"}]).client
    assert data(client.get("/things"))["items"] == [{"name": "x"}]
    assert "id" in data(client.get("/things/1"))


def test_what_the_query_leaves_out_does_not_exist(shelf, resource, things):
    def query(self):
        return select(things.Thing).where(things.Thing.kind == "mine")

    rows = [{"name": "a", "kind": "mine"}, {"name": "b", "kind": "theirs"}]
    client = shelf(resource(query=query), rows=rows).client
    assert [item["name"] for item in data(client.get("/things"))["items"]] == ["a"]
    for word, path in (("get", 2), ("put", 2), ("patch", 2), ("delete", 2)):
        assert getattr(client, word)(f"/things/{path}", json=FULL).status_code == 404
    assert client.get("/things/1").status_code == 200


def test_methods_are_overridden_as_in_any_class(shelf, resource, things):
    class Things(resource()):
        def prepare(self, data):
            return {**data, "kind": "prepared"}

        def create(self, data):
            """Make a thing, and call it so."""
            return super().create({**data, "name": f"{data['name']}!"})

        def read(self, row):
            return {"id": row.id, "name": row.name.upper()}

    client = shelf(Things).client
    answer = client.post("/things", json=FULL)
    assert data(answer) == {"id": 1, "name": "JAR!"}
    assert answer.headers["ETag"] == client.get("/things/1").headers["ETag"]
    operation = client.get("/openapi.json").json["paths"]["/things"]["post"]
    assert operation["summary"] == "Make a thing, and call it so"


def test_a_failure_after_the_change_leaves_nothing(shelf, resource):
    def read(self, row):
        raise Forbidden

    served = shelf(resource(read=read))
    assert served.client.post("/things", json=FULL).status_code == 403
    assert data(served.client.get("/things"))["items"] == []


def refuse(view):
    @wraps(view)
    def refusing(*args, **kwargs):
        raise Forbidden

    return refusing


def test_a_guard_stands_before_the_request_is_read(shelf, resource):
    client = shelf(resource(guards={"create": [refuse]})).client
    assert client.post("/things", json={"nonsense": 1}).status_code == 403
    assert client.get("/things").status_code == 200


def test_what_a_decorator_notes_on_a_method_is_on_the_view(shelf, resource):
    def marked(method):
        method.__carboy_mark__ = "here"
        return method

    kind = resource()
    kind.delete = marked(lambda self, row: None)
    app = shelf(kind).app
    view = app.view_functions["api.things_item"].view_class
    assert view.delete.__carboy_mark__ == "here"
    assert not hasattr(view.get, "__carboy_mark__")


def test_variables_of_the_address_reach_the_resource(shelf, resource, things):
    def query(self):
        return select(things.Thing).where(things.Thing.owner_id == self.path["owner"])

    def prepare(self, data):
        return {**data, "owner_id": self.path["owner"]}

    kind = resource(query=query, prepare=prepare)
    client = shelf(kind, rows=[{"name": "o"}], rule="/owners/<int:owner>/things").client
    answer = client.post("/owners/1/things", json=FULL)
    assert answer.headers["Location"] == "/owners/1/things/2"
    assert data(client.get("/owners/1/things/2"))["owner_id"] == 1
    assert client.get("/owners/2/things/2").status_code == 404


def test_further_parameters_reach_the_query(shelf, resource, things):
    def query(self):
        longer = self.arguments.get("longer")
        rows = select(things.Thing)
        return rows if longer is None else rows.where(things.Thing.weight > longer)

    kind = resource(query=query, parameters={"longer": fields.Integer()})
    client = shelf(kind, rows=[{"name": "a", "weight": 1}, {"name": "b", "weight": 5}]).client
    assert len(data(client.get("/things"))["items"]) == 2
    assert len(data(client.get("/things?longer=3"))["items"]) == 1
    assert client.get("/things?longer=x").status_code == 422
    assert client.get("/things/1").status_code == 200


def test_other_keys_than_numbers(shelf, things):
    class Tag(things.Model):
        __tablename__ = f"tags_{uuid.uuid4().hex}"
        name: Mapped[str] = mapped_column(primary_key=True)

    class Token(things.Model):
        __tablename__ = f"tokens_{uuid.uuid4().hex}"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)

    class TagSchema(Schema):
        name = fields.String(required=True)

    class TokenSchema(Schema):
        id = fields.UUID(required=True)

    class Tags(Resource):
        model, schema, writable = Tag, TagSchema, TagSchema
        only = ("list", "create", "read", "delete")

    class Tokens(Resource):
        model, schema = Token, TokenSchema
        writable = Schema.from_dict({}, name="Nothing")

    try:
        client = shelf(Tags, Tokens).client
        assert client.post("/tags", json={"name": "a b"}).headers["Location"] == "/tags/a%20b"
        assert data(client.get("/tags/a%20b")) == {"name": "a b"}
        assert client.get("/tags/%00").status_code == 404
        made = client.post("/tokens", json={})
        assert data(client.get(made.headers["Location"])) == data(made)
        assert client.get(f"/tokens/{uuid.uuid4()}").status_code == 404
    finally:
        for model in (Tag, Token):
            things.Model.metadata.remove(model.__table__)


def test_without_a_database_the_first_request_says_what_is_missing(serve, resource):
    api = Blueprint("api", __name__)
    api.resource("/things", resource())
    with pytest.raises(RuntimeError, match="init_app"):
        serve(api).get("/things")


class Open(Schema):
    name = fields.String()

    class Meta:
        unknown = INCLUDE


class Keyed(Schema):
    id = fields.Integer()


class Stranger(Schema):
    colour = fields.String()


class Loose(Schema):
    name = fields.String()


@pytest.mark.parametrize(
    ("members", "says"),
    [
        pytest.param({"writable": Open}, "any column", id="a schema open to all"),
        pytest.param({"writable": Keyed}, "address of a row", id="a key that can be set"),
        pytest.param({"writable": Stranger}, "colour", id="a field without a column"),
        pytest.param({"writable": Loose}, "load_default", id="an optional field without default"),
        pytest.param({"writable": None, "only": ("create",)}, "writable", id="nothing to write"),
        pytest.param({"only": ("fetch",)}, "'fetch'", id="an unknown method"),
        pytest.param({"guards": {"fetch": []}}, "'fetch'", id="a guard of an unknown method"),
        pytest.param(
            {"only": ("list",), "guards": {"delete": []}}, "guards delete", id="a guard of nothing"
        ),
    ],
)
def test_a_declaration_that_cannot_work_stops_the_start(resource, members, says):
    with pytest.raises(TypeError, match=says):
        Blueprint("api", __name__).resource("/things", resource(**members))


def test_every_answer_is_in_the_document(shelf, resource):
    served = shelf(resource(sort=("name",), filters={"kind": ("in",)}), rows=[{"name": "x"}])
    document = served.client.get("/openapi.json").json
    validate(document)
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
    ]
    assert names == [
        "list_things", "create_thing",
        "read_thing", "replace_thing", "update_thing", "delete_thing",
    ]  # fmt: skip
    item = document["paths"]["/things/{id}"]
    assert item["patch"]["requestBody"]["content"].keys() == {
        "application/json",
        "application/merge-patch+json",
    }
    assert {"200", "304", "404"} <= item["get"]["responses"].keys()
    assert {"200", "404", "409", "412", "415", "422"} <= item["put"]["responses"].keys()
    assert {"204", "404", "409", "412"} <= item["delete"]["responses"].keys()
    created = document["paths"]["/things"]["post"]["responses"]["201"]
    assert {"ETag", "Location"} <= created["headers"].keys()


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize("worth", ["2.5", "2.500", "200", "1e2", "2.505", "1e-3"])
def test_decimals_that_one_engine_would_round_and_another_keep_are_refused(
    shelf, resource, things, method, worth
):
    class Exact(things.In):
        worth = fields.Decimal(as_string=True)

    client = shelf(resource(writable=Exact), rows=[{"name": "Jar"}]).client
    path = "/things" if method == "post" else "/things/1"
    answer = getattr(client, method)(path, json={"name": "Pot", "worth": worth})
    if worth not in ("2.505", "1e-3"):
        assert answer.status_code in (200, 201), answer.text
    else:
        assert answer.status_code == 422
        assert answer.json["data"] == {"worth": ["May not have more than 2 decimals."]}


@pytest.mark.parametrize("grouped", [True, False], ids=["grouped", "without repetitions"])
def test_a_query_that_cannot_lock_rows_is_written_to_all_the_same(shelf, resource, things, grouped):
    thing, owned = things.Thing, aliased(things.Thing)

    def query(self):
        joined = select(thing).join(owned, owned.owner_id == thing.id)
        if grouped:
            return joined.group_by(thing.id)
        keys = select(thing.id).join(owned, owned.owner_id == thing.id).distinct()
        return select(thing).where(thing.id.in_(keys))

    rows = [{"name": "Jar"}, {"name": "Lid", "owner_id": 1}, {"name": "Rim", "owner_id": 1}]
    shelf = shelf(resource(query=query), rows=rows[:1])
    with shelf.app.app_context():
        shelf.db.session.add_all(thing(**row) for row in rows[1:])
        shelf.db.session.commit()
    tag = shelf.client.get("/things/1").headers["ETag"]
    changed = {"weight": 5}
    first = shelf.client.patch("/things/1", json=changed, headers={"If-Match": tag})
    assert first.status_code == 200, first.text
    again = shelf.client.patch("/things/1", json=changed, headers={"If-Match": tag})
    assert again.status_code == 412
    assert shelf.client.patch("/things/2", json=changed).status_code == 404
