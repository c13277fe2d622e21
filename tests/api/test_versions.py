"""Two versions of one API side by side, with blueprints that are registered in both."""

import datetime as dt

import flask
import pytest
from marshmallow import Schema, fields

from carboy import Bare, Blueprint, Carboy, deprecated
from carboy.api import openapi
from carboy.errors import ApiError, NotFound


class Tea(Schema):
    name = fields.String(required=True)


class TeaWithPrice(Tea):
    price = fields.Decimal(places=2, required=True)


def teas():
    return [{"name": "green", "price": "1.5"}]


@pytest.fixture
def client():
    shared = Blueprint("shared", __name__)
    v1 = Blueprint(
        "v1", __name__, url_prefix="/v1", deprecation=deprecated(since=dt.date(2026, 1, 1))
    )
    v2 = Blueprint("v2", __name__, url_prefix="/v2", envelope=Bare())
    v1.get("/teas")(v1.output(Tea(many=True))(teas))
    v2.get("/teas")(v2.output(TeaWithPrice(many=True))(teas))

    @shared.get("/status")
    @shared.output({"open": fields.Boolean()})
    def status():
        return {"open": True}

    @shared.get("/cups/<int:number>")
    def cup(number):
        if number:
            raise NotFound("No such cup.")
        return flask.abort(404, "No cup at all.")

    @v1.errorhandler(NotFound)
    def missing(error):
        return {"old": error.message}, 404

    @v1.errorhandler(404)
    def nothing(error):
        return {"older": error.description}, 404

    for version in (v1, v2):
        version.register_blueprint(shared)
    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing"})
    app.register_blueprint(v1)
    app.register_blueprint(v2)
    return app.test_client()


@pytest.mark.parametrize(("path", "answered"), [
    pytest.param("/v1/teas", {"status": "success", "data": [{"name": "green"}]}, id="the old form"),
    pytest.param("/v2/teas", [{"name": "green", "price": "1.50"}], id="the new form"),
    pytest.param("/v1/status", {"status": "success", "data": {"open": True}},
                 id="a shared view wears the old envelope"),
    pytest.param("/v2/status", {"open": True}, id="and the new one"),
])  # fmt: skip
def test_each_version_answers_in_its_own_way(client, carboy_contract, path, answered):
    answer = client.get(path)
    assert answer.json == answered
    assert ("Deprecation" in answer.headers) is path.startswith("/v1")


@pytest.mark.parametrize(("path", "answered"), [
    pytest.param("/v1/cups/1", {"old": "No such cup."}, id="an error of ours, by its class"),
    pytest.param("/v1/cups/0", {"older": "No cup at all."}, id="an abort, by its status"),
])  # fmt: skip
def test_an_error_handler_of_a_blueprint_serves_those_nested_in_it(client, path, answered):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json == answered
    assert "Deprecation" in answer.headers


def test_an_error_handler_of_one_version_is_not_that_of_another(client):
    answer = client.get("/v2/cups/1")
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"] == "No such cup."
    assert "Deprecation" not in answer.headers


def test_an_error_handler_of_the_blueprint_wins_over_that_of_the_app():
    api = Blueprint("api", __name__, url_prefix="/api")
    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing"})
    app.register_error_handler(ApiError, lambda _: ("of the app", 404))
    api.register_error_handler(ApiError, lambda _: ("of the blueprint", 404))

    def view():
        raise NotFound

    api.add_url_rule("/", "inside", view)
    app.add_url_rule("/", "outside", view)
    app.register_blueprint(api)
    client = app.test_client()
    assert (client.get("/api/").text, client.get("/").text) == ("of the blueprint", "of the app")


def test_the_document_lists_both_under_names_of_their_own(client):
    document = openapi.document_of(client.application)
    names = {
        path: item["get"]["operationId"] for path, item in document["paths"].items()
    }  # fmt: skip
    assert names["/v1/status"] == "v1_shared_status"
    assert names["/v2/status"] == "v2_shared_status"
    assert len(set(names.values())) == len(names)
    assert {path for path, item in document["paths"].items() if item["get"].get("deprecated")} == {
        path for path in names if path.startswith("/v1")
    }
