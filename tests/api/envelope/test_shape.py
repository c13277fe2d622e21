"""A published API of another shape: names around bodies, errors in lists, its own statuses."""

import re

import flask
import pytest
from marshmallow import Schema, fields, validate
from openapi_spec_validator import validate as validate_document

from carboy import Blueprint, Carboy
from carboy.api import openapi
from carboy.errors import Conflict, NotFound
from carboy.testing import Contract


class Published:
    """The envelope of that API: data as it is, errors as ``{"errors": {"body": [...]}}``."""

    media_type = "application/json"
    error_media_type = "application/json"
    statuses = {422: 400, 409: 422}  # noqa: RUF012 - read only

    def success(self, data, status):
        return data

    def error(self, error):
        return {"errors": {"body": list(self._lines(error.data or {})) or [error.message]}}

    def _lines(self, data, name=""):
        for key, value in data.items():
            if isinstance(value, dict):
                yield from self._lines(value, key)
            else:
                yield from (f"{key}: {said}" for said in value)

    def success_schema(self, schema):
        return schema

    def error_schema(self, status):
        lines = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        body = {"type": "object", "required": ["body"], "properties": {"body": lines}}
        return {"type": "object", "required": ["errors"], "properties": {"errors": body}}


class Article(Schema):
    slug = fields.String(dump_only=True, required=True)
    title = fields.String(required=True, validate=validate.Length(min=1))
    tagList = fields.List(fields.String(), load_default=list)  # noqa: N815 - that API's word


class Articles(Schema):
    articles = fields.List(fields.Nested(Article), required=True)
    articlesCount = fields.Integer(required=True)  # noqa: N815 - that API's word


@pytest.fixture
def client():
    api = Blueprint("articles", __name__, url_prefix="/api")
    kept = {}

    @api.post("/articles")
    @api.input(Article, wrap="article", example={"title": "On tea"})
    @api.output(Article, 201, wrap="article", example={"slug": "on-tea", "title": "On tea"})
    @api.doc(errors={409: "The title is taken"})
    def create(data):
        slug = re.sub(r"\W+", "-", data["title"].lower())
        if slug in kept:
            raise Conflict("title: must be unique.")
        kept[slug] = {"slug": slug, **data}
        return kept[slug]

    @api.get("/articles")
    @api.output(Articles)
    def articles():
        return {"articles": list(kept.values()), "articlesCount": len(kept)}

    @api.get("/tags")
    @api.output(Article(many=True, only=["tagList"]), wrap="tags")
    def tags():
        return list(kept.values())

    @api.patch("/articles/<slug>")
    @api.input(Article, wrap="article", partial=True, unknown="exclude")
    @api.output(Article, wrap="article")
    def change(slug, data):
        if slug not in kept:
            raise NotFound("article: not found.")
        return {**kept[slug], **data}

    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing", "TRUSTED_HOSTS": "localhost"}, envelope=Published())
    app.register_blueprint(api)
    return app.test_client()


def body(*lines):
    return {"errors": {"body": list(lines)}}


TEA = {"slug": "on-tea", "title": "On tea", "tagList": []}


@pytest.mark.parametrize(("method", "path", "sent", "status", "answered"), [
    pytest.param("POST", "/api/articles", {"article": {"title": "On tea"}}, 422,
                 body("title: must be unique."), id="a conflict has its status"),
    pytest.param("POST", "/api/articles", {"article": {"title": "New"}}, 201,
                 {"article": {"slug": "new", "title": "New", "tagList": []}}, id="created"),
    pytest.param("POST", "/api/articles", {"article": {"title": "", "tagList": [1]}}, 400,
                 body("title: Shorter than minimum length 1.", "0: Not a valid string."),
                 id="what is wrong inside the name"),
    pytest.param("POST", "/api/articles", {"title": "On tea"}, 400,
                 body("article: Missing data for required field.", "title: Unknown field."),
                 id="a body without the name"),
    pytest.param("POST", "/api/articles", {"article": None}, 400,
                 body("article: Field may not be null."), id="nothing under the name"),
    pytest.param("GET", "/api/articles", None, 200, {"articles": [TEA], "articlesCount": 1},
                 id="a list beside a count"),
    pytest.param("GET", "/api/tags", None, 200, {"tags": [{"tagList": []}]}, id="a wrapped list"),
    pytest.param("PATCH", "/api/articles/on-tea", {"article": {"tagList": ["x"], "y": 1}, "z": 1},
                 200, {"article": {**TEA, "tagList": ["x"]}}, id="a part, the unknown left out"),
    pytest.param("PATCH", "/api/articles/none", {"article": {}}, 404, body("article: not found."),
                 id="not found"),
    pytest.param("GET", "/api/nowhere", None, 404, body("There is nothing at this address."),
                 id="an unknown path"),
])  # fmt: skip
def test_an_exchange(client, carboy_contract, method, path, sent, status, answered):  # noqa: PLR0917 - a column each
    client.post("/api/articles", json={"article": {"title": "On tea"}})
    answer = client.open(path, method=method, json=sent)
    assert (answer.status_code, answer.json) == (status, answered)


def test_a_refusal_of_the_crate_looks_the_same(client):
    answer = client.get("/api/articles", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert list(answer.json) == ["errors"]
    Contract(client.application).check(answer)


def test_the_crate_sends_the_status_that_the_envelope_says():
    app = flask.Flask(__name__)
    envelope = Published()
    envelope.statuses = {400: 421}
    Carboy(app, {"APP_ENV": "Testing", "TRUSTED_HOSTS": "localhost"}, envelope=envelope)
    assert app.test_client().get("/", headers={"Host": "evil.example"}).status_code == 421


def test_the_document_says_the_same(client):
    document = openapi.document_of(client.application)
    validate_document(document)
    operation = document["paths"]["/api/articles"]["post"]
    assert set(operation["responses"]) == {"201", "400", "413", "415", "422", "default"}
    assert operation["responses"]["422"]["description"] == "The title is taken"
    assert operation["responses"]["400"]["description"].endswith(
        ", or: The request was read, and its content is not valid"
    )
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert example == {"article": {"title": "On tea"}}
    answer = operation["responses"]["201"]["content"]["application/json"]
    assert answer["example"] == {"article": {"slug": "on-tea", "title": "On tea"}}


@pytest.mark.parametrize(("location", "name"), [
    pytest.param("query", "query", id="a query"), pytest.param("form", "data", id="a form"),
])  # fmt: skip
def test_only_a_json_body_is_wrapped(location, name):
    api = Blueprint("api", __name__)
    with pytest.raises(TypeError, match=f"leave out wrap= for {location}"):
        api.input(Article, location, wrap="article")


def test_a_view_that_wraps_one_object_may_not_return_a_list(api, serve):
    @api.get("/")
    @api.output(Article, wrap="article")
    def view():
        return [TEA]

    with pytest.raises(TypeError, match=r"Article\(many=True\)"):
        serve(api).get("/")
