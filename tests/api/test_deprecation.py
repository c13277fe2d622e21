"""What a deprecated endpoint says, in its answers and in the document."""

import datetime as dt

import flask
import pytest
from flask.views import MethodView
from marshmallow import Schema, fields

from carboy import Blueprint, deprecated
from carboy.api import openapi
from carboy.errors import Conflict

SINCE, SUNSET = dt.date(2026, 1, 1), dt.date(2027, 6, 30)
NOTICE = deprecated(since=SINCE, sunset=SUNSET, link="https://example.com/v2")
SAID = {
    "Deprecation": "@1767225600",
    "Sunset": "Wed, 30 Jun 2027 00:00:00 GMT",
    "Link": '<https://example.com/v2>; rel="deprecation"',
}


def said(answer):
    return {name: answer.headers[name] for name in SAID if name in answer.headers}


class Tea(Schema):
    name = fields.String(required=True)


@pytest.fixture
def client(serve):
    """One view after the other, deprecated in every way there is, and one that is not."""
    api = Blueprint("api", __name__)
    old = Blueprint("old", __name__, url_prefix="/old", deprecation=NOTICE)
    inner = Blueprint("inner", __name__, url_prefix="/inner")

    @api.post("/outermost")
    @NOTICE
    @api.input(Tea)
    @api.output(Tea, 201)
    def outermost(data):
        if data["name"] == "taken":
            raise Conflict("Taken.")
        return data

    @api.get("/innermost")
    @api.output(Tea)
    @NOTICE
    def innermost():
        return {"name": "green"}

    @api.get("/coroutine")
    @NOTICE
    async def coroutine():
        return {"name": "green"}

    class Page(MethodView):
        @NOTICE
        def get(self):
            return {}

        def post(self):
            return {}

    class Whole(MethodView):
        decorators = (NOTICE,)

        @api.output(Tea)
        def get(self):
            return {"name": "green"}

    api.add_url_rule("/method", view_func=Page.as_view("method"))
    api.add_url_rule("/class", view_func=Whole.as_view("whole"))

    @api.get("/current")
    @api.output(Tea)
    def current():
        return {"name": "green"}

    @old.get("/twice")
    @deprecated(since=dt.date(2025, 1, 1))
    def twice():
        return {}

    api.add_url_rule("/again", "again", view_func=NOTICE(current))
    inner.add_url_rule("/tea", "tea", view_func=current)
    old.register_blueprint(inner)
    return serve(api, old)


@pytest.mark.parametrize(("method", "path", "sent", "status", "expected"), [
    pytest.param("POST", "/outermost", {"name": "x"}, 201, SAID, id="a success says so"),
    pytest.param("POST", "/outermost", {"name": "taken"}, 409, SAID, id="a raised error says so"),
    pytest.param("POST", "/outermost", {}, 422, SAID, id="a failed validation says so"),
    pytest.param("GET", "/innermost", None, 200, SAID, id="also below other decorators"),
    pytest.param("GET", "/method", None, 200, SAID, id="one method of a class"),
    pytest.param("POST", "/method", None, 200, {}, id="not another method of that class"),
    pytest.param("GET", "/class", None, 200, SAID, id="a whole class"),
    pytest.param("GET", "/again", None, 200, SAID, id="a shared view where it is marked"),
    pytest.param("GET", "/current", None, 200, {}, id="not that view elsewhere"),
    pytest.param("GET", "/old/inner/tea", None, 200, SAID, id="a blueprint says so for nested"),
    pytest.param("GET", "/old/twice", None, 200, {"Deprecation": "@1735689600"},
                 id="a view's own notice wins over the blueprint's"),
    pytest.param("GET", "/old/nowhere", None, 404, {}, id="not what no view answers"),
])  # fmt: skip
def test_answers_of_what_is_deprecated_say_so(client, method, path, sent, status, expected):  # noqa: PLR0917 - a column each
    answer = client.open(path, method=method, json=sent)
    assert answer.status_code == status
    assert said(answer) == expected


def test_a_coroutine_says_so(client):
    pytest.importorskip("asgiref")
    assert said(client.get("/coroutine")) == SAID


def test_the_document_says_so_too(client):
    paths = openapi.document_of(client.application)["paths"]
    marked = {
        (path, method)
        for path, item in paths.items()
        for method, operation in item.items()
        if operation.get("deprecated")
    }
    assert marked == {
        ("/outermost", "post"), ("/innermost", "get"), ("/coroutine", "get"), ("/method", "get"),
        ("/class", "get"), ("/again", "get"), ("/old/inner/tea", "get"), ("/old/twice", "get"),
    }  # fmt: skip
    responses = paths["/outermost"]["post"]["responses"]
    assert set(responses["201"]["headers"]) == set(SAID)
    assert all(header["required"] for header in responses["201"]["headers"].values())
    assert not any("required" in header for header in responses["413"]["headers"].values())
    assert "headers" not in paths["/current"]["get"]["responses"]["200"]


def test_a_link_of_the_views_own_stays(serve):
    api = Blueprint("api", __name__)

    @api.get("/")
    @deprecated(since=SINCE, sunset_link="/sunset")
    @api.output(Tea, headers={"Link": "The next page."})
    def teas():
        return {"name": "green"}, {"Link": '</?page=2>; rel="next"'}

    client = serve(api)
    assert client.get("/").headers.getlist("Link") == [
        '</?page=2>; rel="next"', '</sunset>; rel="sunset"',
    ]  # fmt: skip
    described = openapi.document_of(client.application)["paths"]["/"]["get"]["responses"]["200"]
    assert described["headers"]["Link"]["description"] == "The next page."


def test_a_plain_flask_view_says_so():
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=NOTICE(lambda: "Hello"))
    assert said(app.test_client().get("/")) == SAID


@pytest.mark.parametrize("given", [
    pytest.param({"since": SUNSET, "sunset": SINCE}, id="a sunset before the deprecation"),
    pytest.param({"since": dt.datetime(2026, 1, 1)}, id="a time without a zone"),  # noqa: DTZ001
    pytest.param({"since": SINCE, "link": "https://example.com/>\r\nX: y"}, id="a broken line"),
    pytest.param({"since": SINCE, "sunset_link": "https://example.com/é"}, id="not ASCII"),
])  # fmt: skip
def test_a_wrong_notice_is_refused_at_the_start(given):
    with pytest.raises(ValueError, match=r"before|zone|address"):
        deprecated(**given)


def test_a_time_of_day_counts():
    zone = dt.timezone(dt.timedelta(hours=2))
    notice = deprecated(since=dt.datetime(2026, 1, 1, 2, tzinfo=zone))
    assert notice.headers == (("Deprecation", "@1767225600"),)
