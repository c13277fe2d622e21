"""What a request may cost: long lists, many errors, large bodies."""

import flask
import pytest
from marshmallow import Schema, fields, validate

from carboy import Blueprint, Carboy, Testing
from carboy.api.bounds import ERRORS_MAX


class Line(Schema):
    product = fields.Integer(required=True)
    tags = fields.List(fields.String(), validate=validate.Length(max=2))


class Order(Schema):
    lines = fields.List(
        fields.Nested(Line), validate=validate.And(validate.Length(1, 3), lambda _: True)
    )
    first = fields.Nested(Line)
    others = fields.Nested(Line, many=True, validate=validate.Length(max=1))
    free = fields.List(fields.Integer())
    parent = fields.Nested(lambda: Order())  # noqa: PLW0108 - not defined yet


@pytest.fixture
def client():
    app = flask.Flask("orders")
    Carboy(app, Testing.load(environ={}, JSON_MAX_LENGTH=20_000))
    api = Blueprint("orders", __name__)

    @api.post("/orders")
    @api.input(Order)
    def place(data):
        return data

    app.register_blueprint(api)
    return app.test_client()


TOO_LONG = {"lines": "Length must be between 1 and 3.", "tags": "Longer than maximum length 2.",
            "others": "Longer than maximum length 1."}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        pytest.param(
            {"lines": [{}] * 4, "free": ["x"]}, {"lines": [TOO_LONG["lines"]]},
            id="a list: its items are not looked at",
        ),
        pytest.param(
            {"others": [{}] * 2}, {"others": [TOO_LONG["others"]]}, id="nested objects"
        ),
        pytest.param(
            {"lines": [{"product": 1}, {"tags": list("abc")}]},
            {"lines": {"1": {"tags": [TOO_LONG["tags"]]}}}, id="a list in an item of a list",
        ),
        pytest.param(
            {"first": {"tags": list("abc")}}, {"first": {"tags": [TOO_LONG["tags"]]}},
            id="a list in an object",
        ),
        pytest.param(
            {"lines": [{"product": "x"}]}, {"lines": {"0": {"product": ["Not a valid integer."]}}},
            id="a list of allowed length: its items are",
        ),
        pytest.param({"lines": 7}, {"lines": ["Not a valid list."]}, id="no list at all"),
        pytest.param([], {"_schema": ["Invalid input type."]}, id="no object at all"),
    ],
)  # fmt: skip
def test_a_list_that_is_too_long_is_refused_by_its_length(client, body, wrong):
    response = client.post("/orders", json=body)
    assert (response.status_code, response.json["data"]) == (422, wrong)


def test_lists_within_their_bounds_are_loaded(client):
    body = {"lines": [{"product": 1, "tags": ["a", "b"]}], "parent": {"free": [1, 2, 3]}}
    assert client.post("/orders", json=body).json["data"] == body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"free": ["x"] * 1000}, id="items of a list"),
        pytest.param({f"unknown-{n}": 1 for n in range(1000)}, id="unknown fields"),
        pytest.param({"free": ["\0"] * 1000}, id="NUL characters"),
        pytest.param({"lines": [{"tags": ["\0", "b", "c"]}] * 3}, id="NUL in lists"),
    ],
)
def test_the_first_errors_tell_enough(client, body):
    response = client.post("/orders", json=body)
    assert response.status_code == 422
    named = response.json["data"].get("free", response.json["data"])
    assert 0 < len(named) <= ERRORS_MAX


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "unannounced"])
def test_a_json_body_has_its_own_limit(client, chunked):
    body = b'{"free": [' + b"1," * 10_000 + b"1]}"
    environ = {"wsgi.input_terminated": True} if chunked else {}
    response = client.post(
        "/orders", data=body, content_type="application/json", environ_overrides=environ,
        headers={"Transfer-Encoding": "chunked"} if chunked else {},
    )  # fmt: skip
    assert response.status_code == 413
    assert response.json["message"] == "The JSON body is larger than 20000 bytes."
