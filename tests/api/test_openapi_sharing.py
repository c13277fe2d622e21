"""Headers that many answers have are written once, and mean the same."""

import flask
import pytest
from openapi_spec_validator import validate

from carboy import Blueprint, Carboy, limit
from carboy.api import openapi
from carboy.testing import Contract


def service(views):
    api = Blueprint("api", __name__)
    for number in range(views):

        @api.get(f"/{number}", endpoint=f"view{number}")
        @limit("2/minute", name="all")
        @api.output({}, headers={"X-Own": "Of this view alone."})
        def view():
            return {}, {"X-Own": "1"}

    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing"})
    app.register_blueprint(api)
    return app


def headers(document, path="/0"):
    return document["paths"][path]["get"]["responses"]["200"]["headers"]


def test_a_header_of_many_answers_is_a_component():
    document = openapi.document_of(service(12))
    validate(document)
    said = headers(document)["RateLimit"]
    assert said == {"$ref": "#/components/headers/RateLimit"}
    assert "description" in document["components"]["headers"]["RateLimit"]


def test_a_header_of_a_few_answers_stands_where_it_is():
    document = openapi.document_of(service(1))
    assert "description" in headers(document)["RateLimit"]
    assert "headers" not in document.get("components", {})


def test_headers_of_one_name_that_differ_have_names_of_their_own():
    app = service(12)
    other = Blueprint("other", __name__, url_prefix="/other")
    for number in range(12):

        @other.get(f"/{number}", endpoint=f"view{number}")
        @other.output({}, headers={"X-Own": "Of the others."})
        def view():
            return {}

    app.register_blueprint(other)
    document = openapi.document_of(app)
    validate(document)
    assert headers(document)["X-Own"] == {"$ref": "#/components/headers/X-Own"}
    assert headers(document, "/other/0")["X-Own"] == {"$ref": "#/components/headers/X-Own-2"}


def test_an_answer_is_held_against_a_shared_header():
    app = service(12)
    contract = Contract(app)
    answer = app.test_client().get("/0")
    contract.check(answer)
    answer.headers["RateLimit-Limit"] = "many"
    with pytest.raises(AssertionError, match="RateLimit-Limit"):
        contract.check(answer)
