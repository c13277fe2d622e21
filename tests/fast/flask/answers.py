# ruff: noqa: E501, PIE807, PLW0108 - tables of what is tried
"""What views give back: every kind that Flask takes, and what it refuses."""

import dataclasses
import datetime as dt
import enum
import http
import io
import uuid
from collections import OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal

import flask
from markupsafe import Markup
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import Conflict, NotFound, Unauthorized
from werkzeug.wrappers import Response as WerkzeugResponse

from .trace import note


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Bare(enum.Enum):
    ONE = 1


@dataclasses.dataclass
class Point:
    x: int
    y: "Point | None" = None


Pair = namedtuple("Pair", "a b")  # noqa: PYI024


class Word(str):
    """Text that says something else of itself."""

    __slots__ = ()

    def __str__(self):
        return "not this"


class Count(int):
    def __repr__(self):
        return "count"


class Ratio(float):
    def __repr__(self):
        return "ratio"


class Shelf(dict):
    """A dict that shows more than it holds."""

    def items(self):
        return [*super().items(), ("more", 1)]


class Row(list):
    def __iter__(self):
        return iter(["instead"])


class Own(flask.Response):
    default_mimetype = "text/x-own"


class Teapot(Exception):
    """An error of the app's own."""


class HotTeapot(Teapot):
    """A kind of it."""


def circular():
    value = []
    value.append(value)
    return value


def deep(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


# Made anew for every call, so that nobody sees what another has changed.
JSON = (
    lambda: {}, lambda: {"a": 1}, lambda: {"b": [1, 2], "a": {"z": None, "y": True}},
    lambda: {"é": "ü\u2028\u2029\x7f\x00<>&'\"\\/"}, lambda: {"s": "\U0001f600" * 3, "t": "\t\n\r\b\f"},
    lambda: {"f": [0.1, 1.5, -0.0, 1e16, 1e15, 123456789012345.6, 1e22, 1e21, 1e-5, 1e-4, 1e-7, 5e-324, 1.7976931348623157e308]},
    lambda: {"n": float("nan")}, lambda: {"i": float("inf")}, lambda: [float("-inf")],
    lambda: {"big": 2**63, "bigger": 2**64, "low": -(2**63) - 1, "huge": 10**40}, lambda: [10**5000],
    lambda: {"del": "\x7f"},
    lambda: {"lone": "\ud800"}, lambda: {"\udfff": 1}, lambda: {1: "a", 2: "b"}, lambda: {1: "a", "1": "b"},
    lambda: {True: 1, None: 2}, lambda: {None: 1}, lambda: {1.5: 1}, lambda: {True: 1}, lambda: {float("nan"): 1},
    lambda: {(1, 2): 3}, lambda: {b"k": 1}, lambda: {Colour.RED: 1}, lambda: {Level.HIGH: 1}, lambda: {Word("w"): 1},
    lambda: {"b": 1, "a": 2, "C": 3, "ä": 4, "_": 5, "A": 6}, lambda: {"e": Colour.RED, "l": Level.HIGH},
    lambda: {"e": Bare.ONE}, lambda: {"w": Word("word"), "c": Count(5), "r": Ratio(1.5)}, lambda: {"d": Decimal("1.10")},
    lambda: {"u": uuid.UUID(int=5)}, lambda: {"t": dt.datetime(2020, 1, 2, 3, 4, 5)},  # noqa: DTZ001
    lambda: {"t": dt.datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC), "d": dt.date(2020, 2, 3)}, lambda: {"t": dt.time(1, 2)},
    lambda: {"p": Point(1, Point(2))}, lambda: {"p": Pair(1, "x")}, lambda: {"t": (1, (2, []))}, lambda: {"s": {1, 2}},
    lambda: {"m": Markup("<b>")}, lambda: {"o": object()}, lambda: [Decimal(1), object()], lambda: {"b": b"bytes"}, lambda: {"g": iter([1])},
    lambda: {"q": deque([1])}, lambda: OrderedDict([("z", 1), ("a", 2)]), lambda: defaultdict(list, {"k": [1]}),
    lambda: Shelf(a=1), lambda: {"in": Shelf(a=1)}, lambda: MultiDict([("a", 1), ("a", 2)]), lambda: Row([1, 2]),
    lambda: [Row([1, 2])], lambda: [], lambda: [1, "two", None, False, {"x": []}], lambda: [[[[]]]], circular,
    lambda: deep(200), lambda: deep(3000), lambda: {"x" * 300: "y" * 5000}, lambda: list(range(300)),
    lambda: {"k": 1, "l": {"n": {"m": Decimal("NaN")}}}, lambda: {"z": dt.date(1, 1, 1), "a": dt.timedelta(1)},
    lambda: {"users": [{"id": n, "name": f"user {n}", "mail": None} for n in range(20)]},
)  # fmt: skip


NUMBERS = (
    lambda: [{"f": 1e-5}, {"f": 0.5}], lambda: [{"f": 1e16}, {"i": 1}], lambda: {"small": 1e-4, "large": 9999999999999998.0, "no": -0.0}, lambda: [12345678.9, 1e15], lambda: [2**63, 2**64], lambda: {"del": "\x7f"}, lambda: {"z": 1, "a": [-1e-5]},
)  # fmt: skip


def chunks(*parts, error=None):
    try:
        yield from parts
        if error is not None:
            raise error
    except GeneratorExit:
        note("generator left")
        raise
    finally:
        note("generator done")


@flask.stream_with_context
def streamed():
    yield flask.request.path
    yield str(len(flask.session))
    note("streamed")


def response(body, **more):
    made = flask.Response(body, **more)
    made.call_on_close(lambda: note("closed"))
    return made


def with_cookie():
    made = flask.make_response("cookie", 202)
    made.set_cookie("k", "v", httponly=True)
    made.delete_cookie("gone")
    return made


def vary():
    made = flask.jsonify(a=1)
    made.vary.add("Accept")
    made.headers["Content-Length"] = "3"
    return made


def lazily():
    made = flask.Response(iter(["a", "b"]))
    made.implicit_sequence_conversion = False
    return made


def conditional():
    made = flask.make_response("etag")
    made.add_etag()
    return made.make_conditional(flask.request)


def wsgi(environ, start_response):
    note("wsgi", environ["REQUEST_METHOD"])
    start_response("203 Mine", [("X-Mine", "1"), ("Content-Type", "text/mine")])
    return [b"a", b"b"]


OTHERS = (
    lambda: "", lambda: "text", lambda: "é" * 10, lambda: Markup("<i>"), lambda: Word("word"), lambda: b"bytes",
    lambda: bytearray(b"array"), lambda: "\ud800", lambda: ("text", 201), lambda: ("text", "299 Odd"), lambda: ("text", b"298 Odd"),
    lambda: ("text", {"X-A": "1"}), lambda: ("text", [("X-A", "1"), ("X-A", "2")]), lambda: ("text", 202, {"X-A": ["1", "2"]}),
    lambda: ({"a": 1}, 201), lambda: ({"a": 1}, 201, {"X-A": "1"}), lambda: ([1], {"Content-Type": "application/x"}),
    lambda: ({"a": 1}, http.HTTPStatus.CREATED), lambda: ("", 204), lambda: ({"a": 1}, 204), lambda: ("no", 304), lambda: ("early", 103),
    lambda: ({"a": 1}, 100), lambda: ({"a": 1}, 404), lambda: ({"a": 1}, 500), lambda: ("x", 0), lambda: ("x", 1000), lambda: ("x", None),
    lambda: ("x", "200"), lambda: ("x", ""), lambda: ("x", 200.5), lambda: ("x", True), lambda: (), lambda: ("x",), lambda: ("x", 1, {}, 2),
    lambda: (None, 200), lambda: None, lambda: 5, lambda: 1.5, lambda: True, lambda: object(), lambda: {1, 2}, lambda: ("x", 200, Headers(a="b")),
    lambda: ("x", {"Location": "/rel"}), lambda: ({"a": 1}, 201, {"Location": "there?x=é"}), lambda: ({"a": 1}, {"Content-Location": "//h/x"}),
    lambda: ("x", 201, {"Location": "/a/b-1_2.~3"}), lambda: ("x", 201, {"Location": "/"}), lambda: ("x", 201, {"location": "/a"}),
    lambda: ("x", 201, {"Location": "/a b?c=d e"}), lambda: ("x", 201, {"Location": "//h/x"}), lambda: ("x", 201, {"Location": "/a//b/"}),
    lambda: ("x", 201, [("Location", "/a"), ("Location", "/b")]), lambda: ("x", 201, {"Location": "/a", "Content-Location": "/b"}),
    lambda: ("x", {"X-Bad": "a\nb"}), lambda: ("x", {"X-Latin": "é"}), lambda: ("x", {"X-Wide": "\u20ac"}), lambda: ("x", {"Content-Length": "1"}),
    lambda: ({"a": 1}, {"Content-Length": 99}), lambda: ({"a": 1}, {"content-type": "text/plain"}), lambda: ("x", {"Content-Type": "text/html; charset=latin1"}),
    lambda: chunks("a", b"b"), lambda: chunks(), lambda: chunks("a", error=Teapot("in the stream")), lambda: (chunks("a"), 206), lambda: iter(["a", 5]),
    streamed, lambda: response("x"), lambda: response(["a", "b"]), lambda: response(chunks("c")), lambda: response([]),
    lambda: response("x", status=204), lambda: response("x", headers={"Location": "rel"}), lambda: response(b"x", direct_passthrough=True),
    lambda: response(io.BytesIO(b"file"), direct_passthrough=True), lambda: (response("x"), 418, {"X-A": "1"}), lambda: Own("own"), lambda: Own(["o"]),
    lambda: WerkzeugResponse("plain"), lambda: (WerkzeugResponse("plain"), 201), lambda: wsgi, lambda: NotFound("returned"), lambda: (NotFound(), 410),
    lambda: flask.redirect("/there"), lambda: flask.redirect("http://else.where/ü"), lambda: flask.jsonify(a=1, b=[1]), lambda: flask.jsonify(1, 2),
    flask.jsonify, lambda: flask.jsonify(None), lambda: (flask.jsonify([1]), 201), lambda: flask.jsonify(Decimal("1.5")), lambda: flask.make_response({"m": 1}, 202),
    lambda: flask.make_response(), lambda: flask.make_response(([1], 201)), with_cookie, vary, lazily, conditional,
    lambda: flask.send_file(io.BytesIO(b"sent"), download_name="a.txt"), lambda: flask.render_template_string("{{ request.path }} {{ g.x }} {{ session.get('n') }}"),
    lambda: flask.json.dumps({"b": 1, "a": "é"}), lambda: flask.current_app.json.dumps({"x": [1, 2]}, indent=1),
)  # fmt: skip


def bare():
    made = flask.Response("no length")
    del made.headers["Content-Length"]
    return made


# What is rare among all the others, but takes a way of its own.
NOTABLE = (
    streamed, with_cookie, vary, bare, lambda: response("x"), lambda: response(chunks("c", "d")), lambda: ("text", 201), lambda: ({"a": 1}, 201, {"X-A": "1"}),
    lambda: flask.redirect("/there"), lambda: "text", lambda: b"bytes", lambda: chunks("a", b"b"), lambda: response(b"x", direct_passthrough=True), lambda: NotFound("returned"),
    lambda: fail(Conflict(response=flask.Response("own", 409))), lambda: ({"a": 1}, 201, {"Location": "there?x=é"}), lambda: {"d": Decimal("1.10")}, lambda: "", lambda: fail(SystemExit(3)),
)  # fmt: skip


def fail(error):
    raise error


def missing(key):
    return flask.request.form[key]


FAILURES = (
    lambda: fail(Teapot("t")), lambda: fail(HotTeapot("h")), lambda: 1 / 0, lambda: fail(KeyError("k")), lambda: missing("absent"),
    lambda: flask.abort(404), lambda: flask.abort(404, "Not <here>."), lambda: flask.abort(400), lambda: flask.abort(500), lambda: flask.abort(418),
    lambda: flask.abort(flask.Response("made", 409, {"X-C": "1"})), lambda: flask.abort(flask.redirect("/else")), lambda: flask.abort(999),
    lambda: fail(Conflict(response=flask.Response("own", 409))), lambda: fail(Unauthorized("who?", www_authenticate=None)),
    lambda: flask.abort(flask.Response(iter(["s"]), 400)), lambda: fail(SystemExit(3)), lambda: fail(KeyboardInterrupt()), lambda: fail(GeneratorExit("g")),
    lambda: fail(StopIteration("s")), lambda: fail(ExceptionGroup("eg", [Teapot("in")])), lambda: fail(RuntimeError("é")), lambda: fail(UnicodeDecodeError("utf-8", b"x", 0, 1, "r")),
)  # fmt: skip


def answer(random):
    """Choose what a view gives back: mostly JSON of an ordinary kind."""
    kinds = (JSON[:3], JSON, NUMBERS, NOTABLE, OTHERS, FAILURES)
    chances = random.choices(kinds, (6, 5, 4, 3, 5, 2))[0]
    return random.choice(chances)
