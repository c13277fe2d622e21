"""Declared filters, asked over HTTP."""

import pytest
from marshmallow import Schema, fields
from openapi_spec_validator import validate

from carboy.api.filters import Filters
from carboy.api.resource import Resource

ROWS = [
    {"name": "Green Tea", "kind": "tea", "weight": 100, "worth": "4.50"},
    {"name": "Black tea", "kind": "tea", "weight": 50, "worth": "3.00"},
    {"name": "100% Oats", "kind": "food", "weight": None, "worth": "2.20"},
    {"name": "Oats_Fine", "kind": "food", "weight": 500, "worth": "2.90"},
    {"name": "Mug", "kind": "ware", "weight": None, "worth": "9.99"},
]
ALL = {row["name"] for row in ROWS}


@pytest.fixture
def resource(things):
    return type(
        "Things",
        (Resource,),
        {
            "model": things.Thing,
            "schema": things.Out,
            "only": ("list",),
            "filters": {
                "name": ("contains", "startswith", "eq"),
                "kind": ("in", "ne"),
                "weight": ("eq", "ne", "gt", "gte", "lt", "lte", "isnull"),
                "worth": ("gte", "lt"),
                "sold_on": ("lte",),
            },
        },
    )


@pytest.fixture
def client(shelf, resource):
    return shelf(resource, rows=ROWS).client


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param({"name": "Mug"}, {"Mug"}, id="eq: exactly this"),
        pytest.param({"name": "mug"}, set(), id="eq: case counts"),
        pytest.param({"kind_ne": "tea"}, {"100% Oats", "Oats_Fine", "Mug"}, id="ne: another"),
        pytest.param(
            {"weight_ne": "50"},
            ALL - {"Black tea"},
            id="ne: none at all is another",
        ),
        pytest.param({"weight_gt": "50"}, {"Green Tea", "Oats_Fine"}, id="gt: more"),
        pytest.param({"weight_gte": "100"}, {"Green Tea", "Oats_Fine"}, id="gte: at least"),
        pytest.param({"weight_lt": "100"}, {"Black tea"}, id="lt: less"),
        pytest.param({"weight_lte": "100"}, {"Green Tea", "Black tea"}, id="lte: at most"),
        pytest.param({"kind": "ware,food"}, {"100% Oats", "Oats_Fine", "Mug"}, id="in: any of"),
        pytest.param({"kind": "ware"}, {"Mug"}, id="in: one will do"),
        pytest.param({"name_contains": "TEA"}, {"Green Tea", "Black tea"}, id="contains: any case"),
        pytest.param({"name_contains": "0%"}, {"100% Oats"}, id="contains: a percent sign is one"),
        pytest.param({"name_contains": "_"}, {"Oats_Fine"}, id="contains: so is an underscore"),
        pytest.param({"name_contains": "/"}, set(), id="contains: and a slash"),
        pytest.param({"name_contains": "'; --"}, set(), id="contains: a quote is just a quote"),
        pytest.param({"name_startswith": "oats"}, {"Oats_Fine"}, id="startswith: at the front"),
        pytest.param({"weight_isnull": "true"}, {"100% Oats", "Mug"}, id="isnull: without"),
        pytest.param(
            {"weight_isnull": "false"},
            {"Green Tea", "Black tea", "Oats_Fine"},
            id="isnull: with",
        ),
        pytest.param(
            {"worth_gte": "2.90", "worth_lt": "4.50"},
            {"Black tea", "Oats_Fine"},
            id="several: all of them",
        ),
        pytest.param({"colour": "red"}, ALL, id="what is no filter is ignored"),
    ],
)
def test_a_filter_leaves_what_was_asked_for(client, query, names):
    answer = client.get("/things", query_string=query)
    assert answer.status_code == 200, answer.text
    assert {item["name"] for item in answer.json["data"]["items"]} == names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("weight_gte", "heavy", id="not a number"),
        pytest.param("weight_gte", str(2**31), id="beyond what the column holds"),
        pytest.param("weight", "9" * 400, id="four hundred digits"),
        pytest.param("worth_gte", "NaN", id="not a number that compares"),
        pytest.param("worth_gte", "1e300", id="three hundred digits before the point"),
        pytest.param("sold_on_lte", "yesterday", id="not a date"),
        pytest.param("weight_isnull", "maybe", id="neither true nor false"),
        pytest.param("name_contains", "", id="nothing to look for"),
        pytest.param("name_contains", "x" * 201, id="a text too long to look for"),
        pytest.param("name", "a\0b", id="a NUL"),
        pytest.param("name", "x" * 41, id="longer than any name"),
        pytest.param("kind", ",".join("x" * 101), id="too many choices"),
        pytest.param("kind", "", id="no choice"),
        pytest.param("name_lt", "m", id="an operator that was not declared"),
        pytest.param("colour_gte", "red", id="an operator on an unknown field"),
        pytest.param("worth", "2.90", id="a declared field without its operator"),
    ],
)
def test_what_cannot_be_asked_is_refused_naming_the_parameter(client, name, value):
    answer = client.get("/things", query_string={name: value})
    assert answer.status_code == 422
    assert answer.json["data"].keys() == {name}


def test_an_unknown_filter_is_told_which_there_are(client):
    answer = client.get("/things?colour_eq=red")
    assert "name_contains" in answer.json["data"]["colour_eq"][0]


class Strange(Schema):
    id = fields.Integer()
    name = fields.String()
    weight = fields.Integer()
    made_up = fields.String()


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        pytest.param({"colour": ("eq",)}, "needs a field", id="no such field"),
        pytest.param({"made_up": ("eq",)}, "needs a field", id="no column behind it"),
        pytest.param({"name": ("like",)}, "no operator 'like'", id="no such operator"),
        pytest.param({"name": ("eq", "in")}, "Keep in", id="two for one parameter"),
        pytest.param({"weight": ("contains",)}, "is none", id="looking for text in a number"),
    ],
)
def test_a_filter_that_cannot_work_stops_the_start(things, declared, says):
    with pytest.raises(TypeError, match=says):
        Filters(things.Thing, Strange(), declared)


def test_the_document_has_every_filter_with_its_type(client):
    document = client.get("/openapi.json").json
    validate(document)
    operation = document["paths"]["/things"]["get"]
    found = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert found["weight_gte"]["schema"]["type"] == "integer"
    assert found["weight_isnull"]["schema"]["type"] == "boolean"
    assert found["kind"]["schema"]["type"] == "array"
    assert found["kind"]["explode"] is False
    assert all(parameter["description"] for parameter in found.values())
    assert not any(parameter["required"] for parameter in found.values())
