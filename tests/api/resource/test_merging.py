"""JSON merge patch, held against the examples of its specification."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields

from carboy.api.resource.merging import merge

# RFC 7396, appendix A.
EXAMPLES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
values = st.recursive(
    st.integers() | st.text() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_the_examples_of_the_specification(target, patch, result):
    before = json.dumps(target)
    assert merge(target, patch) == result
    assert json.dumps(target) == before


@given(values, values)
def test_merging_twice_changes_nothing_more(target, patch):
    once = merge(target, patch)
    assert merge(once, patch) == once


class Lock(Schema):
    pin = fields.String(load_only=True)
    digits = fields.Function(lambda lock: len(lock.get("pin", "")))


class Case(Schema):
    size = fields.Integer(required=True)
    volume = fields.Function(lambda case: case.get("size", 0) ** 3)
    maker = fields.String(dump_only=True)
    pin = fields.String(load_only=True, data_key="thePin")
    lock = fields.Nested(Lock)
    inner = fields.Nested(lambda: Case(only=("size", "volume")))
    parts = fields.List(fields.Nested(lambda: Case(only=("size", "volume"))))


def test_a_patch_of_an_object_touches_neither_what_is_only_shown_nor_what_is_only_loaded(
    shelf, resource, things
):
    class In(things.In):
        box = fields.Nested(Case)

    class Out(things.Out):
        box = fields.Nested(Case)

    shelf = shelf(resource(schema=Out, writable=In))
    box = {
        "size": 2, "thePin": "1234", "lock": {"pin": "99"}, "inner": {"size": 1},
        "parts": [{"size": 4}],
    }  # fmt: skip
    made = shelf.client.post("/things", json={"name": "Jar", "box": box})
    assert made.status_code == 201, made.text
    shown = made.json["data"]["box"]
    assert shown == {
        "size": 2, "volume": 8, "lock": {"digits": 2}, "inner": {"size": 1, "volume": 1},
        "parts": [{"size": 4, "volume": 64}],
    }  # fmt: skip
    patch = {"size": 3, "inner": {"size": 5}}
    answer = shelf.client.patch("/things/1", json={"box": patch})
    assert answer.status_code == 200, answer.text
    assert answer.json["data"]["box"] == {
        **shown, "size": 3, "volume": 27, "inner": {"size": 5, "volume": 125},
    }  # fmt: skip
    with shelf.app.app_context():
        kept = shelf.db.session.get(things.Thing, 1).box
    assert kept == {
        "size": 3, "pin": "1234", "lock": {"pin": "99"}, "inner": {"size": 5},
        "parts": [{"size": 4}],
    }  # fmt: skip


@pytest.mark.parametrize("sent", ["volume", "maker"])
def test_what_is_only_shown_cannot_be_patched(shelf, resource, things, sent):
    class In(things.In):
        box = fields.Nested(Case)

    client = shelf(resource(writable=In)).client
    client.post("/things", json={"name": "Jar", "box": {"size": 2}})
    answer = client.patch("/things/1", json={"box": {sent: "1"}})
    assert answer.status_code == 422
    assert answer.json["data"] == {"box": {sent: ["Unknown field."]}}
