"""Cursors are those of itsdangerous, which others may have made or may read."""

import datetime as dt
import json

import flask
import pytest
from itsdangerous import URLSafeSerializer

from carboy.api import cursors
from carboy.api.cursors import Place

KEYS = ["an older key", "the key of today"]


@pytest.fixture
def plain():
    """Serve a request; it gives the serializer that itsdangerous has for its cursors."""
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY=KEYS[1], SECRET_KEY_FALLBACKS=KEYS[:1])

    class Compact:
        dumps = staticmethod(lambda value: json.dumps(value, separators=(",", ":")))
        loads = staticmethod(json.loads)

    with app.test_request_context("/"):
        yield lambda bound, keys=KEYS: URLSafeSerializer(
            keys, salt=f"carboy.cursor:{bound}", serializer=Compact
        )


@pytest.mark.parametrize(
    "values",
    [
        pytest.param((), id="the end"),
        pytest.param((7, "a", None, 1.5), id="short"),
        pytest.param(("x" * 300, 1), id="long, which is compressed"),
        pytest.param((dt.date(2026, 1, 2),), id="a date"),
        pytest.param(("é" * 70,), id="letters beyond ASCII"),
    ],
)
@pytest.mark.parametrize("backward", [False, True])
def test_a_cursor_is_one_of_itsdangerous(plain, values, backward):
    place = Place(values, backward=backward)
    made = cursors.write(place, "list")
    read = plain("list").loads(made)
    assert read[0] == backward
    for keys in (KEYS, KEYS[:1]):
        assert cursors.read(plain("list", keys).dumps(read), "list", length=len(values)) == place


def test_a_cursor_is_good_with_its_own_keys_only(plain):
    made = cursors.write(Place((1,)), "list")
    for other in (plain("another"), plain("list", KEYS[:1])):
        assert other.loads_unsafe(made)[0] is False
        with pytest.raises(cursors.InvalidCursor):
            cursors.read(other.dumps([0, 1])[:-2], "list", length=1)


def test_values_that_are_equal_and_of_other_types_have_cursors_of_their_own(plain):
    for value in (1, True, 1.0, "1"):
        read = plain("list").loads(cursors.write(Place((value,)), "list"))
        assert read == [0, value]
        assert type(read[1]) is type(value)


@pytest.mark.parametrize("value", [{}, b"bytes"], ids=["no order", "bytes"])
def test_what_has_no_order_has_no_cursor(plain, value):
    assert plain
    with pytest.raises(TypeError):
        cursors.write(Place((value,)), "list")
