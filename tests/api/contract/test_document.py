"""What a change of paths, parameters, bodies, answers and sign-in means to callers."""

import copy
import json

import pytest

from carboy.api.contract import Change, DocumentError, compare, parsed

TEXT = {"type": "string"}
JSON = {"application/json": {"schema": TEXT}}
OPERATION = {
    "operationId": "list_teas",
    "parameters": [
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
        {"name": "X-Shop", "in": "header", "required": True, "schema": TEXT},
    ],
    "requestBody": {"$ref": "#/components/requestBodies/Teas"},
    "responses": {
        "200": {
            "description": "",
            "content": JSON,
            "headers": {"ETag": {"required": True, "schema": TEXT}},
        },
        "404": {"description": ""},
    },
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Tea", "version": "1"},
    "paths": {
        "/teas/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "post": OPERATION,
            "get": {"responses": {"200": {"description": ""}}},
        }
    },
    "components": {
        "requestBodies": {"Teas": {"content": JSON}},
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        },
    },
}
POST = "paths /teas/{id} post"


def at(place, document):
    node = document
    for word in place.split():
        node = node[int(word)] if isinstance(node, list) else node[word]
    return node


def changed(place, value):
    """The document with another value at *place*; ``None``: with nothing there."""
    document = json.loads(json.dumps(DOCUMENT))
    *way, last = place.split()
    node = at(" ".join(way), document)
    last = int(last) if isinstance(node, list) else last
    if value is None:
        del node[last]
    else:
        node[last] = value
    return document


BODY = "components requestBodies Teas"


@pytest.mark.parametrize(("old", "new", "expected"), [
    pytest.param((), ("paths /teas/{id}", None), ["! path-removed"], id="a path less"),
    pytest.param(("paths /teas/{id}", None), (), ["path-added"], id="a path more"),
    pytest.param((), ("paths /teas/{id} get", None), ["! method-removed"], id="a method less"),
    pytest.param(("paths /teas/{id} get", None), (), ["method-added"], id="a method more"),
    pytest.param((), (f"{POST} deprecated", True), ["deprecated"], id="an announcement"),
    pytest.param((), (f"{POST} operationId", "teas"), ["operation-id-changed"],
                 id="another name of the operation"),
    pytest.param((), (f"{POST} parameters 0", None), ["! parameter-removed"],
                 id="a parameter less"),
    pytest.param((f"{POST} parameters 0", None), (), ["parameter-added"], id="a parameter more"),
    pytest.param((f"{POST} parameters 1", None), (), ["! parameter-required"],
                 id="a required parameter more"),
    pytest.param((), (f"{POST} parameters 0 required", True), ["! parameter-required"],
                 id="a parameter becomes required"),
    pytest.param((), (f"{POST} parameters 1 required", None), ["parameter-optional"],
                 id="a parameter becomes optional"),
    pytest.param((), (f"{POST} parameters 0 explode", False), ["! parameter-style"],
                 id="a list is written in another way"),
    pytest.param((), (f"{POST} parameters 0 style", "form"), [], id="the usual way, said"),
    pytest.param((), (f"{POST} parameters 0 schema", {"type": "number"}), ["type-widened"],
                 id="a parameter takes more"),
    pytest.param((), (f"{POST} parameters 1 name", "x-shop"), [], id="a header in small letters"),
    pytest.param((), (f"{POST} parameters 0", {"name": "limit", "in": "query", "content": JSON}),
                 ["content-type-added"], id="a parameter with content"),
    pytest.param((), ("paths /teas/{id} parameters 0 schema", {"type": "integer"}),
                 ["! type-changed", "! type-changed"], id="another type in the path"),
    pytest.param((), (f"{POST} requestBody", None), ["! body-removed"], id="no body any more"),
    pytest.param((f"{POST} requestBody", None), (), ["body-added"], id="a body that may be sent"),
    pytest.param((f"{POST} requestBody", None), (f"{BODY} required", True), ["! body-required"],
                 id="a body that must be sent"),
    pytest.param((), (f"{BODY} required", True), ["! body-required"], id="a body becomes required"),
    pytest.param((f"{BODY} required", True), (), ["body-optional"], id="a body becomes optional"),
    pytest.param((), (f"{BODY} content", {"text/csv": {}}),
                 ["! content-type-removed", "content-type-added"], id="another content type"),
    pytest.param((), (f"{POST} responses 404", None), ["! status-removed"], id="a status less"),
    pytest.param((f"{POST} responses 404", None), (), ["status-added"], id="a status more"),
    pytest.param((), (f"{POST} responses 200 content application/json schema type", "integer"),
                 ["! type-changed"], id="another type of the answer"),
    pytest.param((), (f"{POST} responses 200 headers ETag", None), ["! header-removed"],
                 id="a header less"),
    pytest.param((f"{POST} responses 200 headers ETag", None), (), ["header-added"],
                 id="a header more"),
    pytest.param((), (f"{POST} responses 200 headers ETag required", None), ["! header-optional"],
                 id="a header may be missing"),
    pytest.param((), (f"{POST} responses 200 headers",
                      {"etag": {"required": True, "schema": TEXT}}), [],
                 id="a header of the answer in small letters"),
    pytest.param((), (f"{POST} security", [{"token": []}]), ["! security-required"],
                 id="sign-in where there was none"),
    pytest.param((f"{POST} security", [{"token": []}]), (), ["security-added"],
                 id="no sign-in any more"),
    pytest.param((), (f"{POST} security", []), [], id="no sign-in, said"),
    pytest.param((f"{POST} security", [{"token": []}]), (f"{POST} security", [{"key": []}]),
                 ["! security-required", "security-added"], id="another sign-in"),
    pytest.param((f"{POST} security", [{"token": []}]),
                 (f"{POST} security", [{"token": []}, {"key": []}]),
                 ["security-added"], id="another way to sign in"),
    pytest.param((f"{POST} security", [{"token": []}]),
                 (f"{POST} security", [{"token": [], "key": []}]),
                 ["! security-required"], id="two proofs instead of one"),
    pytest.param((f"{POST} security", [{"token": ["read"]}]),
                 (f"{POST} security", [{"token": ["read", "write"]}]),
                 ["! security-required"], id="one more permission"),
    pytest.param((), ("security", [{"token": []}]),
                 ["! security-required", "! security-required"], id="sign-in for all"),
    pytest.param((), ("info", {"title": "Coffee", "version": "2"}), [], id="words"),
])  # fmt: skip
def test_a_change(old, new, expected):
    before, after = (changed(*one) if one else DOCUMENT for one in (old, new))
    found = compare(before, after)
    assert [f"{'! ' if change.breaking else ''}{change.kind}" for change in found] == expected


def test_another_way_to_send_a_token_breaks_whoever_uses_it():
    old = changed(f"{POST} security", [{"token": []}])
    new = copy.deepcopy(old)
    new["components"]["securitySchemes"]["token"]["scheme"] = "basic"
    assert [change.kind for change in compare(old, new)] == ["security-scheme-changed"]
    new["components"]["securitySchemes"]["token"] |= {"scheme": "bearer", "description": "Ours."}
    assert compare(old, new) == []


def test_another_name_of_a_variable_in_the_path_is_no_change():
    new = json.loads(json.dumps(DOCUMENT))
    item = new["paths"]["/teas/{tea}"] = new["paths"].pop("/teas/{id}")
    item["parameters"][0]["name"] = "tea"
    assert compare(DOCUMENT, new) == []


def test_a_difference_says_where_it_is_for_a_person_and_for_a_program():
    (change,) = compare(DOCUMENT, changed("paths /teas/{id} get", None))
    assert change == Change(
        breaking=True, where="GET /teas/{id}", part="", pointer="", kind="method-removed",
        message="the method is gone",
    )  # fmt: skip
    assert str(change) == "the method is gone"


@pytest.mark.parametrize(("text", "reason"), [
    pytest.param("{", "is not JSON", id="half a document"),
    pytest.param(b"\xff", "is not JSON", id="bytes that are no text"),
    pytest.param("[" * 100_000, "is not JSON", id="nesting without end"),
    pytest.param("[]", "`openapi` is None", id="a list"),
    pytest.param('{"openapi": "3.0.3"}', "`openapi` is '3.0.3'", id="an older version"),
])  # fmt: skip
def test_what_is_no_document_is_refused(text, reason):
    with pytest.raises(DocumentError, match=reason) as caught:
        parsed(text, "old.json")
    assert str(caught.value).startswith("old.json ")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("reference", [
    pytest.param("#/components/nothing", id="leads nowhere"),
    pytest.param("#/openapi/deeper", id="leads into text"),
    pytest.param("other.json#/Teas", id="leads into another file"),
    pytest.param("#/components/requestBodies/Round", id="leads in a circle"),
])  # fmt: skip
def test_a_reference_that_cannot_be_followed_is_named(reference):
    new = changed(f"{POST} requestBody", {"$ref": reference})
    new["components"]["requestBodies"]["Round"] = {"$ref": reference}
    with pytest.raises(DocumentError, match=reference):
        compare(DOCUMENT, new)


@pytest.mark.parametrize(("place", "value"), [
    pytest.param("paths", [], id="paths are a list"),
    pytest.param(f"{POST} parameters 0 name", None, id="a parameter without a name"),
    pytest.param("paths /teas/{id} parameters 0 name", "other", id="a variable that is not there"),
])  # fmt: skip
def test_a_document_that_is_not_built_as_it_should_be_is_refused(place, value):
    with pytest.raises(DocumentError, match="cannot be compared"):
        compare(DOCUMENT, changed(place, value))


def test_references_lead_through_lists_and_escaped_names():
    new = changed(f"{POST} requestBody", {"$ref": "#/x~1y/0"})
    new["x/y"] = [{"content": JSON}]
    assert compare(DOCUMENT, new) == []
