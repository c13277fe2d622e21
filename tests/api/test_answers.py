"""What a view returns or raises, and the answer it becomes."""

import dataclasses
from decimal import Decimal
from typing import NamedTuple

import flask
import pytest
import werkzeug.exceptions as http
from marshmallow import Schema, fields
from werkzeug.datastructures import Headers, WWWAuthenticate
from werkzeug.routing import RequestRedirect

from carboy import Carboy, Testing, errors
from carboy.api.answers import answer, as_api_error, render
from carboy.api.conditional import tagged
from carboy.api.envelope import JSend
from carboy.errors import ApiError, NotFound, TooManyRequests, for_status

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ApiError) and kind is not ApiError
]


class Product(Schema):
    name = fields.String()
    price = fields.Decimal()


@dataclasses.dataclass
class Row:
    name: str = "tea"
    price: Decimal = Decimal("1.50")
    secret: str = "x"


class Pair(NamedTuple):
    name: str
    price: Decimal


TEA = {"name": "tea", "price": "1.50"}


@pytest.mark.parametrize(
    ("returned", "status", "headers"),
    [
        pytest.param(Row, 201, {}, id="an object"),
        pytest.param(
            lambda: {"name": "tea", "price": Decimal("1.50"), "x": 1}, 201, {}, id="a dict"
        ),
        pytest.param(lambda: Pair("tea", Decimal("1.50")), 201, {}, id="a named tuple"),
        pytest.param(lambda: (Row(),), None, {}, id="a tuple of one, which Flask refuses too"),
        pytest.param(lambda: (Row(), 202), 202, {}, id="data and status"),
        pytest.param(lambda: (Row(), "202 Taken"), 202, {}, id="a status in words"),
        pytest.param(lambda: (Row(), None), 201, {}, id="no status"),
        pytest.param(lambda: (Row(), {"X-A": "b"}), 201, {"X-A": "b"}, id="data and headers"),
        pytest.param(lambda: (Row(), [("X-A", "b")]), 201, {"X-A": "b"}, id="headers as pairs"),
        pytest.param(lambda: (Row(), 202, {"X-A": "b"}), 202, {"X-A": "b"}, id="all three"),
        pytest.param(lambda: (Row(), 202, Headers({"X-A": "b"})), 202, {"X-A": "b"}, id="Headers"),
    ],
)
def test_with_an_output_the_schema_writes(api, serve, returned, status, headers):
    api.get("/")(api.output(Product, 201)(returned))
    client = serve(api)
    if status is None:
        with pytest.raises(TypeError):
            client.get("/")
        return
    got = client.get("/")
    assert got.status_code == status
    assert got.json == {"status": "success", "data": TEA}
    assert got.content_type == "application/json"
    assert headers.items() <= dict(got.headers).items()


def test_many(api, serve):
    api.get("/")(api.output(Product(many=True))(lambda: [Row(), Row()]))
    assert serve(api).get("/").json["data"] == [TEA, TEA]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        pytest.param({"a": 1}, {"a": 1}, id="a dict"),
        pytest.param([1], [1], id="a list"),
        pytest.param(None, None, id="nothing"),
        pytest.param({"p": Decimal("1.50")}, {"p": "1.50"}, id="a decimal inside"),
    ],
)
@pytest.mark.parametrize("status", [None, 202])
def test_without_an_output_data_is_wrapped_as_it_is(api, serve, returned, expected, status):
    api.get("/")(lambda: returned if status is None else (returned, status, {"X-A": "b"}))
    got = serve(api).get("/")
    assert got.status_code == (status or 200)
    assert got.json == {"status": "success", "data": expected}


@pytest.mark.parametrize("with_output", [True, False])
@pytest.mark.parametrize(
    "returned",
    [
        pytest.param(lambda: flask.Response("x", 418), id="a response"),
        pytest.param(lambda: (flask.Response("x"), 418), id="a response and a status"),
        pytest.param(lambda: (flask.jsonify("x"), 418, {"X-A": "b"}), id="jsonify and headers"),
    ],
)
def test_a_response_passes_untouched(api, serve, returned, with_output):
    view = api.output(Product)(returned) if with_output else returned
    api.get("/")(view)
    got = serve(api).get("/")
    assert got.status_code == 418
    assert got.text.strip().strip('"') == "x"


@pytest.mark.parametrize("returned", ["text", b"text", ("text", 203), ("text", {"X-A": "b"})])
def test_text_is_flasks(api, serve, returned):
    api.get("/")(lambda: returned)
    got = serve(api).get("/")
    assert got.text == "text"
    assert got.mimetype == "text/html"


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("returned", [None, {"name": "tea"}], ids=["nothing", "data"])
@pytest.mark.parametrize("with_output", [True, False])
def test_a_status_without_a_body_has_none(api, serve, status, returned, with_output):
    def view():
        return returned, status, {"X-A": "b"}

    api.get("/")(api.output(Product)(view) if with_output else view)
    got = serve(api).get("/")
    assert (got.status_code, got.data) == (status, b"")
    assert "Content-Type" not in got.headers
    assert got.headers["X-A"] == "b"


@pytest.mark.parametrize("status", [202, 204])
def test_an_output_without_a_schema_has_no_body(api, serve, status):
    api.delete("/")(api.output(None, status)(lambda: None))
    got = serve(api).delete("/")
    assert (got.status_code, got.data) == (status, b"")
    assert "Content-Type" not in got.headers


@pytest.mark.parametrize(
    ("schema", "returned", "message"),
    [
        pytest.param(Product, None, "returned nothing", id="nothing for a schema"),
        pytest.param(Product, [Row()], "Product(many=True)", id="a list for one object"),
        pytest.param(None, {}, "an answer without a body", id="data without a schema"),
    ],
)
def test_a_view_that_does_not_keep_its_word_is_told(api, serve, schema, returned, message):
    api.get("/")(api.output(schema)(lambda: returned))
    with pytest.raises(TypeError) as caught:
        serve(api).get("/")
    assert message in str(caught.value)
    assert "test_answers" in str(caught.value)


def test_head_has_no_body(api, serve):
    api.get("/")(api.output(Product)(Row))
    got = serve(api).head("/")
    assert (got.status_code, got.data) == (200, b"")
    assert got.content_type == "application/json"


def test_a_type_json_does_not_have_is_a_clean_500(api):
    api.get("/")(lambda: {"secret": object()})
    from carboy.app import Carboy

    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing", "TESTING": False, "API_DOCS": False})
    app.register_blueprint(api)
    got = app.test_client().get("/")
    assert got.status_code == 500
    assert got.json["code"] == "internal_error"
    assert "object" not in got.text


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
class TestEveryError:
    """Laws that hold for each class, raised in a view."""

    def test_has_its_status_and_words(self, api, serve, kind):
        @api.get("/")
        def view():
            raise kind

        got = serve(api).get("/")
        assert got.status_code == kind.status
        assert (got.json["message"], got.json["code"]) == (kind.message, kind.code)
        assert got.json["status"] == ("fail" if kind.status < 500 else "error")
        assert got.content_type == "application/json"

    def test_says_what_it_was_given(self, api, serve, kind):
        @api.get("/")
        def view():
            raise kind("Look.", data={"name": ["é"]}, headers={"X-Extra": "1"}, code="own")

        got = serve(api).get("/")
        assert (got.json["message"], got.json["code"]) == ("Look.", "own")
        assert got.json["data"] == {"name": ["é"]}
        assert got.headers["X-Extra"] == "1"

    def test_is_rendered_alike_outside_a_request(self, kind):
        body, content_type = render(kind(), JSend())
        assert flask.json.loads(body)["code"] == kind.code
        assert content_type == "application/json"
        app = flask.Flask(__name__)
        with app.app_context():
            assert answer(kind()).data == answer(kind(), JSend()).data == body

    def test_is_what_an_abort_of_that_status_is(self, kind):
        with pytest.raises(http.HTTPException) as caught:
            flask.abort(kind.status)
        assert type(as_api_error(caught.value)) is kind


@pytest.mark.parametrize("status", sorted(http.default_exceptions))
class TestEveryAbort:
    """Laws that hold for each of Werkzeug's exceptions."""

    def test_without_words_gets_a_plain_sentence_of_ours(self, status):
        exception = http.default_exceptions[status]()
        error = as_api_error(exception)
        assert (error.status, error.message) == (status, for_status(status).message)
        assert error.message != exception.description

    def test_with_words_keeps_them(self, status):
        error = as_api_error(http.default_exceptions[status](description="No product 7."))
        assert (error.status, error.message) == (status, "No product 7.")

    def test_with_a_response_is_left_alone(self, status):
        exception = http.default_exceptions[status](response=flask.Response("x"))
        assert as_api_error(exception) is None


@pytest.mark.parametrize(
    ("exception", "name", "value"),
    [
        pytest.param(http.MethodNotAllowed(valid_methods=["GET", "PUT"]), "Allow", "GET, PUT",
                     id="the methods that are allowed"),
        pytest.param(http.TooManyRequests(retry_after=7), "Retry-After", "7", id="when to retry"),
        pytest.param(http.ServiceUnavailable(retry_after=7), "Retry-After", "7", id="503 too"),
        pytest.param(http.Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "x"})),
                     "WWW-Authenticate", "Basic realm=x", id="how to sign in"),
        pytest.param(http.Unauthorized(www_authenticate=[WWWAuthenticate("basic", {"realm": "x"}),
                     WWWAuthenticate("digest", {"realm": "y"})]),
                     "WWW-Authenticate", "Basic realm=x, Digest realm=y", id="two ways to sign in"),
        pytest.param(http.Unauthorized(), "WWW-Authenticate", "Bearer", id="some way to sign in"),
        pytest.param(http.RequestedRangeNotSatisfiable(length=9), "Content-Range", "bytes */9",
                     id="the range there is"),
    ],
)  # fmt: skip
def test_headers_of_an_abort_stay(exception, name, value):
    headers = {
        key: given.replace('"', "") for key, given in as_api_error(exception).headers.items()
    }
    assert headers[name] == value
    assert "Content-Type" not in headers


def test_a_redirect_is_no_error():
    assert as_api_error(RequestRedirect("/there")) is None
    assert as_api_error(http.HTTPException("no code")) is None


def test_a_missing_key_is_not_named(api, serve):
    @api.get("/")
    def view():
        return {"found": flask.request.args["internal_name"]}

    got = serve(api).get("/")
    assert got.status_code == 400
    assert "internal_name" not in got.text


def test_an_exception_of_the_app_with_words_of_its_class():
    class Teapot(http.HTTPException):
        code = 418
        description = "Short and stout."

    error = as_api_error(Teapot())
    assert (error.status, error.code, error.message) == (418, "im_a_teapot", "Short and stout.")


@pytest.mark.parametrize(("status", "code"), [(414, "uri_too_long"), (418, "im_a_teapot"),
                         (451, "unavailable_for_legal_reasons"), (599, "error")])  # fmt: skip
def test_an_unusual_status_has_a_code(status, code):
    assert for_status(status).code == code


def test_an_error_of_the_apps_own(api, serve):
    class OutOfTea(TooManyRequests):
        code = "out_of_tea"
        message = "There is no tea left."

    @api.get("/<int:number>")
    def view(number):
        if number == 7:
            raise NotFound("No product 7.")
        raise OutOfTea(retry_after_s=60)

    client = serve(api)
    assert client.get("/7").json["message"] == "No product 7."
    got = client.get("/8")
    assert (got.status_code, got.json["code"], got.headers["Retry-After"]) == (
        429,
        "out_of_tea",
        "60",
    )


class Lazy:
    """Text that is found late, as translations are."""

    def __init__(self, text):
        self._text = text

    def __str__(self):
        return self._text

    def __html__(self):
        return self._text


def test_an_exception_of_the_app_with_words_that_are_found_late(api, serve):
    class Busy(http.Conflict):
        description = Lazy("We are busy.")

    @api.get("/busy")
    def busy():
        raise Busy

    answered = serve(api).get("/busy")
    assert (answered.status_code, answered.json["message"]) == (409, "We are busy.")


@pytest.mark.parametrize(
    "headers",
    [[("Retry-After", 120)], (("Retry-After", "120"),), Headers({"Retry-After": "120"})],
)
def test_headers_of_an_exception_in_any_form(api, serve, headers):
    class Slower(http.TooManyRequests):
        def get_headers(self, environ=None, scope=None):
            return headers

    @api.get("/slower")
    def slower():
        raise Slower

    answered = serve(api).get("/slower")
    assert (answered.status_code, answered.headers["Retry-After"]) == (429, "120")


@pytest.mark.parametrize("headers", [[("A", "b")], Headers({"A": "b"}), None])
def test_headers_of_an_error_in_any_form(api, serve, headers):
    @api.get("/gone")
    def gone():
        error = NotFound()
        error.headers = headers
        raise error

    answered = serve(api).get("/gone")
    assert (answered.status_code, answered.headers.get("A")) == (404, headers and "b")


@pytest.mark.parametrize("respond", [lambda data: data, tagged])
def test_a_type_that_is_found_late(api, serve, respond):
    class Own(JSend):
        media_type = Lazy("application/own+json")

    api.envelope = Own()
    api.get("/data")(lambda: respond({"a": 1}))
    assert str(serve(api).get("/data").headers["Content-Type"]) == "application/own+json"


def test_a_refusal_of_the_crate_has_a_type_that_is_found_late():
    class Own(JSend):
        error_media_type = Lazy("application/own+json")

    app = flask.Flask(__name__)
    Carboy(app, Testing.load(environ={}, dotenv=None, MAX_CONTENT_LENGTH=1), envelope=Own())
    refused = app.test_client().post("/", data=b"too long")
    assert refused.status_code == 413
    assert str(refused.headers["Content-Type"]) == "application/own+json"
