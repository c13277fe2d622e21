"""Entity tags and preconditions of views written by hand; resources have their own tests."""

import pytest
from flask import Response
from marshmallow import fields
from openapi_spec_validator import validate

from carboy.api.blueprint import Blueprint
from carboy.api.conditional import check_preconditions, conditional, entity_tag
from carboy.api.envelope import Bare
from carboy.api.openapi.serving import published

STATE = {"text": "one"}


@pytest.fixture(params=[None, Bare()], ids=["JSend", "Bare"])
def client(request, serve):
    api = Blueprint("api", __name__, envelope=request.param)
    state = dict(STATE)

    @api.get("/note")
    @conditional
    @api.output({"text": fields.String()})
    def read():
        return dict(state)

    @api.put("/note")
    @api.input({"text": fields.String(required=True)})
    def write(data):
        check_preconditions(entity_tag(state) if state else None)
        state.update(data)
        return dict(state)

    @api.delete("/note")
    def remove():
        check_preconditions(entity_tag(state), required=True)
        state.clear()

    @api.get("/own")
    @conditional
    def own():
        return Response("text", headers={"ETag": '"mine"', "Cache-Control": "max-age=60"})

    @api.get("/stream")
    @conditional
    def stream():
        return Response(iter(["a", "b"]))

    @api.get("/made")
    @conditional
    def made():
        return {"text": "made"}, 201

    @api.get("/later")
    @conditional
    async def later():
        return {"text": "later"}

    return serve(api)


def tag_of(client, path="/note"):
    return client.get(path).headers["ETag"]


def test_a_read_has_a_strong_tag_that_follows_its_bytes(client):
    first = tag_of(client)
    assert first.startswith('"')
    assert tag_of(client) == first
    client.put("/note", json={"text": "two"})
    second = tag_of(client)
    assert second != first
    client.put("/note", json={"text": "one"})
    assert tag_of(client) == first


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("{tag}", 304, id="the same"),
        pytest.param("W/{tag}", 304, id="the same, weakened by a proxy that compressed it"),
        pytest.param('"x", {tag}', 304, id="one of several"),
        pytest.param("*", 304, id="whatever there is"),
        pytest.param('"x"', 200, id="another"),
        pytest.param("", 200, id="none"),
        pytest.param('"""', 200, id="nonsense"),
    ],
)
def test_who_has_it_already_is_told_so(client, method, header, status):
    tag = tag_of(client)
    answer = client.open("/note", method=method, headers={"If-None-Match": header.format(tag=tag)})
    assert answer.status_code == status
    assert answer.headers["ETag"] == tag
    assert answer.headers["Cache-Control"] == "private, no-cache"
    if status == 304:
        assert answer.data == b""
        assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("{tag}", 200, id="as it was read"),
        pytest.param('"x", {tag}', 200, id="one of several"),
        pytest.param("*", 200, id="whatever there is"),
        pytest.param('"x"', 412, id="another"),
        pytest.param("W/{tag}", 412, id="a weak tag proves nothing"),
        pytest.param("", 412, id="no tag"),
    ],
)
def test_only_what_is_as_expected_is_answered_or_changed(client, method, header, status):
    tag = tag_of(client)
    sent = {"json": {"text": "two"}} if method == "PUT" else {}
    answer = client.open(
        "/note", method=method, headers={"If-Match": header.format(tag=tag)}, **sent
    )
    assert answer.status_code == status
    changed = method == "PUT" and status == 200
    assert (tag_of(client) != tag) == changed


@pytest.mark.parametrize(
    ("header", "status"), [("*", 412), ("{tag}", 412), ("W/{tag}", 412), ('"x"', 200)]
)
def test_a_write_may_demand_that_something_is_not_there(client, header, status):
    headers = {"If-None-Match": header.format(tag=tag_of(client))}
    assert client.put("/note", json={"text": "two"}, headers=headers).status_code == status


def test_a_version_can_be_demanded(client):
    answer = client.delete("/note")
    assert answer.status_code == 428
    assert "If-Match" in answer.text
    assert client.delete("/note", headers={"If-Match": tag_of(client)}).status_code == 200


def test_what_is_not_there_matches_nothing(client):
    client.delete("/note", headers={"If-Match": "*"})
    answer = client.put("/note", json={"text": "x"}, headers={"If-Match": "*"})
    assert answer.status_code == 412
    assert (
        client.put("/note", json={"text": "x"}, headers={"If-None-Match": "*"}).status_code == 200
    )


def test_a_tag_of_the_view_s_own_is_kept(client):
    answer = client.get("/own", headers={"If-None-Match": '"mine"'})
    assert answer.status_code == 304
    assert answer.headers["ETag"] == '"mine"'
    assert answer.headers["Cache-Control"] == "max-age=60"


@pytest.mark.parametrize(("path", "status"), [("/stream", 200), ("/made", 201)])
def test_other_answers_pass_through(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert "ETag" not in answer.headers


def test_a_coroutine_is_awaited(client):
    pytest.importorskip("asgiref")
    tag = tag_of(client, "/later")
    assert client.get("/later", headers={"If-None-Match": tag}).status_code == 304


def test_the_document_says_so(client):
    app = client.application
    document = published(app).document(app)
    validate(document)
    for path in ("/note", "/own"):
        operation = document["paths"][path]["get"]
        assert "304" in operation["responses"]
        assert "ETag" in operation["responses"]["200"]["headers"]
        assert operation["parameters"][0]["name"] == "If-None-Match"
