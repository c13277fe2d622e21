"""JSend, and that what it describes is what it makes."""

import pytest

from carboy import errors
from carboy.api.envelope import Envelope, JSend
from carboy.errors import ApiError, Invalid, NotFound, Unavailable

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ApiError) and kind is not ApiError
]
JSON_TYPES = {"string": str, "object": dict, "null": type(None)}


def fits(value, schema):
    """Just enough of JSON Schema for an envelope's own words."""
    if "const" in schema:
        return value == schema["const"]
    names = schema.get("type", [])
    kinds = tuple(JSON_TYPES[name] for name in ([names] if isinstance(names, str) else names))
    return (not kinds or isinstance(value, kinds)) and all(
        fits(value[name], schema["properties"][name]) for name in schema.get("required", [])
    )


def test_is_an_envelope():
    assert isinstance(JSend(), Envelope)


def test_wraps_a_success():
    assert JSend().success([1], 200) == {"status": "success", "data": [1]}


def test_a_fail_always_has_data():
    assert JSend().error(NotFound("No product 7.")) == {
        "status": "fail",
        "message": "No product 7.",
        "code": "not_found",
        "data": None,
    }
    assert JSend().error(Invalid(data={"name": ["x"]}))["data"] == {"name": ["x"]}


def test_an_error_has_data_where_there_is_some():
    assert JSend().error(Unavailable()) == {
        "status": "error",
        "message": "The service is unavailable at the moment. Try again shortly.",
        "code": "unavailable",
    }
    assert JSend().error(Unavailable(data={"until": "10:00"}))["data"] == {"until": "10:00"}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("data", [{}, {"name": ["x"]}], ids=["empty data", "with data"])
def test_the_schema_of_an_error_describes_it(kind, data):
    body = JSend().error(kind(data=data))
    schema = JSend().error_schema(kind.status)
    assert fits(body, schema)
    assert set(body) <= set(schema["properties"])


def test_the_schema_of_a_success_holds_that_of_the_data():
    schema = JSend().success_schema({"type": "string"})
    assert schema["properties"]["data"] == {"type": "string"}
    assert fits(JSend().success("x", 200), schema)
    assert not fits(JSend().success({}, 200), schema)
