"""What a change of a schema means to callers, in each direction."""

import pytest

from carboy.api.contract import compare

BREAKS, HOLDS = True, False
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
NAME = {"type": "object", "properties": {"name": TEXT}}
NEEDED = {**NAME, "required": ["name"]}
CLOSED = {**NAME, "additionalProperties": False}


def document(schema, direction, **components):
    media = {"application/json": {"schema": schema}}
    operation = {"responses": {"200": {"description": ""}}}
    if direction == "request":
        operation["requestBody"] = {"content": media}
    else:
        operation["responses"]["200"]["content"] = media
    return {
        "openapi": "3.1.0",
        "paths": {"/": {"post": operation}},
        "components": {"schemas": components},
    }


def differences(old, new, direction):
    return compare(document(old, direction), document(new, direction))


@pytest.mark.parametrize(("old", "new", "kind", "in_request", "in_response"), [
    pytest.param(TEXT, NUMBER, "type-changed", BREAKS, BREAKS, id="another type"),
    pytest.param(TEXT, {"type": ["string", "null"]}, "type-widened", HOLDS, BREAKS,
                 id="null is possible"),
    pytest.param({"type": ["string", "null"]}, TEXT, "type-narrowed", BREAKS, HOLDS,
                 id="null is not possible any more"),
    pytest.param(NUMBER, {"type": "integer"}, "type-narrowed", BREAKS, HOLDS,
                 id="only whole numbers"),
    pytest.param({"type": "integer"}, NUMBER, "type-widened", HOLDS, BREAKS, id="also fractions"),
    pytest.param({}, TEXT, "type-narrowed", BREAKS, HOLDS, id="anything, then text"),
    pytest.param(True, False, "keyword-changed", BREAKS, BREAKS, id="anything, then nothing"),
    pytest.param({"enum": ["a", "b"]}, {"enum": ["a"]}, "enum-value-removed", BREAKS, HOLDS,
                 id="a value less"),
    pytest.param({"enum": ["a"]}, {"enum": ["a", "b"]}, "enum-value-added", HOLDS, HOLDS,
                 id="a value more"),
    pytest.param({"const": "a"}, {"const": "b"}, "enum-changed", BREAKS, BREAKS,
                 id="another constant"),
    pytest.param(TEXT, {**TEXT, "enum": ["a"]}, "enum-changed", BREAKS, HOLDS,
                 id="only certain values"),
    pytest.param({**TEXT, "enum": ["a"]}, TEXT, "enum-changed", HOLDS, BREAKS, id="any value"),
    pytest.param({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8}, "limit-changed",
                 BREAKS, HOLDS, id="shorter"),
    pytest.param({**TEXT, "maxLength": 8}, {**TEXT, "maxLength": 9}, "limit-changed",
                 HOLDS, BREAKS, id="longer"),
    pytest.param(NUMBER, {**NUMBER, "minimum": 0}, "limit-changed", BREAKS, HOLDS,
                 id="a lower limit"),
    pytest.param({**NUMBER, "minimum": 0}, NUMBER, "limit-changed", HOLDS, BREAKS,
                 id="no lower limit any more"),
    pytest.param({**NUMBER, "minimum": 0}, {**NUMBER, "minimum": 1}, "limit-changed",
                 BREAKS, HOLDS, id="a higher lower limit"),
    pytest.param({**NUMBER, "exclusiveMaximum": 5}, {**NUMBER, "exclusiveMaximum": 4},
                 "limit-changed", BREAKS, HOLDS, id="a lower upper limit"),
    pytest.param({"multipleOf": 2}, {"multipleOf": 4}, "limit-changed", BREAKS, HOLDS,
                 id="coarser steps"),
    pytest.param({"multipleOf": 4}, {"multipleOf": 2}, "limit-changed", HOLDS, BREAKS,
                 id="finer steps"),
    pytest.param({"multipleOf": 4}, {}, "limit-changed", HOLDS, BREAKS, id="no steps any more"),
    pytest.param({"uniqueItems": False}, {"uniqueItems": True}, "limit-changed", BREAKS, HOLDS,
                 id="items may not repeat"),
    pytest.param({"uniqueItems": True}, {}, "limit-changed", HOLDS, BREAKS,
                 id="items may repeat"),
    pytest.param(TEXT, {**TEXT, "pattern": "^a"}, "pattern-changed", BREAKS, HOLDS,
                 id="a pattern"),
    pytest.param({**TEXT, "format": "date"}, {**TEXT, "format": "date-time"}, "format-changed",
                 BREAKS, BREAKS, id="another format"),
    pytest.param({**TEXT, "format": "date"}, TEXT, "format-changed", HOLDS, BREAKS,
                 id="no format any more"),
    pytest.param(NAME, {"type": "object"}, "property-removed", BREAKS, BREAKS, id="a field less"),
    pytest.param({"type": "object"}, NAME, "property-added", HOLDS, HOLDS, id="a field more"),
    pytest.param({"type": "object"}, NEEDED, "property-required", BREAKS, None,
                 id="a required field more, asked for"),
    pytest.param({"type": "object"}, NEEDED, "property-added", None, HOLDS,
                 id="a required field more, answered"),
    pytest.param({"type": "object"}, {"type": "object", "required": ["x"]}, "property-required",
                 BREAKS, None, id="a required field that nothing is said about"),
    pytest.param(NAME, NEEDED, "property-required", BREAKS, HOLDS, id="a field becomes required"),
    pytest.param(NEEDED, NAME, "property-optional", HOLDS, BREAKS, id="a field may be missing"),
    pytest.param(NAME, CLOSED, "more-properties", BREAKS, HOLDS, id="unknown fields are refused"),
    pytest.param(CLOSED, NAME, "more-properties", HOLDS, BREAKS, id="unknown fields may occur"),
    pytest.param({"additionalProperties": TEXT}, {"additionalProperties": NUMBER}, "type-changed",
                 BREAKS, BREAKS, id="another type of the values of a map"),
    pytest.param({"items": TEXT}, {"items": NUMBER}, "type-changed", BREAKS, BREAKS,
                 id="another type of the items of a list"),
    pytest.param({"prefixItems": [TEXT]}, {"prefixItems": [TEXT, NUMBER]}, "type-narrowed",
                 BREAKS, HOLDS, id="the second of a pair has a type"),
    pytest.param({"prefixItems": [TEXT, TEXT]}, {"prefixItems": [TEXT]}, "type-widened",
                 HOLDS, BREAKS, id="the second of a pair has no type any more"),
    pytest.param({"anyOf": [TEXT, NUMBER]}, {"anyOf": [TEXT]}, "alternative-removed",
                 BREAKS, HOLDS, id="an alternative less"),
    pytest.param({"oneOf": [TEXT]}, {"oneOf": [TEXT, NUMBER]}, "alternative-added",
                 HOLDS, BREAKS, id="an alternative more"),
    pytest.param(TEXT, {"anyOf": [TEXT, NUMBER]}, "alternative-added", HOLDS, BREAKS,
                 id="alternatives where there were none"),
    pytest.param({"anyOf": [TEXT, NUMBER]}, {"anyOf": [TEXT, {"type": "integer"}]},
                 "type-narrowed", BREAKS, HOLDS, id="one alternative became narrower"),
    pytest.param({"allOf": [TEXT]}, {"allOf": [NUMBER]}, "type-changed", BREAKS, BREAKS,
                 id="another condition"),
    pytest.param({"allOf": [TEXT]}, {"allOf": [TEXT, {"title": "Short", "maxLength": 3}]},
                 "condition-added", BREAKS, HOLDS, id="a condition more"),
    pytest.param({"allOf": [TEXT, {"pattern": "x" * 90}]}, {"allOf": [TEXT]},
                 "condition-removed", HOLDS, BREAKS, id="a condition less"),
    pytest.param({"not": TEXT}, {"not": NUMBER}, "keyword-changed", BREAKS, BREAKS,
                 id="a keyword that cannot be judged"),
    pytest.param({"default": 1}, {"default": 2}, "default-changed", HOLDS, None,
                 id="another default"),
    pytest.param({"title": "A", "description": "B", "x-own": 1}, {"examples": [1]}, None,
                 None, None, id="only words changed"),
])  # fmt: skip
@pytest.mark.parametrize("direction", ["request", "response"])
def test_a_change(old, new, kind, in_request, in_response, direction):  # noqa: PLR0917 - a column each
    expected = in_request if direction == "request" else in_response
    found = differences(old, new, direction)
    if expected is None:
        assert kind not in {change.kind for change in found}
        return
    assert any(change.breaking for change in found) is expected
    assert kind in {change.kind for change in found}


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("schema", [
    TEXT, NEEDED, CLOSED, {"enum": [1, None]}, {"anyOf": [TEXT, NAME]}, {"items": NAME},
    {"prefixItems": [TEXT]}, True, {"allOf": [NAME], "not": {}},
], ids=str)  # fmt: skip
def test_nothing_changed(schema, direction):
    assert differences(schema, schema, direction) == []


def test_the_place_is_named():
    old = {"properties": {"a/b": {"items": {"properties": {"c": TEXT}}}}}
    new = {"properties": {"a/b": {"items": {"properties": {"c": NUMBER}}}}}
    (change,) = differences(old, new, "response")
    assert (change.where, change.part) == ("POST /", "response 200")
    assert change.pointer == "/a~1b/*/c"
    assert str(change).endswith("/a~1b/*/c: the type string is number")


TREE = {"$ref": "#/components/schemas/Tree"}


def tree(leaf):
    return {"properties": {"leaf": leaf, "left": TREE, "right": TREE}}


def test_a_schema_that_contains_itself_is_followed_once():
    found = compare(
        document(TREE, "response", Tree=tree(TEXT)),
        document(TREE, "response", Tree=tree(NUMBER)),
    )
    assert [change.pointer for change in found] == ["/leaf"]


def test_another_name_of_a_component_is_no_change():
    either = {"anyOf": [TREE, {"$ref": "#/components/schemas/Text"}]}
    renamed = {"anyOf": [{"$ref": "#/components/schemas/Word"}, TREE]}
    old = document(either, "request", Tree=NAME, Text=TEXT)
    assert compare(old, document(renamed, "request", Tree=NAME, Word=TEXT)) == []


def test_what_a_reference_leads_to_is_compared_among_alternatives():
    either = {"anyOf": [TREE, TEXT]}
    found = compare(
        document(either, "response", Tree=NEEDED), document(either, "response", Tree=NAME)
    )
    assert [change.kind for change in found] == ["property-optional"]


def test_words_beside_a_reference_leave_it_what_it_is():
    beside = {**TREE, "description": "A tree."}
    assert (
        compare(document(TREE, "request", Tree=NAME), document(beside, "request", Tree=NAME)) == []
    )
