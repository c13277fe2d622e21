import datetime as dt
import enum
import re
import uuid
from decimal import Decimal

import pytest
from apispec import APISpec
from jsonschema import Draft202012Validator
from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields, validate
from webargs import fields as webfields

from carboy.api.openapi.components import resolve
from carboy.api.openapi.schemas import Converter

EMAIL_HOST = r"@(?:localhost|[^@]*\.[^@.]{2,}|\[[0-9.]+\])$"


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Inner(Schema):
    name = fields.String(required=True)
    size = fields.Integer()


class Node(Schema):
    name = fields.String(required=True)
    children = fields.List(fields.Nested(lambda: Node))


def components(*wanted):
    """Convert schemas and name their components; each wanted: schema, direction."""
    converter = Converter(APISpec("t", "1", "3.1.0"))
    made = [converter.convert(schema, direction, "Hint") for schema, direction in wanted]
    schemas, references = converter.registry.named()
    return resolve(made, references), resolve(schemas, references)


def described(field, direction="request"):
    schema = Schema.from_dict({"it": field})()
    _, schemas = components((schema, direction))
    return schemas["Hint"]["properties"]["it"]


def checked(schema, direction="request"):
    """Make a validator of a schema's JSON Schema, components included."""
    (top,), schemas = components((schema, direction))
    return Draft202012Validator({**top, "components": {"schemas": schemas}})


AGREEMENTS = [
    pytest.param(
        fields.String(validate=validate.Length(2, 3)),
        ["ab", "abc"],
        ["a", "abcd", 1],
        id="text has a length",
    ),
    pytest.param(
        fields.String(validate=validate.Length(equal=2)),
        ["ab"],
        ["a", "abc"],
        id="text has one length",
    ),
    pytest.param(
        fields.String(validate=[validate.Length(1), validate.Length(2, 9), validate.Length(max=3)]),
        ["ab"],
        ["a", "abcd"],
        id="the narrowest lengths count",
    ),
    pytest.param(
        fields.Integer(strict=True, validate=validate.Range(1, 3)),
        [1, 3],
        [0, 4],
        id="a range includes its bounds",
    ),
    pytest.param(
        fields.Float(validate=validate.Range(0, 1, min_inclusive=False, max_inclusive=False)),
        [0.5],
        [0, 1],
        id="a range may exclude its bounds",
    ),
    pytest.param(
        fields.Integer(validate=[validate.Range(min=1), validate.Range(min=5, max=9)]),
        [5, 9],
        [4, 10],
        id="the narrowest range counts",
    ),
    pytest.param(
        fields.Float(validate=validate.Range(min=Decimal("0.5"))),
        [0.5],
        [0.4],
        id="a bound may be a decimal",
    ),
    pytest.param(
        fields.String(validate=validate.OneOf(["a", "b"])), ["a"], ["c"], id="one of some choices"
    ),
    pytest.param(
        fields.String(validate=[validate.OneOf(["a", "b"]), validate.OneOf(["b", "c"])]),
        ["b"],
        ["a", "c"],
        id="choices in common",
    ),
    pytest.param(fields.Integer(validate=validate.Equal(4)), [4], [5], id="equal to one value"),
    pytest.param(
        fields.String(validate=[validate.Equal("a"), validate.Equal("b")]),
        [],
        ["a", "b"],
        id="two demands that exclude each other",
    ),
    pytest.param(
        fields.String(validate=validate.NoneOf(["a"])), ["b"], ["a"], id="none of some values"
    ),
    pytest.param(
        fields.String(validate=[validate.NoneOf(["a"]), validate.NoneOf(["b"])]),
        ["c"],
        ["a", "b"],
        id="none of several lists",
    ),
    pytest.param(
        fields.List(fields.String(), validate=validate.ContainsOnly(["a", "b"])),
        [[], ["a", "a"]],
        [["a", "c"]],
        id="a list contains only these",
    ),
    pytest.param(
        fields.List(fields.String(), validate=validate.ContainsNoneOf(["a"])),
        [[], ["b"]],
        [["b", "a"]],
        id="a list contains none of these",
    ),
    pytest.param(
        fields.String(validate=validate.ContainsOnly("a-]^")),
        ["", "a-]"],
        ["ab"],
        id="text contains only these characters",
    ),
    pytest.param(
        fields.String(validate=validate.ContainsNoneOf("ab")),
        ["", "c"],
        ["ca"],
        id="text contains none of these characters",
    ),
    pytest.param(
        fields.Dict(validate=validate.ContainsOnly(["a"])),
        [{}, {"a": 1}],
        [{"b": 1}],
        id="an object has only these names",
    ),
    pytest.param(
        fields.Dict(validate=validate.ContainsNoneOf(["a"])),
        [{"b": 1}],
        [{"a": 1}],
        id="an object has none of these names",
    ),
    pytest.param(
        fields.String(validate=validate.Regexp("[a-c]+$")),
        ["abc"],
        ["xabc", "abx"],
        id="text matches from its start",
    ),
    pytest.param(
        fields.String(validate=[validate.Regexp("a"), validate.Regexp(".*b")]),
        ["ab"],
        ["a", "b"],
        id="several patterns all count",
    ),
    pytest.param(
        fields.String(
            validate=validate.And(validate.Length(2), validate.And(validate.Regexp("a")))
        ),
        ["ab"],
        ["a", "bb"],
        id="combined validators all count",
    ),
    pytest.param(
        fields.List(fields.Integer(strict=True), validate=validate.Length(1, 2)),
        [[1]],
        [[], [1, 2, 3], ["x"]],
        id="a list has a length and items",
    ),
    pytest.param(
        fields.Dict(
            keys=fields.String(validate=validate.Length(max=2)),
            values=fields.Boolean(),
            validate=validate.Length(max=1),
        ),
        [{"a": True}],
        [{"abc": True}, {"a": "x"}, {"a": True, "b": True}],
        id="an object has names, values and a size",
    ),
    pytest.param(
        fields.Tuple((fields.Integer(), fields.String())),
        [[1, "a"]],
        [[1], [1, "a", 2], ["x", "a"]],
        id="a tuple has its parts",
    ),
    pytest.param(fields.Enum(Colour), ["RED"], ["red", 1], id="an enum by name"),
    pytest.param(fields.Enum(Colour, by_value=True), [1], [3, "RED"], id="an enum by value"),
    pytest.param(
        fields.Decimal(places=2, validate=validate.Range(min=0)),
        ["1.5", 2, "0", 1.5],
        ["-1", "x", -1, None, True],
        id="a decimal is text or a number",
    ),
    pytest.param(fields.Integer(as_string=True), [1, "-5"], ["x"], id="an integer as text"),
    pytest.param(fields.Boolean(), [True, False], ["maybe"], id="a boolean"),
    pytest.param(
        fields.Nested(Inner),
        [{"name": "a"}],
        [{}, {"name": "a", "x": 1}, None],
        id="a nested object refuses unknown fields",
    ),
    pytest.param(
        fields.Nested(Inner, allow_none=True),
        [{"name": "a"}, None],
        [{}],
        id="a nested object may be null",
    ),
    pytest.param(
        fields.Nested(Inner, many=True, validate=validate.Length(max=1)),
        [[], [{"name": "a"}]],
        [{}, [{"name": "a"}] * 2],
        id="many nested objects",
    ),
    pytest.param(
        fields.Nested(Inner(many=True)),
        [[{"name": "a"}]],
        [{"name": "a"}],
        id="a nested schema that is of many",
    ),
    pytest.param(
        fields.Nested(Inner, unknown=EXCLUDE),
        [{"name": "a", "x": 1}],
        [{}],
        id="the place may ignore unknown fields",
    ),
    pytest.param(
        fields.Nested(Inner, unknown=INCLUDE),
        [{"name": "a", "x": 1}],
        [{}],
        id="the place may take unknown fields",
    ),
    pytest.param(
        fields.Nested({"a": fields.Integer(required=True)}),
        [{"a": 1}],
        [{}],
        id="a nested dict of fields",
    ),
    pytest.param(fields.Pluck(Inner, "name"), ["a"], [1], id="one field of a nested object"),
    pytest.param(
        fields.Pluck(Inner, "name", many=True), [["a"]], ["a", [1]], id="one field of many"
    ),
    pytest.param(
        fields.Nested(Node),
        [{"name": "a", "children": [{"name": "b"}]}],
        [{"name": "a", "children": [{}]}],
        id="a tree",
    ),
    pytest.param(
        fields.String(allow_none=True, validate=validate.Length(2)),
        ["ab", None],
        ["a"],
        id="text or null",
    ),
    pytest.param(
        fields.String(allow_none=True, validate=validate.OneOf(["a"])),
        ["a", None],
        ["b"],
        id="a choice or null",
    ),
    pytest.param(
        fields.String(allow_none=True, validate=validate.Equal("a")),
        ["a", None],
        ["b"],
        id="one value or null",
    ),
    pytest.param(
        fields.String(allow_none=True, validate=validate.NoneOf(["a"])),
        ["b", None],
        ["a", 1],
        id="not this, or null",
    ),
    pytest.param(fields.Raw(), [1, "a", None, {}], [], id="anything"),
    pytest.param(
        fields.String(validate=validate.Predicate("isupper")),
        ["A"],
        [1],
        id="a predicate says nothing to a schema",
    ),
    pytest.param(
        fields.String(validate=lambda _: True), ["A"], [1], id="a function says nothing to a schema"
    ),
    pytest.param(
        webfields.DelimitedList(fields.Integer()), ["1,2"], [1], id="a delimited list is text"
    ),
]


@pytest.mark.parametrize(("field", "good", "bad"), AGREEMENTS)
def test_document_and_validation_agree(field, good, bad):
    schema = Schema.from_dict({"it": field})()
    document = checked(schema)
    for value in good:
        if not isinstance(field, fields.Raw) or value is not None:
            schema.load({"it": value})
        assert document.is_valid({"it": value}), value
    for value in bad:
        if not (isinstance(field, fields.Boolean) and value is True):
            with pytest.raises(ValidationError):
                schema.load({"it": value})
        assert not document.is_valid({"it": value}), value


NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
FORMATS = [
    pytest.param(fields.UUID(), uuid.UUID(int=1), {"type": "string", "format": "uuid"}, id="uuid"),
    pytest.param(
        fields.DateTime(), NOW, {"type": "string", "format": "date-time"}, id="time stamp"
    ),
    pytest.param(
        fields.AwareDateTime(), NOW, {"type": "string", "format": "date-time"}, id="aware"
    ),
    pytest.param(
        fields.NaiveDateTime(),
        NOW.replace(tzinfo=None),
        {"type": "string", "format": "date-time-local"},
        id="naive",
    ),
    pytest.param(
        fields.DateTime("timestamp"),
        NOW,
        {"type": "number", "format": "unixtime", "x-unit": "seconds"},
        id="seconds since 1970",
    ),
    pytest.param(
        fields.DateTime("timestamp_ms"),
        NOW,
        {"type": "number", "format": "unixtime", "x-unit": "milliseconds"},
        id="milliseconds since 1970",
    ),
    pytest.param(
        fields.DateTime("%Y"),
        NOW,
        {"type": "string", "x-format": "%Y"},
        id="time stamp of its own format",
    ),
    pytest.param(fields.Date(), NOW.date(), {"type": "string", "format": "date"}, id="date"),
    pytest.param(
        fields.Date("%Y"),
        NOW.date(),
        {"type": "string", "x-format": "%Y"},
        id="date of its own format",
    ),
    pytest.param(fields.Time(), NOW.time(), {"type": "string", "format": "time-local"}, id="time"),
    pytest.param(
        fields.Time("%H"),
        NOW.time(),
        {"type": "string", "x-format": "%H"},
        id="time of its own format",
    ),
    pytest.param(
        fields.TimeDelta("hours"),
        dt.timedelta(hours=2),
        {"type": "number", "x-unit": "hours"},
        id="duration",
    ),
    pytest.param(
        fields.Url(), "https://example.com", {"type": "string", "format": "uri"}, id="address"
    ),
    pytest.param(
        fields.Url(relative=True),
        "/a",
        {"type": "string", "format": "uri-reference"},
        id="relative address",
    ),
    pytest.param(
        fields.String(validate=validate.URL()),
        "https://example.com",
        {"type": "string", "format": "uri"},
        id="text that is an address",
    ),
    pytest.param(
        fields.Email(),
        "a@example.com",
        {"type": "string", "format": "email", "pattern": EMAIL_HOST},
        id="e-mail",
    ),
    pytest.param(
        fields.String(validate=validate.Email()),
        "a@example.com",
        {"type": "string", "format": "email", "pattern": EMAIL_HOST},
        id="text that is an e-mail",
    ),
    pytest.param(fields.IPv4(), "", {"type": "string", "format": "ipv4"}, id="IPv4"),
    pytest.param(fields.IPv6(), "", {"type": "string", "format": "ipv6"}, id="IPv6"),
    pytest.param(
        fields.IP(),
        "",
        {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
        id="either IP",
    ),
    pytest.param(
        fields.IPInterface(), "", {"type": "string", "format": "ip-interface"}, id="interface"
    ),
    pytest.param(
        fields.Decimal(places=2),
        Decimal("1.5"),
        {"type": "string", "format": "decimal", "pattern": r"^-?[0-9]+\.[0-9]{2}$"},
        id="decimal of two places",
    ),
    pytest.param(
        fields.Decimal(places=0),
        Decimal(1),
        {"type": "string", "format": "decimal", "pattern": "^-?[0-9]+$"},
        id="decimal without places",
    ),
    pytest.param(
        fields.Decimal(),
        Decimal("1E+9"),
        {
            "type": "string",
            "format": "decimal",
            "pattern": r"^-?[0-9]+(?:\.[0-9]+)?(?:E[+-]?[0-9]+)?$",
        },
        id="decimal",
    ),
    pytest.param(
        fields.Integer(as_string=True),
        1,
        {"type": "string", "pattern": "^-?[0-9]+$"},
        id="integer as text",
    ),
    pytest.param(fields.Float(as_string=True), 1.5, {"type": "string"}, id="number as text"),
    pytest.param(fields.Constant("x"), "x", {"const": "x", "default": "x"}, id="constant"),
    pytest.param(fields.Function(lambda _: 1), 1, {}, id="computed by a function"),
    pytest.param(fields.Dict(), {}, {"type": "object", "additionalProperties": True}, id="object"),
    pytest.param(
        fields.Enum(Colour, by_value=fields.Integer),
        Colour.RED,
        {"type": "integer", "enum": [1, 2], "x-enumNames": ["RED", "BLUE"]},
        id="enum by value names its members",
    ),
]


@pytest.mark.parametrize(("field", "value", "expected"), FORMATS)
def test_a_field_is_described_as_it_is_answered(field, value, expected):
    assert described(field, "response") == expected
    if value != "":
        dumped = Schema.from_dict({"it": field})().dump({"it": value})["it"]
        plain = str(dumped) if isinstance(dumped, Decimal) else dumped
        Draft202012Validator(expected).validate(plain)


def test_a_mail_date_matches_its_pattern():
    field = fields.DateTime("rfc")
    pattern = described(field, "response")["pattern"]
    assert re.search(pattern, Schema.from_dict({"it": field})().dump({"it": NOW})["it"])


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param(fields.Integer(load_default=3), {"default": 3}, id="a default"),
        pytest.param(fields.String(load_default=None), {"default": None}, id="null by default"),
        pytest.param(
            fields.Date(load_default=NOW.date()),
            {"default": "2026-01-02"},
            id="a default as it is written",
        ),
        pytest.param(
            fields.Date(load_default="today"),
            {"default": "today"},
            id="a default the field cannot write",
        ),
        pytest.param(
            fields.String(load_default=lambda: "x"),
            {"default": "absent"},
            id="a computed default is left out",
        ),
        pytest.param(
            fields.String(load_default="a", metadata={"default": "b"}),
            {"default": "b"},
            id="a documented default wins",
        ),
        pytest.param(
            fields.String(metadata={"example": "a"}),
            {"examples": ["a"], "example": "absent"},
            id="an example",
        ),
        pytest.param(
            fields.String(
                metadata={"description": "d", "title": "t", "deprecated": True, "x_note": 1}
            ),
            {"description": "d", "title": "t", "deprecated": True, "x-note": 1},
            id="notes",
        ),
        pytest.param(
            fields.String(metadata={"nullable": True, "readOnly": True, "colour": 1}),
            {"nullable": "absent", "readOnly": "absent", "colour": "absent"},
            id="words OpenAPI 3.1 has not",
        ),
        pytest.param(
            fields.String(validate=validate.OneOf(["a"], labels=["A"])),
            {"enum": ["a"], "x-enumNames": ["A"]},
            id="labels of choices",
        ),
        pytest.param(
            fields.String(validate=validate.Regexp("a", re.IGNORECASE)),
            {"pattern": "absent", "x-pattern": "(?i)a"},
            id="a pattern that cannot be translated",
        ),
        pytest.param(
            fields.String(validate=validate.Regexp(b"a")),
            {"pattern": "absent"},
            id="a pattern of bytes",
        ),
        pytest.param(
            fields.Date(validate=validate.Range(min=NOW.date())),
            {"x-minimum": "2026-01-02", "minimum": "absent"},
            id="an earliest date",
        ),
        pytest.param(
            fields.Nested(Inner, allow_none=True, metadata={"description": "d"}),
            {
                "description": "d",
                "anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}],
            },
            id="notes stay beside null",
        ),
        pytest.param(
            fields.String(allow_none=True), {"type": ["string", "null"]}, id="null is a type"
        ),
        pytest.param(
            fields.IP(allow_none=True),
            {
                "anyOf": [
                    {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
                    {"type": "null"},
                ]
            },
            id="null is an alternative",
        ),
        pytest.param(
            fields.DateTime("timestamp"), {"minimum": 0}, id="time before 1970 is refused"
        ),
        pytest.param(
            fields.NaiveDateTime(timezone=dt.UTC),
            {"format": "date-time"},
            id="an offset is taken where it is converted",
        ),
    ],
)
def test_an_input_field_says(field, expected):
    found = described(field)
    assert {key: found.get(key, "absent") for key in expected} == expected


class Account(Schema):
    """Who may sign in."""

    id = fields.Integer(dump_only=True, required=True)
    name = fields.String(required=True, data_key="fullName")
    password = fields.String(load_only=True, required=True)
    state = fields.String(dump_default="new")
    inner = fields.Nested(Inner)


def test_requests_and_responses_are_told_apart():
    (asked, answered), schemas = components(
        (Account(), "request"), (Account(many=True), "response")
    )
    assert asked == {"$ref": "#/components/schemas/AccountRequest"}
    assert answered == {"type": "array", "items": {"$ref": "#/components/schemas/Account"}}
    request, response = schemas["AccountRequest"], schemas["Account"]
    assert list(request["properties"]) == ["fullName", "password", "state", "inner"]
    assert request["required"] == ["fullName", "password"]
    assert request["additionalProperties"] is False
    assert list(response["properties"]) == ["id", "fullName", "state", "inner"]
    assert response["required"] == ["id", "fullName", "state"]
    assert "additionalProperties" not in response
    assert response["description"] == "Who may sign in."
    assert response["properties"]["inner"] == {"$ref": "#/components/schemas/Inner"}
    assert request["properties"]["inner"] == {"$ref": "#/components/schemas/InnerRequest"}


def test_equal_components_are_one():
    class Same(Schema):
        class Meta:
            unknown = EXCLUDE
            title = "The same"
            description = "Both ways"

        a = fields.Integer()
        again = fields.Nested(lambda: Same)

    (asked, answered), schemas = components((Same(), "request"), (Same(), "response"))
    assert asked == answered == {"$ref": "#/components/schemas/Same"}
    assert list(schemas) == ["Same"]
    assert schemas["Same"]["title"] == "The same"
    assert schemas["Same"]["description"] == "Both ways"


def test_different_schemas_of_one_name_are_told_apart():
    def named(module, **parts):
        return type("ItemSchema", (Schema,), {"__module__": module, **parts})()

    users = named("shop.users.schemas", a=fields.Integer())
    orders = named("shop.orders.schemas", b=fields.Integer())
    again = named("shop.orders.schemas", c=fields.Integer())
    _, schemas = components((users, "response"), (orders, "response"), (again, "response"))
    assert {name: list(schema["properties"]) for name, schema in schemas.items()} == {
        "UsersItem": ["a"],
        "OrdersItem": ["b"],
        "OrdersItem2": ["c"],
    }


@pytest.mark.parametrize(
    ("partial", "required"),
    [
        pytest.param(False, {"top": ["fullName", "password"], "inner": ["name"]}, id="whole"),
        pytest.param(True, {"top": None, "inner": None}, id="partial, nested ones too"),
        pytest.param(
            ("name",), {"top": ["password"], "inner": ["name"]}, id="one field may be missing"
        ),
        pytest.param(
            ("inner.name",), {"top": ["fullName", "password"], "inner": None}, id="one nested field"
        ),
    ],
)
def test_partial_loading_requires_less(partial, required):
    (top,), schemas = components((Account(partial=partial), "request"))
    found = schemas[top["$ref"].rpartition("/")[2]]
    inner = schemas[found["properties"]["inner"]["$ref"].rpartition("/")[2]]
    assert found.get("required") == required["top"]
    assert inner.get("required") == required["inner"]


def test_a_partial_component_says_so():
    _, schemas = components((Inner(), "request"), (Inner(partial=True), "request"))
    assert set(schemas) == {"Inner", "InnerPartial"}


def test_schemas_without_a_name_get_one_from_their_place():
    schema = Schema.from_dict({"shipping_address": fields.Nested({"zip": fields.String()})})()
    _, schemas = components((schema, "request"))
    assert set(schemas) == {"Hint", "HintShippingAddress"}


def test_components_are_numbered_where_nothing_else_tells_them_apart():
    _, schemas = components(
        (Account(only=("id",)), "response"),
        (Account(only=("state",)), "response"),
        (Account(exclude=("inner",)), "request"),
        (Account(only=("name",)), "request"),
    )
    assert set(schemas) == {"Account", "Account2", "AccountRequest", "Account3"}


def test_one_name_at_different_depths_is_told_apart_by_its_package():
    kinds = [
        type("Item", (Schema,), {"__module__": module, module[-1]: fields.Integer()})
        for module in ("shop", "shop.orders")
    ]
    _, schemas = components(*((kind(), "response") for kind in kinds))
    assert set(schemas) == {"Item", "OrdersItem"}


def test_a_choice_the_field_cannot_write_is_told_as_it_is():
    field = fields.Integer(validate=[validate.OneOf(["many"]), validate.Length(max=3)])
    assert described(field) == {"type": "integer", "enum": ["many"]}


def test_a_decimal_of_any_size_has_any_number_of_digits():
    assert described(fields.Decimal())["pattern"] == r"^-?[0-9]+(?:\.[0-9]+)?$"
