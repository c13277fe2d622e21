import datetime as dt
import enum
import json

import pytest
from flask import Flask
from flask.views import MethodView
from jsonschema import Draft202012Validator
from marshmallow import Schema, fields, validate
from openapi_spec_validator import OpenAPIV31SpecValidator
from webargs import fields as webfields
from werkzeug.routing import BaseConverter

from carboy.api import answers
from carboy.api.blueprint import Blueprint
from carboy.api.envelope import JSend
from carboy.api.openapi import document_of as document
from carboy.api.openapi import init_app, serve
from carboy.api.operation import Output, declare
from carboy.errors import ApiError, NotFound


class UserIn(Schema):
    name = fields.String(required=True, validate=validate.Length(1, 40))


class User(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class Problem(JSend):
    """An envelope with a media type and a title of its own."""

    error_media_type = "application/problem+json"

    def error_schema(self, status):
        return {"title": "Problem Details", "type": "object", "properties": {"status": {}}}


class Hex(BaseConverter):
    regex = "[0-9a-f]+"


def service(*blueprints, **config):
    app = Flask("shop")
    app.config.update(config)
    app.url_map.converters["hex"] = Hex
    for one in blueprints:
        app.register_blueprint(one)
    init_app(app)
    serve(app)
    return app


def validated(app):
    found = document(app)
    OpenAPIV31SpecValidator(found).validate()
    return found


def only(app):
    """Return the one operation of a document."""
    paths = validated(app)["paths"]
    (item,) = paths.values()
    (operation,) = item.values()
    return operation


def users():
    api = Blueprint("users", __name__, url_prefix="/api/v1")

    @api.post("/users")
    @api.input(UserIn, example={"name": "Ada"})
    @api.output(User, 201, headers={"Location": "Where it is"}, example={"id": 1, "name": "Ada"})
    @api.doc(errors={409: "The name is taken", 410: ""})
    def create_user(data):
        """Register a user.

        The name must be
        free.

        :param data: the user.
        """
        return {"id": 1, **data}

    @api.get("/users/<int:id>")
    @api.output(User)
    def get_user(id):  # noqa: A002
        if id > 1:
            raise NotFound
        return {"id": id, "name": "Ada"}

    @api.delete("/users/<int:id>")
    @api.output(None, 204)
    def delete_user(id): ...  # noqa: A002

    return api


def test_an_operation_says_what_was_declared():
    operation = validated(service(users()))["paths"]["/api/v1/users"]["post"]
    assert operation["operationId"] == "create_user"
    assert operation["summary"] == "Register a user"
    assert operation["description"] == "The name must be\nfree."
    assert operation["tags"] == ["users"]
    assert operation["requestBody"] == {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/UserIn"},
                "example": {"name": "Ada"},
            }
        },
    }
    created = operation["responses"]["201"]
    assert created["description"] == "Created"
    assert created["headers"]["Location"]["description"] == "Where it is"
    media = created["content"]["application/json"]
    assert media["schema"]["properties"]["data"] == {"$ref": "#/components/schemas/User"}
    assert media["example"] == {"status": "success", "data": {"id": 1, "name": "Ada"}}
    assert set(operation["responses"]) == {
        "201",
        "400",
        "409",
        "410",
        "413",
        "415",
        "422",
        "default",
    }
    assert operation["responses"]["409"]["description"] == "The name is taken"
    assert operation["responses"]["410"]["description"]


def test_failures_share_components():
    found = validated(service(users()))
    assert set(found["components"]["schemas"]) == {"Error", "Fail", "Invalid", "User", "UserIn"}
    default = found["paths"]["/api/v1/users/{id}"]["get"]["responses"]["default"]
    assert default["content"]["application/json"]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/Fail"}, {"$ref": "#/components/schemas/Error"}]
    }


def test_the_document_head_comes_from_the_settings():
    found = validated(service(API_TITLE="T", API_VERSION="2.0", API_DESCRIPTION="D"))
    assert found["openapi"] == "3.1.0"
    assert found["info"] == {"title": "T", "version": "2.0", "description": "D"}
    assert found["servers"] == [{"url": "/"}]
    assert validated(service())["info"] == {"title": "shop", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("POST", "/api/v1/users", '{"name": "Ada"}', 201, id="a success"),
        pytest.param("POST", "/api/v1/users", "{}", 422, id="an invalid body"),
        pytest.param("POST", "/api/v1/users", "{", 400, id="an unreadable body"),
        pytest.param("POST", "/api/v1/users", None, 415, id="a body of another type"),
        pytest.param("GET", "/api/v1/users/1", None, 200, id="one that is there"),
        pytest.param("GET", "/api/v1/users/2", None, 404, id="one that is not"),
        pytest.param("DELETE", "/api/v1/users/1", None, 204, id="an answer without a body"),
    ],
)
def test_real_answers_conform(method, path, body, status):
    app = service(users())
    app.register_error_handler(ApiError, answers.answer)
    kind = {"content_type": "application/json"} if body else {}
    answer = app.test_client().open(path, method=method, data=body, **kind)
    assert answer.status_code == status
    found = validated(app)
    rule = "/api/v1/users" if method == "POST" else "/api/v1/users/{id}"
    described = found["paths"][rule][method.lower()]["responses"][str(status)]
    if not answer.data:
        assert "content" not in described
        return
    schema = described["content"][answer.mimetype]["schema"]
    Draft202012Validator({**schema, "components": found["components"]}).validate(answer.json)


@pytest.mark.parametrize(
    ("rule", "path", "schema"),
    [
        ("/<int:id>", "/{id}", {"type": "integer", "minimum": 0}),
        ("/<int(min=2, max=5):id>", "/{id}", {"type": "integer", "minimum": 2, "maximum": 5}),
        ("/<int(signed=True):id>", "/{id}", {"type": "integer"}),
        (
            "/<int(fixed_digits=4):id>",
            "/{id}",
            {"type": "integer", "minimum": 0, "description": "Written with 4 digits."},
        ),
        (
            "/<float:id>",
            "/{id}",
            {"type": "number", "minimum": 0, "description": "Written with a decimal point."},
        ),
        ("/a/<id>/b", "/a/{id}/b", {"type": "string", "minLength": 1}),
        ("/<string(length=2):id>", "/{id}", {"type": "string", "minLength": 2, "maxLength": 2}),
        ("/<string(minlength=2):id>", "/{id}", {"type": "string", "minLength": 2}),
        (
            "/<string(minlength=2, maxlength=9):id>",
            "/{id}",
            {"type": "string", "minLength": 2, "maxLength": 9},
        ),
        ("/<any(b, a):id>", "/{id}", {"type": "string", "enum": ["a", "b"]}),
        ("/<uuid:id>", "/{id}", {"type": "string", "format": "uuid"}),
        ("/<path:id>", "/{id}", {"type": "string", "minLength": 1, "x-converter": "path"}),
        ("/<hex:id>", "/{id}", {"type": "string"}),
    ],
)
def test_a_path_variable_is_described_by_its_converter(rule, path, schema):
    api = Blueprint("a", __name__)
    api.add_url_rule(rule, "view", lambda **_: {})
    app = service(api)
    assert list(validated(app)["paths"]) == [path]
    (parameter,) = only(app)["parameters"]
    assert parameter == {"name": "id", "in": "path", "required": True, "schema": schema}
    assert "404" in only(app)["responses"]


class Everywhere(Schema):
    limit = fields.Integer(
        load_default=20, metadata={"description": "How many", "deprecated": True}
    )
    tags = fields.List(fields.String())
    ids = webfields.DelimitedList(fields.Integer(), validate=validate.Length(max=3))
    pair = webfields.DelimitedTuple((fields.Integer(), fields.Integer()), delimiter="|")
    odd = webfields.DelimitedList(fields.String(), delimiter=";")
    words = webfields.DelimitedList(fields.String(validate=validate.Regexp(r"^a")))
    kinds = webfields.DelimitedList(fields.String(validate=validate.OneOf(["a", "b"])))
    pieces = webfields.DelimitedList(fields.String(allow_none=True), delimiter="|")
    accept = fields.String(data_key="Accept")
    needed = fields.String(required=True)


@pytest.mark.parametrize(
    ("location", "styles"),
    [
        pytest.param(
            "query",
            {
                "tags": ("form", True),
                "ids": ("form", False),
                "pair": ("pipeDelimited", False),
                "words": ("form", False),
                "kinds": ("form", False),
                "pieces": ("pipeDelimited", False),
            },
            id="query",
        ),
        pytest.param(
            "headers",
            dict.fromkeys(("ids", "words", "kinds"), ("simple", False)),
            id="headers",
        ),
        pytest.param("cookies", {"tags": ("form", True)}, id="cookies"),
    ],
)
def test_fields_outside_the_body_are_parameters(location, styles):
    api = Blueprint("a", __name__)

    @api.get("/")
    @api.input(Everywhere, location, argument="given", example={"limit": 5})
    def view(given): ...

    operation = only(service(api))
    assert "requestBody" not in operation
    assert "422" in operation["responses"]
    assert "415" not in operation["responses"]
    found = {one["name"]: one for one in operation["parameters"]}
    assert ("Accept" in found) == (location != "headers")
    assert found["needed"]["required"] is True
    assert found["limit"] == {
        "name": "limit",
        "in": {"query": "query", "headers": "header", "cookies": "cookie"}[location],
        "required": False,
        "description": "How many",
        "deprecated": True,
        "schema": {"type": "integer", "default": 20},
        "example": 5,
    }
    assert {
        name: (one["style"], one["explode"]) for name, one in found.items() if "style" in one
    } == styles
    assert found["odd"]["schema"] == {"type": "string"}
    if location == "query":
        assert found["ids"]["schema"] == {
            "type": "array",
            "items": {"type": "integer"},
            "maxItems": 3,
        }
        assert len(found["pair"]["schema"]["prefixItems"]) == 2
        # What would part it in two stands in no item.
        items = {name: one["schema"].get("items") for name, one in found.items()}
        assert items["words"] == {
            "type": "string", "pattern": "^a", "allOf": [{"pattern": "^[^,]*$"}],
        }  # fmt: skip
        assert items["kinds"] == {"type": "string", "enum": ["a", "b"]}
        assert items["pieces"]["pattern"] == "^[^|]*$"
        assert items["tags"] == {"type": "string"}


def test_partial_parameters_are_not_required():
    api = Blueprint("a", __name__)

    @api.get("/")
    @api.input(UserIn, "query", partial=True)
    def view(query): ...

    (parameter,) = only(service(api))["parameters"]
    assert parameter["required"] is False


def test_a_form_may_come_in_both_encodings():
    api = Blueprint("a", __name__)

    @api.post("/")
    @api.input(UserIn, "form")
    def view(data): ...

    content = only(service(api))["requestBody"]["content"]
    assert set(content) == {"application/x-www-form-urlencoded", "multipart/form-data"}


def test_files_come_beside_the_fields_of_a_form():
    api = Blueprint("a", __name__)
    picture = {
        "picture": fields.Raw(required=True, metadata={"description": "A picture"}),
        "more": fields.List(fields.Raw(), validate=validate.Length(max=2)),
    }

    @api.post("/")
    @api.input(UserIn, "form")
    @api.input(picture, "files")
    def view(data, files): ...

    ((media_type, media),) = only(service(api))["requestBody"]["content"].items()
    assert media_type == "multipart/form-data"
    binary = {"type": "string", "format": "binary"}
    assert media["schema"]["required"] == ["name", "picture"]
    assert media["schema"]["properties"]["picture"] == {**binary, "description": "A picture"}
    assert media["schema"]["properties"]["more"] == {
        "type": "array",
        "items": binary,
        "maxItems": 2,
    }


def test_files_need_no_form():
    api = Blueprint("a", __name__)

    @api.post("/")
    @api.input({"picture": fields.Raw()}, "files")
    def view(files): ...

    schema = only(service(api))["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert list(schema["properties"]) == ["picture"]


def test_limits_are_told():
    api = users()
    operation = validated(service(api, JSON_MAX_DEPTH=5, MAX_CONTENT_LENGTH=1000))["paths"][
        "/api/v1/users"
    ]["post"]
    assert "5 levels" in operation["responses"]["400"]["description"]
    assert "1000 bytes" in operation["responses"]["413"]["description"]


def test_a_summary_is_plain_text():
    api = Blueprint("a", __name__)

    @api.get("/")
    def view():
        """Read what ``flask db`` wrote."""

    operation = validated(service(api))["paths"]["/"]["get"]
    assert operation["summary"] == "Read what flask db wrote"


def test_doc_says_the_rest():
    api = Blueprint("a", __name__, tags=["All"])

    @api.get("/")
    @api.doc(
        summary="S",
        description="D",
        tags=["T"],
        operation_id="op",
        deprecated=True,
        security=["key"],
        externalDocs={"url": "https://example.com"},
    )
    def view(): ...

    @api.get("/public")
    @api.doc(security=[])
    def public(): ...

    app = service(api)
    app.extensions["carboy.security_schemes"] = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"}
    }
    found = validated(app)
    operation = found["paths"]["/"]["get"]
    assert (operation["summary"], operation["description"]) == ("S", "D")
    assert (operation["tags"], operation["operationId"]) == (["T"], "op")
    assert operation["deprecated"] is True
    assert operation["security"] == [{"key": []}]
    assert {"401", "403"} <= set(operation["responses"])
    assert operation["externalDocs"] == {"url": "https://example.com"}
    assert found["paths"]["/public"]["get"]["security"] == []
    assert found["paths"]["/public"]["get"]["tags"] == ["All"]
    assert found["components"]["securitySchemes"]["key"]["name"] == "X-Key"
    assert found["tags"] == [{"name": "T"}, {"name": "All"}]


def test_only_documented_views_are_listed():
    api = Blueprint("a", __name__)

    @api.get("/shown")
    def shown(): ...

    @api.get("/hidden")
    @api.doc(hidden=True)
    def hidden(): ...

    app = service(api)
    app.add_url_rule("/plain", "plain", lambda: "")
    app.add_url_rule("/old", "old", redirect_to="/shown")
    found = validated(app)
    assert list(found["paths"]) == ["/shown"]
    operation = only(app)
    assert operation["summary"] == "Shown"
    assert operation["responses"]["200"] == {"description": "OK"}


def test_class_based_views_declare_each_method():
    api = Blueprint("a", __name__)

    class Things(MethodView):
        @api.output(User)
        def get(self):
            """Read them."""

        @api.input(UserIn)
        def put(self, data):
            """Write them."""

    api.add_url_rule("/things", view_func=Things.as_view("things"))
    item = validated(service(api))["paths"]["/things"]
    assert item["get"]["summary"] == "Read them"
    assert item["put"]["summary"] == "Write them"
    assert "requestBody" in item["put"]
    assert "requestBody" not in item["get"]


def test_operation_ids_are_unique():
    first, second = Blueprint("first", __name__), Blueprint("second", __name__)
    for api, prefix in ((first, "/a"), (second, "/b")):
        api.add_url_rule(f"{prefix}/list", "list", dict)
    first.add_url_rule("/both", "both", dict, methods=["GET", "POST"])
    ids = [
        operation["operationId"]
        for item in validated(service(first, second))["paths"].values()
        for operation in item.values()
    ]
    assert ids == ["first_list", "both_get", "both_post", "second_list"]


def test_a_given_operation_id_counts_for_every_place_of_its_view():
    api = Blueprint("a", __name__)

    @api.get("/one")
    @api.get("/two")
    @api.get("/three")
    @api.doc(operation_id="read")
    def view(): ...

    @api.get("/other")
    @api.doc(operation_id="read_get_2")
    def other(): ...

    ids = [item["get"]["operationId"] for item in validated(service(api))["paths"].values()]
    assert ids == ["read_get", "read_get_3", "read_get_4", "read_get_2"]


def test_one_view_at_two_places_is_numbered():
    api = Blueprint("a", __name__)

    @api.get("/one")
    @api.get("/two")
    def view(): ...

    paths = validated(service(api))["paths"]
    assert {item["get"]["operationId"] for item in paths.values()} == {
        "view_get",
        "view_get_2",
    }


def test_paths_that_openapi_cannot_tell_apart_are_reported(caplog):
    api = Blueprint("a", __name__)
    api.add_url_rule("/<int:id>", "by_id", lambda **_: {})
    api.add_url_rule("/<name>", "by_name", lambda **_: {})
    app = service(api)
    assert list(validated(app)["paths"]) == ["/{id}"]
    assert "GET /{name} is not in the OpenAPI document" in caplog.text


def test_envelopes_of_a_blueprint_and_of_the_app_both_count():
    outer = Blueprint("outer", __name__, envelope=Problem())
    inner = Blueprint("inner", __name__)

    @inner.get("/<int:id>")
    @inner.doc(errors={409: "Taken"})
    def view(id): ...  # noqa: A002

    outer.register_blueprint(inner)
    app = service(outer)
    responses = only(app)["responses"]
    reference = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    assert responses["409"]["content"] == {"application/problem+json": reference}
    assert set(responses["404"]["content"]) == {"application/problem+json", "application/json"}
    assert set(responses["default"]["content"]) == {"application/problem+json", "application/json"}


def test_the_app_chooses_the_envelope():
    api = Blueprint("a", __name__)
    api.add_url_rule("/", "view", dict)
    app = service(api)
    app.extensions["carboy.envelope"] = Problem()
    assert set(validated(app)["components"]["schemas"]) == {"ProblemDetails"}


def test_an_app_may_have_schemas_of_the_envelopes_names():
    class Error(Schema):
        line = fields.Integer()

    api = Blueprint("a", __name__)

    @api.get("/")
    @api.output(Error(many=True))
    def view(): ...

    schemas = validated(service(api))["components"]["schemas"]
    assert "line" in schemas["Error"]["properties"]
    assert schemas["ErrorBody"]["properties"]["status"] == {"const": "error"}


def test_envelopes_whose_errors_differ_have_components_each():
    class Terse(JSend):
        def error_schema(self, status):
            return {"type": "object", "properties": {"of": {"const": status}}}

    plain, terse = Blueprint("plain", __name__), Blueprint("terse", __name__, envelope=Terse())
    for api in (plain, terse):
        api.add_url_rule(f"/{api.name}", "view", dict)

    @terse.get("/more")
    @terse.doc(errors={404: "", 409: ""})
    def more(): ...

    names = set(validated(service(plain, terse))["components"]["schemas"])
    assert names == {"Fail", "Error", "TerseFail", "TerseError", "NotFound", "Conflict"}


def test_a_schema_may_hold_any_value():
    class Size(enum.Enum):
        S = 1

    metadata = {
        "examples": [dt.date(2026, 1, 1), Size.S, float("inf"), {2, 1}, 1.5, object],
    }
    api = Blueprint("a", __name__)

    @api.post("/")
    @api.input({"it": fields.Raw(metadata=metadata)})
    def view(data): ...

    app = service(api)
    schema = validated(app)["components"]["schemas"]["ViewInput"]
    examples = schema["properties"]["it"]["examples"]
    assert examples == ["2026-01-01", 1, "inf", [1, 2], 1.5, "<class 'object'>"]
    assert app.test_client().get("/openapi.json").status_code == 200


def test_it_is_served_with_an_entity_tag():
    client = service(users()).test_client()
    answer = client.get("/openapi.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.json["paths"]
    again = client.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_bytes_are_the_same_each_time():
    first, second = (service(users()).test_client().get("/openapi.json") for _ in range(2))
    assert first.data == second.data
    assert first.headers["ETag"] == second.headers["ETag"]


def test_the_server_is_where_the_app_is_mounted():
    client = service(users()).test_client()
    mounted = client.get("/openapi.json", base_url="http://localhost/shop")
    assert mounted.json["servers"] == [{"url": "/shop"}]
    root = client.get("/openapi.json")
    assert root.json["servers"] == [{"url": "/"}]
    assert root.headers["ETag"] != mounted.headers["ETag"]


def test_it_can_be_turned_off():
    client = service(users(), API_DOCS=False).test_client()
    assert client.get("/openapi.json").status_code == 404
    assert client.get("/docs").status_code == 404


def test_the_command_prints_it():
    app = service(users())
    ran = app.test_cli_runner().invoke(args=["openapi"])
    assert ran.exit_code == 0
    assert json.loads(ran.output) == document(app)


def test_the_command_writes_a_file(tmp_path):
    app = service(users())
    file = tmp_path / "openapi.json"
    file.write_text("old")
    ran = app.test_cli_runner().invoke(args=["openapi", "--output", str(file)])
    assert (ran.exit_code, ran.output) == (0, "")
    assert json.loads(file.read_text()) == document(app)
    assert [one.name for one in tmp_path.iterdir()] == ["openapi.json"]


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path):
    file = tmp_path / "missing" / "openapi.json"
    ran = service().test_cli_runner().invoke(args=["openapi", "-o", str(file)])
    assert ran.exit_code == 1
    assert ran.output.startswith(f"Error: {file} cannot be written: ")
    assert ran.output.count("\n") == 1


def test_nothing_is_left_behind_when_the_file_cannot_be_replaced(tmp_path, monkeypatch):
    file = tmp_path / "openapi.json"
    file.write_text("old")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    ran = service().test_cli_runner().invoke(args=["openapi", "-o", str(file)])
    assert ran.exit_code == 1
    assert [one.name for one in tmp_path.iterdir()] == ["openapi.json"]
    assert file.read_text() == "old"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(Output(None, 202), {"description": "Accepted"}, id="no body"),
        pytest.param(
            Output(None, 200, "A table", "text/csv"),
            {"description": "A table", "content": {"text/csv": {}}},
            id="a body of a type of its own",
        ),
        pytest.param(Output(None, 299), {"description": "Success"}, id="a status without a name"),
    ],
)
def test_an_answer_without_a_schema(output, expected):
    app = service()

    def view(): ...

    declare(view).output = output
    app.add_url_rule("/", "view", view)
    operation = only(app)
    assert operation["responses"][str(output.status)] == expected
    assert "tags" not in operation


def test_envelopes_of_one_name_are_numbered():
    def made(letter):
        schema = {"type": "object", "title": letter[:1]}
        return type("Own", (JSend,), {"error_schema": lambda *_: {**schema, letter: True}})()

    outer = [
        Blueprint(name, __name__, envelope=made(name)) for name in ("x-a", "x-b", "x-c", "x-d")
    ]
    for api in outer:
        api.add_url_rule(f"/{api.name}", "view", dict)
    names = set(validated(service(*outer))["components"]["schemas"])
    assert {"x", "Error", "OwnError", "OwnError2"} <= names


def test_extra_words_are_merged_into_the_operation():
    api = Blueprint("a", __name__)

    @api.get("/")
    @api.doc(responses={"200": {"description": "Fine"}, "418": {"description": "Tea"}})
    def view(): ...

    responses = only(service(api))["responses"]
    assert responses["200"] == {"description": "Fine"}
    assert responses["418"] == {"description": "Tea"}
    assert "default" in responses


class Elsewhere(JSend):
    """Answers 401 as 403, and every other failure of a caller as 400."""

    def __init__(self):
        self.statuses = {401: 403, 409: 400}


def test_headers_of_an_error_follow_it_to_the_status_an_envelope_sends():
    api = Blueprint("a", __name__, envelope=Elsewhere())
    challenge = {"headers": {"WWW-Authenticate": {"schema": {"type": "string"}}}}
    wait = {"headers": {"Retry-After": {"schema": {"type": "integer"}}}}
    whole = {"description": "Gone"}

    @api.get("/")
    @api.doc(
        errors={401: "Who?", 409: "Taken"},
        responses={"401": challenge, "409": wait, "410": whole, "4XX": whole},
    )
    def view(): ...

    found = only(service(api))["responses"]
    assert found["403"]["headers"] == challenge["headers"]
    assert found["403"]["description"] == "Who?"
    assert found["400"]["headers"] == wait["headers"]
    assert found["410"] == found["4XX"] == whole
    assert not {"401", "409"} & found.keys()
