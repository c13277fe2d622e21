"""What callers see of limits, over HTTP."""

from types import SimpleNamespace

import flask
import pytest
from flask.views import MethodView
from marshmallow import fields

from carboy import Blueprint, Carboy, JSend, idempotent, limit, unlimited
from carboy.api.limits.identity import whose
from carboy.api.limits.rates import rates_of
from carboy.errors import SettingsError
from carboy.testing import Contract
from carboy.testing.plugin import carboy_contract  # noqa: F401 - a fixture


def empty():
    def view():
        return {}

    return view


def statuses(get, times, *args, **more):
    return [get(*args, **more).status_code for _ in range(times)]


def test_requests_beyond_the_limit_are_refused_until_the_window_has_moved_on(service, clock):
    @service.app.get("/")
    @limit("3/minute")
    def view():
        return {"here": True}

    assert statuses(service.get, 4) == [200, 200, 200, 429]
    refused = service.get()
    assert refused.json["code"] == "too_many_requests"
    assert refused.json["status"] == "fail"
    clock.now += int(refused.headers["Retry-After"])
    assert service.get().status_code == 200


def test_an_answer_says_where_the_caller_stands(service):
    @service.app.get("/")
    @limit("3/minute", "100/hour", name="api")
    def view():
        return {}

    headers = service.get().headers
    assert headers["RateLimit-Policy"] == '"api";q=3;w=60, "api-2";q=100;w=3600'
    assert headers["RateLimit"].startswith('"api";r=2;t=6')
    assert ', "api-2";r=99;t=36' in headers["RateLimit"]
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("3", "2")
    assert 60 <= int(headers["RateLimit-Reset"]) <= 61
    statuses(service.get, 2)
    refused = service.get().headers
    assert refused["RateLimit-Remaining"] == "0"
    assert 60 <= int(refused["Retry-After"]) <= 61


def test_a_refused_request_counts_in_none_of_its_limits(service, clock):
    @service.app.get("/")
    @limit("2/second", "5/hour")
    def view():
        return {}

    assert statuses(service.get, 20).count(200) == 2
    clock.now += 2
    assert statuses(service.get, 20).count(200) == 2
    clock.now += 2
    assert statuses(service.get, 20).count(200) == 1


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        pytest.param("192.0.2.1", "192.0.2.2", False, id="two IPv4 addresses are two"),
        pytest.param("2001:db8::1", "2001:db8::2:3:4:5", True, id="one IPv6 /64 is one"),
        pytest.param("2001:db8::1", "2001:db8:0:1::1", False, id="two IPv6 /64 are two"),
        pytest.param("::ffff:192.0.2.1", "192.0.2.1", True, id="IPv4 written as IPv6 is IPv4"),
        pytest.param("::ffff:192.0.2.1", "::ffff:192.0.2.2", False, id="mapped ones are two"),
        pytest.param("fe80::1%eth0", "fe80::2%eth0", True, id="a zone is no part of it"),
        pytest.param("not:an:address", "not:an:other", False, id="what is no address is itself"),
    ],
)
def test_clients_are_told_apart_by_network(service, one, other, together):
    @service.app.get("/")
    @limit("1/hour")
    def view():
        return {}

    assert service.get(client=one).status_code == 200
    assert service.get(client=other).status_code == (429 if together else 200)


@pytest.fixture
def signed_in(service):
    """Say who signed in, in the shape that authentication has."""

    def ask():
        name = flask.request.headers.get("Who")
        if name is None:
            return None
        method, _, credential = flask.request.headers.get("How", "session").partition(":")
        flask.request.environ["carboy.caller"] = SimpleNamespace(
            method=method, credential=credential
        )
        return f"user:{name}"

    service.app.extensions["carboy.caller"] = ask

    def get(client, **headers):
        return service.get(client=client, headers=headers).status_code

    return get


@pytest.mark.parametrize(
    ("by", "first", "second", "together"),
    [
        pytest.param("user", ("a", {"Who": "1"}), ("b", {"Who": "1"}), True,
                     id="a user is one from two addresses"),
        pytest.param("user", ("a", {"Who": "1"}), ("a", {"Who": "2"}), False,
                     id="users are told apart at one address"),
        pytest.param("user", ("a", {}), ("b", {}), False, id="unknown ones are so by address"),
        pytest.param("user", ("a", {}), ("a", {}), True, id="unknown ones of one address are one"),
        pytest.param("key", ("a", {"Who": "1", "How": "key:x"}),
                     ("b", {"Who": "1", "How": "key:x"}), True, id="a key is one"),
        pytest.param("key", ("a", {"Who": "1", "How": "key:x"}),
                     ("a", {"Who": "1", "How": "key:y"}), False, id="keys are told apart"),
        pytest.param("key", ("a", {"Who": "1"}), ("a", {"Who": "2"}), True,
                     id="who has no key is counted by address"),
        pytest.param("key", ("a", {}), ("a", {}), True, id="keys that are not valid make no room"),
        pytest.param("client", ("a", {"Who": "1"}), ("a", {"Who": "2"}), True,
                     id="by client it does not matter who it is"),
        pytest.param(lambda: flask.request.headers.get("Who"), ("a", {"Who": "1"}),
                     ("b", {"Who": "1"}), True, id="a function of one's own"),
        pytest.param(lambda: "é" * 5000, ("a", {}), ("b", {}), True, id="whatever it gives"),
        pytest.param(lambda: None, ("a", {}), ("b", {}), False, id="nothing is by address"),
    ],
)  # fmt: skip
def test_by_says_whose_requests_are_counted_together(  # noqa: PLR0917 - columns of the table
    service, signed_in, by, first, second, together
):
    @service.app.get("/")
    @limit("1/hour", by=by)
    def view():
        return {}

    assert signed_in(first[0], **first[1]) == 200
    assert signed_in(second[0], **second[1]) == (429 if together else 200)


def test_without_authentication_users_are_counted_by_address(service):
    with service.app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.9"}):
        assert whose("user") == whose("key") == "client:192.0.2.9"


def test_views_have_counters_of_their_own_unless_they_share_a_name(service):
    for path, name in (("/a", ""), ("/b", ""), ("/c", "shared"), ("/d", "shared")):
        service.app.add_url_rule(path, path[1:], limit("1/hour", name=name)(empty()))
    assert [service.get(path).status_code for path in ("/a", "/b", "/c")] == [200] * 3
    assert service.get("/d").status_code == 429


def test_the_innermost_declaration_holds(make_app):
    app = make_app(RATE_LIMIT="1/hour")
    outer = Blueprint("outer", __name__, url_prefix="/outer", limit="2/hour")
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    own = Blueprint("own", __name__, url_prefix="/own", limit=limit("3/hour"))

    @outer.get("/own")
    @limit("4/hour")
    def of_view():
        return {}

    @outer.get("/free")
    @unlimited
    def free():
        return {}

    for one in (outer, inner, own):
        one.get("/plain", endpoint=f"plain_{one.name}")(empty())
    outer.register_blueprint(inner)
    outer.register_blueprint(own)
    app.register_blueprint(outer)
    app.get("/app")(empty())
    client = app.test_client()
    fitting = {
        path: statuses(client.get, 6, path).count(200)
        for path in ("/app", "/outer/own", "/outer/free", "/outer/own/plain", "/outer/plain",
                     "/outer/inner/plain")
    }  # fmt: skip
    assert fitting == {
        "/app": 1,
        "/outer/own": 4,
        "/outer/free": 6,
        "/outer/own/plain": 3,
        "/outer/plain": 2,
        "/outer/inner/plain": 0,  # its outer blueprint's is used up
    }


@pytest.mark.parametrize(
    ("path", "method", "second"),
    [
        pytest.param("/nowhere", "GET", 429, id="what is not there counts"),
        pytest.param("/", "BREW", 429, id="a method that is not there counts"),
        pytest.param("/static/none.css", "GET", 404, id="static files do not"),
        pytest.param("/health", "GET", 200, id="health is the crate's"),
    ],
)
def test_what_the_default_of_the_app_counts(make_app, path, method, second):
    client = make_app(RATE_LIMIT="1/hour").test_client()
    client.open(path, method=method)
    assert client.open(path, method=method).status_code == second


def test_methods_of_a_class_have_limits_of_their_own(service):
    class View(MethodView):
        @limit("1/hour")
        def get(self):
            return {}

        @limit("1/hour")
        def post(self):
            return {}

        def delete(self):
            return {}

    service.app.add_url_rule("/", view_func=limit("2/hour")(View.as_view("view")))
    assert statuses(service.get, 2, method="GET") == [200, 429]
    assert service.get(method="HEAD").status_code == 429
    assert statuses(service.get, 2, method="POST") == [200, 429]
    assert statuses(service.get, 3, method="DELETE") == [200, 200, 429]


def test_the_body_of_a_refused_request_is_not_looked_at(serve_blueprint):
    api = Blueprint("api", __name__)

    @api.post("/")
    @limit("1/hour")
    @api.input({"name": fields.String(required=True)})
    def view(data):
        return data

    client = serve_blueprint(api)
    assert client.post("/", json={}).status_code == 422
    assert client.post("/", data="no JSON").status_code == 429


@pytest.fixture
def serve_blueprint(make_app):
    def serve(*blueprints, **settings):
        app = make_app(**settings)
        for one in blueprints:
            app.register_blueprint(one)
        return app.test_client()

    return serve


@pytest.mark.parametrize(
    ("when_down", "status"),
    [
        pytest.param("allow", 200, id="allow: served uncounted"),
        pytest.param("refuse", 503, id="refuse: 503 with the time to wait"),
    ],
)
def test_when_counters_are_down_the_limit_decides(service, break_counters, when_down, status):
    @service.app.get("/")
    @limit("100/hour", when_down=when_down)
    def view():
        return {}

    break_counters(service.app)
    answer = service.get()
    assert answer.status_code == status
    assert "RateLimit" not in answer.headers
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_the_document_says_what_is_limited_and_how(make_app, break_counters):
    app = make_app()
    api = Blueprint("api", __name__, limit=limit("1/hour", when_down="refuse"))

    @api.get("/limited")
    @api.output({"name": fields.String()})
    def limited():
        return {"name": "x"}

    @api.get("/free")
    @unlimited
    @api.output({"name": fields.String()})
    def free():
        return {"name": "x"}

    app.register_blueprint(api)
    client = app.test_client()
    paths = client.get("/openapi.json").json["paths"]
    responses = paths["/limited"]["get"]["responses"]
    assert responses["429"]["description"] == "More requests than 1 in 3600 seconds"
    assert responses["429"]["headers"]["Retry-After"]["required"]
    assert responses["503"]["description"] == "Requests cannot be counted at the moment"
    assert {"RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining",
            "RateLimit-Reset"} <= set(responses["200"]["headers"])  # fmt: skip
    assert "429" not in paths["/free"]["get"]["responses"]
    contract = Contract(app)
    for status in (200, 429):
        answer = client.get("/limited")
        assert answer.status_code == status
        contract.check(answer)
    break_counters(app)
    contract.check(client.get("/limited"))


class Remapping(JSend):
    """Sends other statuses than those of the errors."""

    def __init__(self, **statuses):
        self.statuses = {int(name[1:]): sent for name, sent in statuses.items()}


@pytest.mark.parametrize(
    ("statuses", "code", "required"),
    [
        pytest.param({"_429": 403}, "403", True, id="to a status of its own"),
        pytest.param({"_429": 400}, "400", False, id="to one that other errors have too"),
        pytest.param({"_429": 400, "_409": 400}, "400", False, id="together with another wait"),
    ],
)
def test_a_refusal_keeps_its_wait_whatever_status_an_envelope_sends(
    tmp_path,
    carboy_contract,  # noqa: F811 - the fixture
    statuses,
    code,
    required,
):
    app = flask.Flask(__name__, instance_path=str(tmp_path))
    envelope = Remapping(**statuses)
    Carboy(app, {"APP_ENV": "Testing"}, envelope=envelope)
    api = Blueprint("api", __name__, limit="1/hour", idempotency=idempotent())

    @api.post("/limited")
    @api.input({"name": fields.String()})
    @api.output({"name": fields.String()})
    def limited(data):
        return data

    app.register_blueprint(api)
    client = app.test_client()
    responses = client.get("/openapi.json").json["paths"]["/limited"]["post"]["responses"]
    assert "429" not in responses
    assert responses[code]["headers"]["Retry-After"]["required"] is required
    assert client.post("/limited", json={"name": "x"}).status_code == 200
    refused = client.post("/limited", json={"name": "x"})
    assert refused.status_code == int(code)
    assert int(refused.headers["Retry-After"]) > 0
    assert carboy_contract.count == 3


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        pytest.param("100/minute", [(100, 60)], id="so many a minute"),
        pytest.param("20/10 minutes", [(20, 600)], id="in ten minutes"),
        pytest.param("5 per second", [(5, 1)], id="in words"),
        pytest.param("1/day, 2/3hours", [(1, 86_400), (2, 10_800)], id="several"),
    ],
)
def test_rates_are_read(text, rates):
    assert list(rates_of(text)) == rates


@pytest.mark.parametrize("text", ["", "100", "0/minute", "5/0 minutes", "-1/day", "1/week", "x"])
def test_what_is_no_rate_is_refused_naming_it(text):
    with pytest.raises(ValueError, match="is no rate"):
        limit(text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"by": "nobody"}, "by='nobody' is unknown", id="by"),
        pytest.param({"when_down": "hope"}, "when_down='hope' is unknown", id="when_down"),
        pytest.param({"name": 'a"b'}, "cannot stand in a header", id="a quote in the name"),
        pytest.param({"name": "a\r\nb"}, "cannot stand in a header", id="a line end in the name"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        limit("1/minute", **given)


def test_a_limit_without_a_rate_is_refused():
    with pytest.raises(ValueError, match="needs a rate"):
        limit()


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"RATE_LIMIT": "many"}, id="RATE_LIMIT"),
        pytest.param({"RATE_LIMIT_STORAGE": "tape://"}, id="RATE_LIMIT_STORAGE"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_the_start(settings):
    with pytest.raises(SettingsError, match=next(iter(settings))):
        Carboy(flask.Flask("service"), {"APP_ENV": "Testing", **settings})
