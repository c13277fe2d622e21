"""carboy.Flask: what its documentation says."""

from __future__ import annotations

import collections
import functools
import logging
import os
import sys

import flask
import pytest
from flask import g, request, session

import carboy
from carboy.fast.flask import known
from carboy.fast.flask.context import ends_globals, of_globals


@pytest.fixture
def served():
    """Paths that took the lane: Flask's own code was not called for them."""
    paths = []
    ours = carboy.Flask.wsgi_app.__code__
    theirs = super(carboy.Flask, carboy.Flask).wsgi_app.__code__

    def look(frame, event, _):
        if event == "call" and frame.f_code is ours:
            paths.append(frame.f_locals["environ"]["PATH_INFO"])
        elif event == "call" and frame.f_code is theirs:
            paths.pop()

    sys.setprofile(look)
    yield paths
    sys.setprofile(None)


@pytest.fixture
def app():
    app = carboy.Flask(__name__)
    app.secret_key = "a key for tests"

    @app.get("/json")
    def json_view():
        return {"b": 1, "a": [1.5, None, "é"]}

    @app.get("/users/<int:id>")
    def user(id):  # noqa: A002 - the name of the variable
        return {"id": id}

    @app.post("/echo")
    def echo():
        return request.get_json()

    @app.get("/visits")
    def visits():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    return app


def test_the_flask_that_is_installed_is_known():
    """Otherwise the lane is closed without a test that fails."""
    assert known.unknown() is None


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        pytest.param("/json", 200, b'{"a":[1.5,null,"\\u00e9"],"b":1}\n', id="a JSON view"),
        pytest.param("/users/7", 200, b'{"id":7}\n', id="a route with a converter"),
        pytest.param("/nowhere", 404, None, id="a path without a rule"),
    ],
)
def test_ordinary_requests_take_the_lane(app, served, path, status, body):
    answer = app.test_client().get(path)
    assert answer.status_code == status
    assert body is None or answer.data == body
    assert served == [path]


def test_a_body_is_read_once_and_is_still_there(app, served):
    answer = app.test_client().post("/echo", json={"n": 12345678901234567890123})
    assert answer.json == {"n": 12345678901234567890123}
    assert served == ["/echo"]


def test_a_session_lives_from_request_to_request(app):
    client = app.test_client()
    assert [client.get("/visits").text for _ in range(3)] == ["1", "2", "3"]


def test_a_session_that_nobody_touches_is_not_opened(app, monkeypatch):
    opened = []
    monkeypatch.setattr(
        type(app.session_interface), "open_session", lambda self, app, request: opened.append(1)
    )
    app.plain = True  # any attribute
    assert app.closed is not None  # a class was changed: Flask's own code
    app.test_client().get("/json")
    assert opened == [1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda app: setattr(app, "debug", True), "debug mode", id="debug mode"),
        pytest.param(
            lambda app: setattr(app, "full_dispatch_request", lambda: app.make_response("mine")),
            "a full_dispatch_request() of its own",
            id="a method of one app",
        ),
        pytest.param(
            lambda app: setattr(app, "request_class", type("Mine", (flask.Request,), {})),
            "requests are of a class",
            id="a request class",
        ),
        pytest.param(
            lambda app: setattr(app, "response_class", type("Mine", (flask.Response,), {})),
            "responses are of a class",
            id="a response class",
        ),
        pytest.param(
            lambda app: setattr(app, "subdomain_matching", True), "subdomains", id="subdomains"
        ),
    ],
)
def test_what_the_lane_does_not_know_closes_it_at_once(app, served, caplog, change, reason):
    client = app.test_client()
    client.get("/json")
    assert app.closed is None
    caplog.set_level(logging.INFO, "carboy.flask")
    change(app)
    assert client.get("/json").status_code == 200
    assert reason in app.closed
    assert reason in caplog.text
    assert served == ["/json"]


@pytest.mark.skipif("FLASK_CLASS" in os.environ, reason="flask.Flask is carboy.Flask then")
def test_a_method_of_flask_replaced_at_run_time_is_called(app, monkeypatch):
    client = app.test_client()
    assert client.get("/json").status_code == 200
    calls = []
    genuine = flask.Flask.dispatch_request

    def traced(self):
        calls.append(request.path)
        return genuine(self)

    monkeypatch.setattr(flask.Flask, "dispatch_request", traced)
    assert client.get("/json").status_code == 200
    assert calls == ["/json"]
    monkeypatch.undo()
    client.get("/json")
    assert calls == ["/json"]
    assert app.closed is None


def test_hooks_registered_on_a_running_app_are_called(app, served):
    client = app.test_client()
    client.get("/json")
    seen = []
    app.before_request_funcs.setdefault(None, []).append(lambda: setattr(g, "who", "me"))
    app.after_request_funcs.setdefault(None, []).append(
        lambda response: (response.headers.update({"X-Who": g.who}), response)[1]
    )
    app.teardown_request_funcs.setdefault(None, []).append(seen.append)
    answer = client.get("/json")
    assert answer.headers["X-Who"] == "me"
    assert seen == [None]
    assert served == ["/json", "/json"]


def test_a_rule_added_to_a_running_app_is_found(app):
    client = app.test_client()
    assert client.get("/users/later").status_code == 404
    app.url_map.add(flask.Flask.url_rule_class("/users/later", endpoint="json_view"))
    assert client.get("/users/later").status_code == 200


def test_the_rule_that_matched_is_written_where_it_is_asked_for(app):
    written = []
    app.route_key = "test.route"
    app.before_request(lambda: written.append(request.environ.get("test.route")))
    client = app.test_client()
    client.get("/users/7")
    client.get("/nowhere")
    app.config["DEBUG"] = True
    client.get("/users/7")
    assert written == ["/users/<int:id>", None, "/users/<int:id>"]


def test_a_hook_may_choose_the_values(app, served):
    app.before_request(lambda: setattr(request, "view_args", {"id": 8}))
    assert app.test_client().get("/users/7").json == {"id": 8}
    assert served == ["/users/7"]


def test_errors_that_nobody_handles_get_the_response_of_the_app(app):
    app.error_response = lambda error: app.response_class(f"it was {error.code}", error.code)
    client = app.test_client()
    assert client.get("/nowhere").text == "it was 404"
    assert client.post("/json").text == "it was 405"


def test_a_guard_sees_a_request_before_the_hooks_and_may_refuse_it(app):
    order = []

    def guard(asked):
        order.append(f"guard {asked.url_rule}")
        if asked.args:
            flask.abort(429)

    app.guard = guard
    client = app.test_client()
    assert client.get("/json").status_code == 200
    app.before_request_funcs.setdefault(None, []).append(lambda: order.append("hook"))
    assert client.get("/users/7").status_code == 200
    assert client.get("/json?many=1").status_code == 429
    app.config["DEBUG"] = True
    assert client.get("/json?many=1").status_code == 429
    assert order == ["guard /json", "guard /users/<int:id>", "hook", "guard /json", "guard /json"]


def test_a_guard_may_say_that_it_need_not_see_a_rule_and_method_again(app):
    seen = []

    def guard(asked):
        seen.append((asked.method, asked.path))
        return asked.path != "/users/7"

    app.guard = guard
    client = app.test_client()
    for _ in range(2):
        client.get("/json")
        client.head("/json")
        client.get("/users/7")
    user = ("GET", "/users/7")
    assert seen == [("GET", "/json"), ("HEAD", "/json"), user, user]
    app.guard = lambda asked: flask.abort(429)
    assert client.get("/json").status_code == 429


def test_what_tears_down_globals_is_not_called_when_nobody_touched_them(app, served):
    called = []
    client = app.test_client()
    app.add_url_rule("/g", "g", lambda: str(setattr(g, "who", "me")))
    app.add_url_rule("/error", "error", lambda: {}["missing"])
    app.teardown_appcontext(of_globals(lambda error: called.append(g.get("who"))))
    for path in ("/json", "/json", "/g", "/error", "/users/7"):
        client.get(path)
    # The first one is called: what it is was not known yet.
    assert called == [None, "me", None]
    app.teardown_appcontext_funcs.append(lambda error: called.append("another"))
    client.get("/json")
    client.get("/json")
    assert called[3:] == ["another", None] * 2
    assert len(served) == 7


def test_the_mark_of_what_tears_down_globals_is_not_inherited_by_wrappers():
    marked = of_globals(lambda error: None)
    assert ends_globals(marked)
    assert not ends_globals(functools.wraps(marked)(lambda error: None))


def test_a_request_is_made_also_after_its_end(app):
    contexts = []
    app.add_url_rule(
        "/kept",
        "kept",
        lambda: str(contexts.append(flask.globals.request_ctx._get_current_object())),
    )
    client = app.test_client()
    client.get("/kept?a=1")
    (context,) = contexts
    assert (context.request.path, context.request.args["a"]) == ("/kept", "1")
    assert context.request.url_rule.endpoint == "kept"
    assert context.request.environ["werkzeug.request"] is None
    assert context._cv_tokens == []


def test_an_error_that_no_handler_took_may_be_answered_instead_of_raised(app):
    app.add_url_rule("/fails", "fails", lambda: {}["missing"])
    app.unhandled = lambda error: (
        (f"no {error.args[0]}", 503) if isinstance(error, KeyError) else None
    )
    client = app.test_client()
    answer = client.get("/fails")
    assert (answer.status_code, answer.text) == (503, "no missing")
    app.unhandled = lambda error: None
    assert client.get("/fails").status_code == 500


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"n": 1e16}, id="a float with an exponent"),
        pytest.param({"n": float("nan")}, id="NaN"),
        pytest.param([{"n": 1.5}, {"n": 1e16}], id="a float with an exponent, in an object"),
        pytest.param([{"n": 1}, {"n": [1.5, {}]}], id="a list in an object in a list"),
        pytest.param({"n": 2**64}, id="a large integer"),
        pytest.param({"n": "\x7f"}, id="a control character that only one of them escapes"),
        pytest.param({"n": "\ud800"}, id="a lone surrogate"),
        pytest.param({1: "a", 2: "b"}, id="keys that are numbers"),
        pytest.param({"n": (1, [2, {"é": None}])}, id="data within data"),
        pytest.param(["a", True, 0.0001, -0.0], id="a list"),
    ],
)
def test_json_is_written_as_flask_writes_it(value):
    bodies = []
    for kind in (flask.Flask, carboy.Flask):
        app = kind(__name__)
        app.add_url_rule("/", "value", lambda: value)
        bodies.append(app.test_client().get("/").data)
    assert bodies[0] == bodies[1]


def _rule(path, **options):
    return lambda app: app.add_url_rule(path, "odd", lambda **values: "odd", **options)


def _lax(app):
    app.url_map.strict_slashes = 0
    _rule("/odd/")(app)


def _methods(kind):
    def change(app):
        _rule("/odd")(app)
        for rule in app.url_map.iter_rules("odd"):
            rule.methods = kind(rule.methods)

    return change


def _values(app):
    _rule("/odd/<x>")(app)
    app.add_url_rule("/other/<x>", "other", lambda x: f"other {x}")

    @app.before_request
    def elsewhere():
        request.url_rule = next(app.url_map.iter_rules("other"))
        request.view_args = collections.UserDict(x="1")


# What annotations do not allow and Flask does: machine code holds to annotations.
@pytest.mark.parametrize(
    ("change", "paths"),
    [
        pytest.param(_rule("/odd/", build_only=0), ["/odd", "/odd/"], id="build_only=0"),
        pytest.param(_rule("/odd/", alias=None), ["/odd", "/odd/"], id="alias=None"),
        pytest.param(_rule("/odd/", websocket=0), ["/odd", "/odd/"], id="websocket=0"),
        pytest.param(_rule("/odd/", strict_slashes=0), ["/odd", "/odd/"], id="strict_slashes=0"),
        pytest.param(_rule("/odd/", strict_slashes=1), ["/odd", "/odd/"], id="strict_slashes=1"),
        pytest.param(_lax, ["/odd", "/odd/"], id="all rules lax"),
        pytest.param(_rule("/<int(fixed_digits=None):n>"), ["/7"], id="fixed_digits=None"),
        pytest.param(_rule("/<int(min=0.5):n>"), ["/0", "/7"], id="a lower bound with a fraction"),
        pytest.param(_rule("/<int(max=9.5):n>"), ["/7", "/10"], id="an upper one"),
        pytest.param(_methods(frozenset), ["/odd"], id="frozen methods"),
        pytest.param(_methods(list), ["/odd"], id="a list of methods"),
        pytest.param(_values, ["/odd/0"], id="values that are no dictionary"),
    ],
)
def test_what_is_odd_is_as_with_flask(change, paths):
    answers = []
    for kind in (flask.Flask, carboy.Flask):
        app = kind(__name__)
        change(app)
        answers.append(
            [
                (answer.status, answer.headers.to_wsgi_list(), answer.data)
                for answer in map(app.test_client().get, paths)
            ]
        )
    assert answers[0] == answers[1]
    assert "500" not in str(answers)


@pytest.mark.parametrize("option", ["subdomain_matching", "host_matching"])
@pytest.mark.parametrize("value", [None, 0, ""])
def test_what_is_not_matched_may_be_said_in_any_way(option, value, served):
    app = carboy.Flask(__name__, static_folder=None, **{option: value})
    app.add_url_rule("/", view_func=lambda: "found")
    assert app.test_client().get("/").text == "found"
    assert served == ["/"]


def test_what_stands_for_wsgi_app_is_called_in_its_place(monkeypatch):
    genuine, asked = carboy.Flask.wsgi_app, []

    def traced(self, environ, start_response):
        asked.append(environ["PATH_INFO"])
        return genuine(self, environ, start_response)

    app = carboy.Flask(__name__, static_folder=None)
    assert app.quickest != app.wsgi_app
    monkeypatch.setattr(carboy.Flask, "wsgi_app", traced)
    assert app.quickest == app.wsgi_app
    monkeypatch.undo()
    app.wsgi_app = functools.partial(traced, app)
    assert app.quickest is app.wsgi_app
