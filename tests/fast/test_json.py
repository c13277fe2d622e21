"""Strict JSON, held against the standard library and against hostile documents."""

import dataclasses
import enum
import json
import math
import pathlib
import types
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from carboy.errors import BadRequest
from carboy.fast.json import NUMBER_MAX_DIGITS, dumps, loads, reading

DEPTH = 64
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["a : b", '":', "2026-01-01T10:00:00", "[[{", "\\ud800", "\\"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


def same(one, other):
    """Equal, and of equal types: 1 is not 1.0, and -0.0 is not 0.0."""
    return repr(one) == repr(other)


class Strict(json.JSONDecoder):
    """What the standard library takes, minus what only it takes."""

    def __init__(self):
        super().__init__(object_pairs_hook=self.unique, parse_constant=self.no, parse_float=self.f)

    @staticmethod
    def unique(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError("duplicate")
        return dict(pairs)

    @staticmethod
    def no(name):
        raise ValueError(name)

    @staticmethod
    def f(digits):
        if math.isinf(float(digits)):
            raise ValueError(digits)
        return float(digits)


def reference(document):
    """Read by the standard library, or ``None`` for what is refused."""
    try:
        value = Strict().decode(document.decode())
        json.dumps(value, ensure_ascii=False).encode()  # lone surrogates
    except (ValueError, RecursionError):
        return None
    return (value,)


def ours(document):
    try:
        return (loads(document, max_depth=DEPTH),)
    except BadRequest:
        return None


class TestReading:
    """Valid documents mean what they mean to the standard library."""

    @given(VALUES, st.sampled_from([None, 2]), st.booleans())
    def test_agrees_with_the_standard_library(self, value, indent, ascii_only):
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
        assert same(loads(text.encode(), max_depth=DEPTH), json.loads(text))
        assert same(loads(text, max_depth=DEPTH), json.loads(text))

    @given(VALUES)
    def test_both_lanes_agree(self, value):
        document = json.dumps(value).encode()
        careful = reading._loads_with_care(document, DEPTH)
        assert same(loads(document, max_depth=DEPTH), careful)

    PIECES = st.sampled_from(
        ["{", "}", "[", "]", ",", ":", '"', '"a"', '"a" ', "\\", "\\ud83d", "\\ude00", "\\u0041",
         "1", "-", "e", "E9", "9" * 20, "e400", ".5", "NaN", "Infinity", "null", "true", " ", "\n",
         "\t", "\x00", "é", '{"a":1,"a" :2}', '{"a\\u0062":1,"ab":2}']
    )  # fmt: skip

    @given(st.lists(PIECES, max_size=12).map(lambda parts: "".join(parts).encode()))
    @example(b'{"a":1,"a" :2}')
    @example(b'{"a":1,"a"\r:":"}')
    @example(b'{"x":"\\":","a":1,"a" :2}')
    def test_takes_what_a_strict_standard_library_takes(self, document):
        assert same(ours(document), reference(document))

    @given(st.binary(max_size=40))
    def test_any_bytes_are_read_or_refused(self, document):
        assert same(ours(document), reference(document) if document else None)

    def test_ordinary_documents_take_the_quick_lane(self, monkeypatch):
        monkeypatch.setattr(reading, "_loads_with_care", None)
        for document in (b'{"a":1}', b'{"at":"10:00","n":{"x":[1.5,{"y":null}]}}', b"3", b"[]"):
            assert loads(document, max_depth=DEPTH) == json.loads(document)

    def test_as_deep_as_allowed(self):
        deep = "[" * DEPTH + "]" * DEPTH
        assert loads(deep, max_depth=DEPTH) == json.loads(deep)
        wide = "[" + ",".join(['{"a":[]}'] * 500) + "]"
        assert loads(wide, max_depth=3) == json.loads(wide)
        quoted = json.dumps(["[" * 500, '"\\[{' * 500, "10" * 20])
        assert loads(quoted, max_depth=1) == json.loads(quoted)

    def test_as_long_a_number_as_allowed(self):
        digits = "9" * NUMBER_MAX_DIGITS
        assert loads(digits, max_depth=1) == int(digits)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(b"", "The request has no JSON body.", id="an empty body"),
        pytest.param(b" \n", "The request has no JSON body.", id="a blank body"),
        pytest.param(b"NaN", "has NaN, which", id="NaN"),
        pytest.param(b'{"a": Infinity}', "has Infinity, which", id="Infinity"),
        pytest.param(b"[-Infinity]", "has -Infinity, which", id="minus Infinity"),
        pytest.param(b'{"name":1,"name":2}', 'duplicate key "name".', id="a duplicate key"),
        pytest.param(b'{"b":{"a":1,"a" :2}}', 'duplicate key "a".', id="a spaced duplicate inside"),
        pytest.param(b'{"a":1,"\\u0061":2}', 'duplicate key "a".', id="an escaped duplicate"),
        pytest.param(b'{"b":1,"a":":","a":1}', 'key "a".', id="a duplicate and a colon in text"),
        pytest.param(b'"\\ud800"', "lone surrogate at character 2", id="a lone high surrogate"),
        pytest.param(b'"\\udc00x"', "lone surrogate", id="a lone low surrogate"),
        pytest.param(b'"\\uDC00\\uD800"', "lone surrogate", id="surrogates the wrong way round"),
        pytest.param(b'{"\\ud83d":1}', "lone surrogate", id="a lone surrogate in a key"),
        pytest.param('"\ud800"', "lone surrogate at character 2", id="a lone surrogate in text"),
        pytest.param(b"{} x", "line 1, column 4: Extra data.", id="text after the end"),
        pytest.param(b'{"a":1}{"a":1}', "Extra data", id="two documents"),
        pytest.param(b"[" * 65 + b"]" * 65, "deeper than 64 levels", id="one level too deep"),
        pytest.param(b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64", id="objects too deep"),
        pytest.param(b"[" * 100_000, "deeper than 64", id="a hundred thousand brackets"),
        pytest.param(b'[{"a":' * 50_000, "deeper than 64", id="deep, mixed and unfinished"),
        pytest.param(b"9" * 641, "more than 640 digits", id="a number that is too long"),
        pytest.param(b"9" * 100_000, "more than 640 digits", id="a huge integer"),
        pytest.param(b"0." + b"1" * 5000, "more than 640 digits", id="a long fraction"),
        pytest.param(b"[1e999]", "beyond the range of a double, 1e999.", id="a float too large"),
        pytest.param(b"-1e999", "beyond the range", id="a negative float too large"),
        pytest.param(b'"\xff"', "not valid UTF-8 at byte 2", id="invalid UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', "not valid UTF-8", id="an encoded surrogate"),
        pytest.param(b'"\xc0\xaf"', "not valid UTF-8", id="an overlong encoding"),
        pytest.param('"a"'.encode("utf-16"), "not valid UTF-8", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="a byte order mark"),
        pytest.param(b"{", "line 1, column 2", id="an unfinished object"),
        pytest.param(b'{"a":\n"x}', "line 2, column 1: Unterminated string.", id="unfinished text"),
        pytest.param(b'"\n"', "Invalid control character.", id="a control character"),
        pytest.param(b"{'a': 1}", "double quotes", id="single quotes"),
        pytest.param(b"[1,]", "line 1, column", id="a trailing comma"),
        pytest.param(b"01", "Extra data", id="a leading zero"),
        pytest.param(b"+1", "Expecting value", id="a plus sign"),
        pytest.param(b".5", "Expecting value", id="no digit before the point"),
        pytest.param(b'"\\x41"', "Invalid", id="an unknown escape"),
        pytest.param(b"// x\n{}", "Expecting value", id="a comment"),
        pytest.param(b"\x00", "Expecting value", id="a NUL"),
    ],
)
def test_refuses(document, reason):
    with pytest.raises(BadRequest) as caught:
        loads(document, max_depth=DEPTH)
    assert reason in caught.value.message
    assert caught.value.message.endswith(".")
    assert len(caught.value.message) < 200


def test_the_deepest_setting_needs_no_more_stack_than_there_is():
    deep = b'{"a":' * 500 + b'{"b":1,"b" :2}' + b"}" * 500
    with pytest.raises(BadRequest, match="duplicate key"):
        loads(deep, max_depth=501)
    with pytest.raises(BadRequest, match="nested too deeply"):
        loads(b"[" * 300_000 + b"]" * 300_000, max_depth=10**6)


class Colour(enum.Enum):
    RED = "red"
    HUGE = 2**70


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: object
    _hidden: int = 0


class Html:
    def __html__(self):
        return "<b>"

    def __repr__(self):
        return "with markup"


WRITTEN = [
    (None, None),
    (1.5, 1.5),
    ("é", "é"),
    ((1, 2), [1, 2]),
    (Decimal("10.50"), "10.50"),
    (Decimal("NaN"), None),
    (date(2026, 1, 2), "2026-01-02"),
    (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
    (time(3, 4), "03:04:00"),
    (time(18, 23, 20, 49117), "18:23:20.049117"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Colour.RED, "red"),
    (Level.HIGH, 3),
    (Point(1), {"x": 1}),
    (pathlib.PurePosixPath("a/b"), "a/b"),
    (frozenset({1}), [1]),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    (Markup("<i>"), "<i>"),
    (Html(), "<b>"),
    (math.nan, None),
    (-math.inf, None),
]


@pytest.mark.parametrize(
    ("value", "expected"), WRITTEN, ids=[f"{type(value).__name__} {value}" for value, _ in WRITTEN]
)
class TestWriting:
    """Every kind of value, written by either lane."""

    def test_has_one_form(self, value, expected):
        assert same(json.loads(dumps(value)), expected)

    def test_beside_what_only_the_standard_library_writes(self, value, expected):
        assert same(json.loads(dumps([value, 2**70])), [expected, 2**70])


@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert same(loads(dumps(value), max_depth=DEPTH), json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param({2: "a", None: "b", True: "c"}, b'{"2":"a","null":"b","true":"c"}',
                     id="keys that are not text"),
        pytest.param({Colour.RED: 1, date(2026, 1, 2): 2}, b'{"red":1,"2026-01-02":2}',
                     id="keys that have a text"),
        pytest.param("a\ud800b", '"a�b"'.encode(), id="a lone surrogate becomes U+FFFD"),
        pytest.param({"\udfff": -(2**64)}, '{"�":-18446744073709551616}'.encode(),
                     id="in a key too"),
        pytest.param(Colour.HUGE, str(2**70).encode(), id="a large enumeration value"),
        pytest.param(Point(2**70), b'{"x":%d}' % 2**70, id="a large value in a data class"),
    ],
)  # fmt: skip
def test_writes_what_orjson_refuses(value, written):
    assert dumps(value) == written


@pytest.mark.parametrize("value", [object(), b"x", {"a": [object()]}, 3 + 4j, Point])
def test_a_type_without_a_form_is_an_error_of_the_caller(value):
    with pytest.raises(TypeError):
        dumps(value)


@pytest.mark.parametrize("depth", [10**5, math.inf])
def test_what_is_too_deep_or_in_itself_is_an_error_of_the_caller(depth):
    value = []
    if depth == math.inf:
        value.append(value)
    else:
        for _ in range(depth):
            value = [value]
    with pytest.raises(RecursionError):
        dumps(value)
