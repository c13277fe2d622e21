"""JSend and bare data, and that what they describe is what they make."""

import flask
import pytest
from jsonschema import Draft202012Validator

from carboy import Bare, Blueprint, Carboy, errors
from carboy.api import openapi
from carboy.api.envelope import Envelope, JSend, status_sent
from carboy.errors import ApiError, Invalid, NotFound, Unavailable
from carboy.testing import Contract

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ApiError) and kind is not ApiError
]
TYPES = "https://example.com/problems/"


class Renumbered(Bare):
    statuses = {422: 400}  # noqa: RUF012 - read only


def fits(value, schema):
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("envelope", [JSend(), Bare(), Bare(types=TYPES), Renumbered()], ids=[
    "JSend", "bare", "bare with types", "bare with statuses of its own",
])  # fmt: skip
class TestEveryEnvelope:
    def test_is_one(self, envelope):
        assert isinstance(envelope, Envelope)

    @pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("data", [
        pytest.param(None, id="no data"),
        pytest.param({}, id="empty data"),
        pytest.param({"name": ["x"]}, id="with data"),
    ])  # fmt: skip
    def test_describes_its_errors(self, envelope, kind, data):
        body = envelope.error(kind(data=data))
        schema = envelope.error_schema(kind.status)
        assert fits(body, schema)
        assert set(body) <= set(schema["properties"])
        assert not fits({}, schema)

    def test_describes_its_successes(self, envelope):
        schema = envelope.success_schema({"type": "string"})
        assert fits(envelope.success("x", 200), schema)
        assert not fits(envelope.success({}, 200), schema)


def test_jsend_wraps_a_success():
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


def test_bare_data_is_itself():
    assert Bare().success([1], 200) == [1]


def test_a_problem_outside_of_a_request_has_no_instance():
    assert Bare().error(NotFound("No product 7.")) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No product 7.",
        "code": "not_found",
    }


def test_a_problem_with_a_type_names_it_and_has_the_same_title_every_time():
    problem = Bare(types=TYPES).error(NotFound("No product 7.", code="no_product"))
    assert problem["type"] == f"{TYPES}no_product"
    assert problem["title"] == "There is nothing at this address"


def test_a_status_without_a_name_has_a_title():
    assert Bare().error(errors.for_status(499))["title"] == "Error"


def test_an_envelope_may_send_another_status():
    assert status_sent(JSend(), 422) == 422
    assert status_sent(Renumbered(), 422) == 400
    assert status_sent(Renumbered(), 404) == 404
    assert Renumbered().error(Invalid())["status"] == 400


@pytest.fixture
def client():
    """An app that answers bare, with a blueprint in JSend and one nested in that, bare again."""
    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing", "TRUSTED_HOSTS": "localhost"}, envelope=Bare())
    outer = Blueprint("outer", __name__, url_prefix="/outer", envelope=JSend())
    inner = Blueprint("inner", __name__, url_prefix="/inner", envelope=Renumbered())
    plain = Blueprint("plain", __name__, url_prefix="/plain")
    top = Blueprint("top", __name__)
    for blueprint in (top, outer, inner, plain):
        blueprint.get("/tea")(lambda: {"name": "green"})

        @blueprint.get("/coffee/<int:number>")
        def coffee(number):
            raise NotFound("No coffee.", data={"number": [number]})

    outer.register_blueprint(inner)
    outer.register_blueprint(plain)
    app.register_blueprint(top)
    app.register_blueprint(outer)

    @app.get("/broken")
    def broken():
        raise RuntimeError

    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


BARE, JSEND = {"name": "green"}, {"status": "success", "data": {"name": "green"}}


@pytest.mark.parametrize(("prefix", "body", "media_type"), [
    pytest.param("", BARE, "application/problem+json", id="the app's"),
    pytest.param("/outer", JSEND, "application/json", id="a blueprint's own"),
    pytest.param("/outer/inner", BARE, "application/problem+json", id="a nested one's own"),
    pytest.param("/outer/plain", JSEND, "application/json", id="a nested one without: the outer's"),
])  # fmt: skip
def test_the_innermost_envelope_counts(client, prefix, body, media_type):
    assert client.get(f"{prefix}/tea").json == body
    refused = client.get(f"{prefix}/coffee/7")
    assert (refused.status_code, refused.content_type) == (404, media_type)
    Contract(client.application).check(refused)


@pytest.mark.parametrize(("path", "host", "status"), [
    pytest.param("/nowhere", "localhost", 404, id="an unknown path"),
    pytest.param("/broken", "localhost", 500, id="what nobody foresaw"),
    pytest.param("/tea", "evil.example", 400, id="a host that is refused by the crate"),
])  # fmt: skip
def test_what_no_view_answers_is_a_problem_in_a_bare_app(client, path, host, status):
    answer = client.get(path, headers={"Host": host, "X-Request-ID": "one-1"})
    assert answer.status_code == answer.json["status"] == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["instance"] == f"{path}#one-1"


@pytest.mark.parametrize(("path", "instance"), [
    pytest.param("/a b/é?x=1", "/a%20b/%C3%A9", id="letters outside of an address"),
    pytest.param("//evil.example/x", "/evil.example/x", id="what would name a host"),
    pytest.param("/a%0d%0ab", "/a%0D%0Ab", id="line breaks"),
])  # fmt: skip
def test_an_instance_is_a_relative_address(client, path, instance):
    environ = flask.Flask("any").test_request_context(path).request.environ
    if path.startswith("//"):
        environ["PATH_INFO"] = path
    answer = client.open(environ_overrides=environ, headers={"X-Request-ID": "one-1"})
    assert answer.json["instance"] == f"{instance}#one-1"


def test_the_document_describes_a_problem_once(client):
    document = openapi.document_of(client.application)
    problem = document["components"]["schemas"]["Problem"]
    assert problem["properties"]["type"]["const"] == "about:blank"
    answer = document["paths"]["/coffee/{number}"]["get"]["responses"]["404"]["content"]
    reference = {"$ref": "#/components/schemas/Problem"}
    assert answer == {"application/problem+json": {"schema": reference}}
    nested = document["paths"]["/outer/plain/tea"]["get"]["responses"]["default"]["content"]
    assert set(nested) == {"application/json", "application/problem+json"}
