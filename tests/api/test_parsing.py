"""Inputs: where they are found, and what is said about those that are wrong."""

import io
from decimal import Decimal

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import (
    EXCLUDE,
    INCLUDE,
    RAISE,
    Schema,
    ValidationError,
    fields,
    pre_load,
    validate,
    validates_schema,
)
from webargs.fields import DelimitedList

from carboy.api.blueprint import Blueprint
from carboy.app import Carboy

NUL = "May not contain the NUL character."
JSON = "application/json"


def echo(api, schema, location="json", **options):
    @api.post("/")
    @api.input(schema, location, argument="given", **options)
    def view(given):
        return given


def send(client, location, values):
    """Make a request that carries *values* in *location*."""
    if location == "cookies":
        cookies = "; ".join(f"{name}={value}" for name, value in values.items())
        plain = client.application.test_client(use_cookies=False)
        return plain.post("/", headers={"Cookie": cookies})
    keyword = {"json": "json", "query": "query_string", "headers": "headers"}
    if location in ("form", "files"):
        kind = "multipart/form-data" if location == "files" else "application/x-www-form-urlencoded"
        return client.post("/", data=values, content_type=kind)
    return client.post("/", **{keyword[location]: values})


PLACES = ["json", "query", "form", "headers", "cookies"]


@pytest.mark.parametrize("location", PLACES)
class TestEveryLocation:
    """Laws that hold wherever a value is found."""

    def test_a_valid_value_arrives_converted(self, api, serve, location):
        echo(api, {"count": fields.Integer()}, location)
        answer = send(serve(api), location, {"count": "7"})
        assert answer.json["data"] == {"count": 7}

    def test_all_fields_are_reported_at_once(self, api, serve, location):
        echo(
            api,
            {
                "count": fields.Integer(),
                "name": fields.String(required=True),
                "mail": fields.Email(),
            },
            location,
        )
        answer = send(serve(api), location, {"count": "x", "mail": "y"})
        assert answer.status_code == 422
        assert answer.json == {
            "status": "fail",
            "message": "The request is not valid.",
            "code": "invalid",
            "data": {
                "count": ["Not a valid integer."],
                "mail": ["Not a valid email address."],
                "name": ["Missing data for required field."],
            },
        }

    @pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "1e999", "-1e999", "1e400"])
    @pytest.mark.parametrize(
        "field",
        [fields.Float, fields.Decimal, fields.Integer, lambda: fields.Decimal(places=2)],
        ids=["float", "decimal", "integer", "decimal with places"],
    )
    def test_a_number_without_a_size_is_refused(self, api, serve, location, field, value):
        echo(api, {"price": field()}, location)
        answer = send(serve(api), location, {"price": value})
        assert answer.status_code == 422
        assert list(answer.json["data"]) == ["price"]

    def test_a_number_of_a_great_many_digits_is_refused(self, api, serve, location):
        echo(api, {"count": fields.Integer(), "ratio": fields.Float()}, location)
        answer = send(serve(api), location, {"count": "9" * 5000, "ratio": "9" * 5000})
        assert answer.status_code == 422
        assert set(answer.json["data"]) == {"count", "ratio"}

    def test_what_the_schema_does_not_know(self, api, serve, location):
        echo(api, {"name": fields.String()}, location)
        answer = send(serve(api), location, {"other": "x"})
        if location in ("json", "form"):
            assert (answer.status_code, answer.json["data"]) == (422, {"other": ["Unknown field."]})
        else:
            assert (answer.status_code, answer.json["data"]) == (200, {})


@pytest.mark.parametrize("location", ["json", "query", "form"])
class TestNul:
    """NUL is refused by name and never reaches a database."""

    def test_in_a_value(self, api, serve, location):
        echo(api, {"name": fields.String(), "age": fields.Integer(required=True)}, location)
        answer = send(serve(api), location, {"name": "a\0b"})
        assert answer.status_code == 422
        assert answer.json["data"] == {"name": [NUL], "age": ["Missing data for required field."]}

    def test_in_a_name(self, api, serve, location):
        echo(api, {}, location, unknown=INCLUDE)
        answer = send(serve(api), location, {"a\0": "b"})
        assert (answer.status_code, answer.json["data"]) == (422, {"a\0": [NUL]})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"tags": ["a", "\0"]}, {"tags": {"1": [NUL]}}, id="in a list"),
        pytest.param({"more": {"x": {"y": "\0"}}}, {"more": {"x": {"y": [NUL]}}}, id="nested"),
        pytest.param({"more": {"x\0": {"y": "\0"}}}, {"more": {"x\0": [NUL]}},
                     id="in a name with more below it"),
        pytest.param("\0", {"_schema": [NUL, "Invalid input type."]}, id="alone"),
        pytest.param({"tags": ["\\u0000"]}, None, id="but not its escape as text"),
    ],
)  # fmt: skip
def test_nul_is_found_anywhere_in_json(api, serve, body, expected):
    echo(api, {"tags": fields.List(fields.String()), "more": fields.Dict()})
    answer = serve(api).post("/", json=body)
    if expected is None:
        assert answer.json["data"] == body
    else:
        assert (answer.status_code, answer.json["data"]) == (422, expected)


class TestJson:
    """Bodies that cannot be read, and bodies of another type."""

    @pytest.mark.parametrize("content_type", [
        JSON, "application/json; charset=utf-8", 'application/json; charset="UTF-8"',
        "APPLICATION/JSON", "application/problem+json", "application/vnd.api+json; v=1",
    ])  # fmt: skip
    def test_takes(self, api, serve, content_type):
        echo(api, {"name": fields.String()})
        answer = serve(api).post("/", data='{"name":"é"}'.encode(), content_type=content_type)
        assert answer.json["data"] == {"name": "é"}

    @pytest.mark.parametrize("content_type", [
        None, "", "text/plain", "text/json", "application/jsonp",
        "application/x-www-form-urlencoded", "multipart/form-data",
        "application/json; charset=latin-1", "application/+json", "json",
    ])  # fmt: skip
    def test_refuses(self, api, serve, content_type):
        echo(api, {"name": fields.String()})
        answer = serve(api).post("/", data="{}", content_type=content_type)
        assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize("body", [
        b"", b" ", b"{", b"nope", b"NaN", b'{"name":"a","name":"b"}', b'"\\ud800"', b"{} x",
        b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b"1e999", b"9" * 10_000,
    ], ids=repr)  # fmt: skip
    def test_a_body_that_cannot_be_read_is_400_with_a_reason(self, api, serve, body):
        echo(api, {"name": fields.String()})
        answer = serve(api).post("/", data=body, content_type=JSON)
        assert (answer.status_code, answer.json["code"]) == (400, "bad_request")
        assert "JSON body" in answer.json["message"]

    @pytest.mark.parametrize("body", ["[]", "[1]", "1", '"text"', "null", "true", "1.5"])
    def test_something_else_than_an_object_is_not_valid(self, api, serve, body):
        echo(api, {"name": fields.String()})
        answer = serve(api).post("/", data=body, content_type=JSON)
        assert (answer.status_code, answer.json["data"]) == (
            422,
            {"_schema": ["Invalid input type."]},
        )

    def test_a_list_is_taken_where_the_schema_says_many(self, api, serve):
        echo(api, Schema.from_dict({"count": fields.Integer()})(many=True))
        client = serve(api)
        assert client.post("/", json=[{"count": 1}]).json["data"] == [{"count": 1}]
        answer = client.post("/", json=[{"count": 1}, {"count": "x"}])
        assert answer.json["data"] == {"1": {"count": ["Not a valid integer."]}}

    def test_depth_is_a_setting(self):
        app = flask.Flask(__name__)
        api = Blueprint("api", __name__)
        echo(api, {"a": fields.Raw()})
        Carboy(app, {"APP_ENV": "Testing", "API_DOCS": False, "JSON_MAX_DEPTH": 2})
        app.register_blueprint(api)
        client = app.test_client()
        assert client.post("/", json={"a": [1]}).status_code == 200
        answer = client.post("/", json={"a": [[1]]})
        assert answer.json["message"] == "The JSON body is nested deeper than 2 levels."

    def test_works_on_an_app_without_a_crate(self, api):
        echo(api, {"name": fields.String()})
        app = flask.Flask(__name__)
        app.register_blueprint(api)
        answer = app.test_client().post("/", json={"name": "a"})
        assert answer.json == {"status": "success", "data": {"name": "a"}}

    @given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
    def test_no_body_at_all_is_a_500(self, body):
        app = flask.Flask(__name__)
        api = Blueprint("api", __name__)
        echo(api, {"name": fields.String(), "more": fields.Dict()})
        Carboy(app, {"APP_ENV": "Testing", "API_DOCS": False})
        app.register_blueprint(api)
        answer = app.test_client().post("/", data=body, content_type=JSON)
        assert answer.status_code in (200, 400, 422)


class TestForms:
    """Bodies of forms, and files."""

    @pytest.mark.parametrize("content_type", [None, JSON, "text/plain", "multipart/mixed"])
    def test_another_type_is_415(self, api, serve, content_type):
        echo(api, {"name": fields.String()}, "form")
        assert serve(api).post("/", data=b"name=x", content_type=content_type).status_code == 415

    def test_files_come_with_multipart_only(self, api, serve):
        echo(api, {"file": fields.Raw()}, "files")
        answer = serve(api).post("/", data={"file": "x"})
        assert answer.status_code == 415
        assert answer.json["message"] == "Send the files as multipart/form-data."

    def test_a_form_with_files(self, api, serve):
        @api.post("/")
        @api.input({"name": fields.String(required=True)}, "form")
        @api.input({"one": fields.Raw(required=True), "many": fields.List(fields.Raw())}, "files")
        def view(data, files):
            many = [part.filename for part in files["many"]]
            return {**data, "one": files["one"].read().decode(), "many": many}

        client = serve(api)
        parts = {
            "name": "Ada",
            "one": (io.BytesIO(b"hello"), "a.txt"),
            "many": [(io.BytesIO(b""), "b.txt"), (io.BytesIO(b""), "c.txt")],
        }
        answer = client.post("/", data=parts)
        assert answer.json["data"] == {"name": "Ada", "one": "hello", "many": ["b.txt", "c.txt"]}
        answer = client.post("/", data={}, content_type="multipart/form-data")
        assert set(answer.json["data"]) == {"name", "one"}

    def test_a_nul_in_a_multipart_field_is_refused(self, api, serve):
        echo(api, {"name": fields.String()}, "form")
        answer = serve(api).post("/", data={"name": "a\0"}, content_type="multipart/form-data")
        assert answer.json["data"] == {"name": [NUL]}


class TestRepeated:
    """Names that occur several times."""

    @pytest.mark.parametrize("location", ["query", "form"])
    def test_are_a_list_where_the_schema_has_one(self, api, serve, location):
        echo(
            api,
            {
                "tag": fields.List(fields.Integer()),
                "pair": fields.Tuple((fields.Integer(), fields.String()), data_key="p"),
                "ids": DelimitedList(fields.Integer()),
                "one": fields.String(),
            },
            location,
        )
        values = {"tag": ["1", "2"], "p": ["3", "x"], "ids": "4,5", "one": ["a", "b"]}
        answer = send(serve(api), location, values)
        assert answer.json["data"] == {
            "tag": [1, 2], "pair": [3, "x"], "ids": [4, 5], "one": "a",
        }  # fmt: skip

    def test_headers_are_found_in_any_case(self, api, serve):
        echo(
            api,
            {
                "token": fields.String(data_key="X-Token", required=True),
                "via": fields.List(fields.String(), data_key="X-Via"),
            },
            "headers",
        )
        client = serve(api)
        answer = client.post("/", headers=[("x-token", "t"), ("x-via", "a")])
        assert answer.json["data"] == {"token": "t", "via": ["a"]}
        assert client.post("/").json["data"] == {"X-Token": ["Missing data for required field."]}


class TestUnknown:
    """What a schema does not know, decided by whoever says so."""

    @pytest.mark.parametrize("location", ["query", "cookies", "json", "form"])
    @pytest.mark.parametrize(
        ("unknown", "expected"),
        [
            (RAISE, (422, {"other": ["Unknown field."]})),
            (EXCLUDE, (200, {})),
            (INCLUDE, (200, {"other": "x"})),
        ],
    )
    def test_the_input_decides(self, api, serve, location, unknown, expected):
        echo(api, {"name": fields.String()}, location, unknown=unknown)
        answer = send(serve(api), location, {"other": "x"})
        assert (answer.status_code, answer.json["data"]) == expected

    def test_in_bodies_the_schema_decides_otherwise(self, api, serve):
        class Loose(Schema):
            class Meta:
                unknown = EXCLUDE

        echo(api, Loose)
        assert serve(api).post("/", json={"other": 1}).json["data"] == {}


class TestSeveralInputs:
    """All of them are checked before anything is answered."""

    def test_problems_of_all_inputs_are_in_one_answer(self, api, serve):
        @api.post("/")
        @api.input({"page": fields.Integer(), "name": fields.Integer()}, "query")
        @api.input({"name": fields.String(required=True), "age": fields.Integer()})
        def view(data, query):
            return {}

        answer = serve(api).post("/?page=x&name=y", json={"age": "z"})
        assert answer.json["data"] == {
            "page": ["Not a valid integer."],
            "name": ["Not a valid integer.", "Missing data for required field."],
            "age": ["Not a valid integer."],
        }

    def test_the_view_is_not_called(self, api, serve):
        called = []

        @api.post("/")
        @api.input({"page": fields.Integer()}, "query")
        def view(query):
            called.append(query)

        assert serve(api).post("/?page=x").status_code == 422
        assert called == []


class TestNested:
    """Problems keep the place they have in the document."""

    def test_messages_are_nested_as_the_data(self, api, serve):
        line = Schema.from_dict({"count": fields.Integer(validate=validate.Range(min=1))})
        echo(api, {"lines": fields.List(fields.Nested(line))})
        answer = serve(api).post("/", json={"lines": [{"count": 1}, {"count": 0, "x": 1}]})
        assert answer.json["data"] == {
            "lines": {
                "1": {
                    "count": ["Must be greater than or equal to 1."],
                    "x": ["Unknown field."],
                }
            }
        }

    def test_hooks_of_the_schema_have_their_say(self, api, serve):
        class Range(Schema):
            low = fields.Integer()
            high = fields.Integer()

            @pre_load
            def strip(self, data, **rest):
                if not data:
                    raise ValidationError("Say something.")
                return {key: value for key, value in data.items() if value != ""}

            @validates_schema
            def ordered(self, data, **rest):
                if data.get("low", 0) > data.get("high", 9):
                    raise ValidationError("low is above high.")

        echo(api, Range, "query")
        client = serve(api)
        assert client.post("/?low=").json["data"] == {}
        assert client.post("/?low=3&high=2").json["data"] == {"_schema": ["low is above high."]}
        assert client.post("/").json["data"] == {"_schema": ["Say something."]}

    def test_a_handler_of_the_schema_may_raise_a_list(self, api, serve):
        class Own(Schema):
            count = fields.Integer()

            def handle_error(self, error, data, **rest):
                raise ValidationError(["No."])

        echo(api, Own)
        assert serve(api).post("/", json={"count": "x"}).json["data"] == {"_schema": ["No."]}


class Category(Schema):
    weight = fields.Decimal(data_key="w")
    parent = fields.Nested(lambda: Category())  # noqa: PLW0108 - the name exists later


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param(fields.Decimal, "{}", id="a field"),
        pytest.param(lambda: fields.List(fields.Decimal), ["{}"], id="in a list"),
        pytest.param(lambda: fields.Tuple((fields.Decimal(),)), ["{}"], id="in a tuple"),
        pytest.param(lambda: fields.Dict(keys=fields.String, values=fields.Decimal), {"a": "{}"},
                     id="in a dictionary"),
        pytest.param(lambda: fields.Nested({"x": fields.Decimal()}), {"x": "{}"}, id="nested"),
        pytest.param(lambda: fields.Nested(Category), {"parent": {"w": "{}"}},
                     id="in a schema that contains itself"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("exponent", [309, -309, 999_999, -999_999])
def test_a_decimal_has_the_range_of_a_double(api, serve, field, value, exponent):
    def filled(shape, number):
        if isinstance(shape, dict):
            return {key: filled(item, number) for key, item in shape.items()}
        if isinstance(shape, list):
            return [filled(item, number) for item in shape]
        return shape.format(number)

    echo(api, {"price": field()})
    client = serve(api)
    for _ in range(2):  # the guard is there from the first request, and once
        answer = client.post("/", json={"price": filled(value, f"1e{exponent}")})
        assert answer.status_code == 422
        assert answer.text.count("Number too large.") == 1
    answer = client.post("/", json={"price": filled(value, "1e308")})
    assert str(Decimal("1e308")) in answer.text


def test_a_decimal_that_allows_nan_gets_it(api, serve):
    @api.post("/")
    @api.input({"price": fields.Decimal(allow_nan=True)})
    def view(data):
        return {"nan": data["price"].is_nan(), "price": data["price"]}

    answer = serve(api).post("/", json={"price": "NaN"})
    assert answer.json["data"] == {"nan": True, "price": None}
