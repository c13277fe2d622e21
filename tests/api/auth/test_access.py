import asyncio

import flask
import pytest
from flask.views import MethodView
from marshmallow import fields
from sqlalchemy import update

from carboy.api.auth import current_user, public, requires
from carboy.api.auth.access import access_of
from carboy.api.blueprint import Blueprint
from carboy.app import Carboy
from carboy.errors import CarboyError


def closed(**options):
    return Blueprint("closed", __name__, requires=True, **options)


class Things(MethodView):
    decorators = [requires("stock:read")]  # noqa: RUF012 - Flask's way

    def get(self):
        return []

    @requires("orders:write")
    def post(self):
        return {}


def every_kind():
    """Blueprints with a view of every kind, none of them public."""
    outer = closed()
    inner = flask.Blueprint("inner", __name__, url_prefix="/inner")
    deepest = Blueprint("deepest", __name__, url_prefix="/deepest", requires="stock:read")

    @outer.route("/plain", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def plain():
        return "seen"

    @outer.post("/input")
    @outer.input({"name": fields.String(required=True)})
    def with_input(data):
        return data

    @outer.get("/coroutine")
    @requires("orders:read")
    async def coroutine():
        return "seen"

    @inner.get("/flasks-own/<int:number>")
    def flasks_own(number):
        return "seen"

    @deepest.get("/view")
    def view():
        return "seen"

    outer.add_url_rule("/things", view_func=Things.as_view("things"))
    inner.register_blueprint(deepest)
    outer.register_blueprint(inner)
    return outer


def test_a_closed_blueprint_answers_401_to_everybody_whatever_the_view(make_service):
    service = make_service(every_kind())
    asked = 0
    for rule in service.app.url_map.iter_rules():
        if not rule.endpoint.startswith("closed."):
            continue
        path = rule.rule.replace("<int:number>", "1")
        for method in rule.methods:
            answer = service.call(method, path)
            asked += 1
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert b"seen" not in answer.data
    assert asked > 15


def test_every_view_of_the_library_is_closed_or_declared_public(make_service):
    service = make_service()
    views = [rule for rule in service.app.url_map.iter_rules() if rule.endpoint.startswith("auth.")]
    declared = {
        rule.endpoint: access_of(service.app, rule.endpoint, method)
        for rule in views
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert None not in declared.values()
    assert {name for name, access in declared.items() if access.open} == {
        "auth.sign_in",
        "auth.request_reset",
        "auth.reset_password",
        "auth.confirm_email",
    }


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        pytest.param("ada", "GET", "/plain", 200, id="signed in is enough where nothing is said"),
        pytest.param("ada", "GET", "/coroutine", 200, id="a coroutine with the permission"),
        pytest.param("ada", "GET", "/inner/flasks-own/1", 200, id="a view of Flask's blueprint"),
        pytest.param("ada", "GET", "/inner/deepest/view", 403, id="what an inner blueprint wants"),
        pytest.param("clara", "GET", "/inner/deepest/view", 200, id="who has that"),
        pytest.param("ada", "GET", "/things", 403, id="decorators of a class"),
        pytest.param("clara", "GET", "/things", 200, id="who has what the class wants"),
        pytest.param("clara", "POST", "/things", 200, id="class and method, both there"),
        pytest.param("paul", "POST", "/things", 403, id="class and method, one is missing"),
    ],
)
def test_requirements_add_up(make_service, who, method, path, status):
    roles = {
        "customer": {"orders:read", "orders:write"},
        "clerk": {"*"},
        "porter": {"stock:read"},
    }
    service = make_service(every_kind(), roles=roles)
    service.add("ada")
    service.add("clara", role="clerk")
    service.add("paul", role="porter")
    assert service.call(method, path, service.token(who)).status_code == status


def test_a_caller_is_refused_before_inputs_are_read(make_service):
    api = Blueprint("api", __name__)

    @api.post("/above")
    @requires()
    @api.input({"name": fields.String(required=True)})
    def above(data):
        return data

    @api.post("/below")
    @api.input({"name": fields.String(required=True)})
    @requires()
    def below(data):
        return data

    service = make_service(api)
    service.add("ada")
    assert service.call("POST", "/above", json={}).status_code == 401
    assert service.call("POST", "/below", json={}).status_code == 401
    assert service.call("POST", "/below", service.token("ada"), json={}).status_code == 422


def test_a_requirement_holds_where_another_decorator_hides_it(make_service):
    api = Blueprint("api", __name__)

    guarded = requires("stock:read")(lambda: "seen")

    @api.get("/hidden")
    def hidden():
        return guarded()

    service = make_service(api)
    service.add("ada")
    assert service.call("GET", "/hidden").status_code == 401
    assert service.call("GET", "/hidden", service.token("ada")).status_code == 403


def test_a_missing_permission_is_named(service):
    answer = service.call("GET", "/stock", service.token("ada"))
    assert answer.status_code == 403
    assert answer.json["code"] == "insufficient_scope"
    assert (
        answer.headers["WWW-Authenticate"]
        == 'Bearer error="insufficient_scope", scope="stock:read"'
    )


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "bearer nonsense",
        "Bearer a b",
        "Bearer cbs_" + "A" * 43,
        "Bearer cbk_" + "A" * 43,
        "Bearer cbs_" + "A" * 42,
        "Bearer a.b.c",
        "Bearer token, Bearer other",
        "Bearer \xe4",
        "Bearer " + "x" * 5000,
        "Bearer cbs_'; DROP TABLE sessions; --",
    ],
)
def test_a_token_that_is_not_valid_is_always_the_same_answer(service, header):
    answers = [
        service.client.get(path, headers={"Authorization": header}) for path in ("/me", "/welcome")
    ]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.json["code"] == "invalid_token"
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.data == answers[0].data


def test_credentials_of_another_scheme_are_none(service):
    answer = service.call("GET", "/welcome", "YTpi", scheme="Basic")
    assert answer.json["data"] == {"authenticated": False, "id": None}
    assert service.call("GET", "/me", "YTpi", scheme="Basic").json["code"] == "unauthorized"


def test_a_public_view_knows_who_calls(service):
    answer = service.call("GET", "/welcome", service.token("ada"))
    assert answer.json["data"]["authenticated"] is True


def test_another_scheme_can_be_chosen(make_service):
    service = make_service(scheme="Token")
    service.add("ada")
    token = service.token("ada")
    assert service.call("GET", "/me", token, scheme="token").status_code == 200
    refused = service.call("GET", "/me", token, scheme="Bearer")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Token"
    schemes = service.client.get("/openapi.json").json["components"]["securitySchemes"]
    assert schemes["credentials"]["type"] == "apiKey"


def test_one_request_does_not_know_the_caller_of_another(service):
    token = service.token("ada")
    with service.app.app_context():
        assert service.call("GET", "/me", token).status_code == 200
        assert service.call("GET", "/me").status_code == 401


def test_a_bad_token_is_found_out_once(service, monkeypatch):
    gate = service.app.extensions["carboy.auth"]
    calls = []
    genuine = gate.authenticate
    monkeypatch.setattr(gate, "authenticate", lambda of: calls.append(of) or genuine(of))
    with service.app.test_request_context(headers={"Authorization": "Bearer nonsense"}):
        for _ in range(3):
            with pytest.raises(Exception, match="not valid"):
                current_user.can("orders:read")
        assert service.app.extensions["carboy.caller"]() is None
    assert len(calls) == 1


def test_callers_are_told_apart_by_a_text(service, models):
    key = service.app.extensions["carboy.caller"]
    with service.app.test_request_context():
        assert key() is None
        assert not current_user
        assert repr(current_user._get_current_object()) == "<Caller anonymous>"
        assert current_user.user is None
        with pytest.raises(AttributeError, match="no 'email'"):
            _ = current_user.email
    header = {"Authorization": f"Bearer {service.token('ada')}"}
    with service.app.test_request_context(headers=header):
        assert key() == f"user:{current_user.id}"
        assert current_user
        assert current_user.email == "ada@example.com"


def test_an_account_that_is_gone_is_no_caller(service, models):
    header = {"Authorization": f"Bearer {service.token('ada')}"}
    with service.app.test_request_context(headers=header):
        assert current_user.username == "ada"
        session = service.db.session
        session.delete(current_user.user)
        session.commit()
        with pytest.raises(Exception, match="The account is gone"):
            _ = current_user.username
    assert service.call("GET", "/me", header["Authorization"].split()[1]).status_code == 401


def test_a_disabled_account_is_signed_out_and_cannot_sign_in(service, models):
    from carboy.api.auth.tables import now

    token = service.token("ada")
    service.change(update(models.User).values(disabled_at=now()))
    assert service.call("GET", "/me", token).status_code == 401
    assert service.sign_in("ada").status_code == 401


def test_roles_may_be_several_and_unknown_ones_grant_nothing(
    make_service, models, log, monkeypatch
):
    monkeypatch.setattr(models.User, "roles", property(lambda row: row.role.split()), raising=False)
    service = make_service()
    service.add("ada", role="customer clerk wizard")
    found = service.call("GET", "/me", service.token("ada")).json["data"]["permissions"]
    assert found == ["orders:*", "orders:read", "orders:write", "stock:read"]
    assert "wizard" in log.text


def test_without_an_auth_nothing_that_requires_a_caller_is_answered():
    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing"})
    api = closed()
    api.add_url_rule("/closed", view_func=lambda: "seen", endpoint="closed")
    app.register_blueprint(api)
    app.add_url_rule("/guarded", view_func=requires()(lambda: "seen"), endpoint="guarded")
    for path in ("/closed", "/guarded"):
        with pytest.raises(CarboyError, match=r"Make an Auth"):
            app.test_client().get(path)
    with app.test_request_context():
        assert current_user.is_authenticated is False


@pytest.mark.parametrize(
    ("declare", "remedy"),
    [
        pytest.param(lambda: requires(lambda: None), "with parentheses", id="no parentheses"),
        pytest.param(lambda: public(requires()(lambda: 1)), "keep one", id="public and guarded"),
        pytest.param(lambda: requires()(public(lambda: 1)), "keep one", id="guarded and public"),
        pytest.param(lambda: requires()(Things), "decorators of Things", id="a class"),
        pytest.param(lambda: Blueprint("a", "a", requires=False), "leave it out", id="not closed"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(declare, remedy):
    with pytest.raises(TypeError, match=remedy):
        declare()


def test_a_guarded_coroutine_stays_one(make_service):
    service = make_service()
    service.add("ada")

    async def view():
        return "seen"

    header = {"Authorization": f"Bearer {service.token('ada')}"}
    with service.app.test_request_context(headers=header):
        assert asyncio.run(requires()(view)()) == "seen"


def test_the_document_says_who_may_call(service):
    paths = service.client.get("/openapi.json").json["paths"]
    assert paths["/welcome"]["get"]["security"] == []
    assert paths["/sessions"]["post"]["security"] == []
    stock = paths["/stock"]["get"]
    assert stock["security"] == [{"credentials": []}]
    assert "stock:read" in stock["responses"]["403"]["description"]
    assert "WWW-Authenticate" in stock["responses"]["401"]["headers"]
    assert "WWW-Authenticate" in stock["responses"]["403"]["headers"]
    signed_in = paths["/me"]["get"]
    assert signed_in["security"] == [{"credentials": []}]
    assert "401" in signed_in["responses"]
    assert "403" not in signed_in["responses"]  # whoever is signed in may


def test_the_document_is_valid(service):
    from openapi_spec_validator import OpenAPIV31SpecValidator

    OpenAPIV31SpecValidator(service.client.get("/openapi.json").json).validate()
