"""What the shop says about itself, held against what it does."""

import re

import pytest
from openapi_spec_validator import validate


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json


def test_the_document_is_valid(document):
    validate(document)


def test_every_endpoint_of_the_shop_is_in_it(app, client):
    document = client.get("/openapi.json").json
    documented = {
        (path, method.upper())
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    }
    routes = {
        (re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert len(routes) >= 13
    assert routes <= documented


def test_every_operation_has_a_summary_and_says_how_it_fails(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters" or not path.startswith("/api/v1"):
                continue
            assert operation["summary"], (method, path)
            if "{" in path:
                assert "404" in operation["responses"], (method, path)
            if "requestBody" in operation:
                assert "422" in operation["responses"], (method, path)


def test_neither_password_nor_hash_is_in_any_answer(document):
    for name, schema in document["components"]["schemas"].items():
        answered = {
            field
            for field, described in schema.get("properties", {}).items()
            if not described.get("writeOnly")
        }
        if name.endswith("Out"):
            assert not {"password", "password_hash"} & answered


def test_links_lead_to_every_operation_on_one_thing(document):
    """So that who made something finds what can be done with it; pictures are the exception."""
    linked = {
        name
        for item in document["paths"].values()
        for operation in item.values()
        for response in operation["responses"].values()
        for name in response.get("links", {})
    }
    on_one = {
        operation["operationId"]
        for path, item in document["paths"].items()
        for operation in item.values()
        if "{" in path and not path.endswith("/picture")
    }
    assert on_one <= linked
