"""Methods that agents replace are called, whenever they were replaced."""

import inspect

import flask
import pytest
import wrapt
from flask.ctx import AppContext, RequestContext
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.routing.matcher import StateMachineMatcher
from werkzeug.wrappers import Response as WerkzeugResponse

from carboy.fast.flask import Flask

METHODS = (
    *((flask.Flask, name) for name in (
        "__call__", "wsgi_app", "full_dispatch_request", "dispatch_request", "preprocess_request",
        "finalize_request", "process_response", "make_response", "handle_user_exception",
        "handle_exception", "handle_http_exception", "do_teardown_request", "ensure_sync",
        "do_teardown_appcontext", "create_url_adapter", "request_context", "app_context",
        "raise_routing_exception", "make_default_options_response", "_find_error_handler",
        "should_ignore_error", "log_exception", "trap_http_exception",
    )),
    *((RequestContext, name) for name in ("__init__", "push", "pop", "match_request")),
    *((AppContext, name) for name in ("__init__", "push", "pop")),
    *((flask.Request, name) for name in (
        "__init__", "close", "get_data", "get_json", "_load_form_data", "on_json_loading_failed",
    )),
    *((flask.Response, name) for name in (
        "__init__", "__call__", "get_wsgi_headers", "get_wsgi_response", "get_app_iter", "close",
    )),
    (WerkzeugResponse, "force_type"),
    *((DefaultJSONProvider, name) for name in ("dumps", "loads", "response", "default")),
    *((SecureCookieSessionInterface, name) for name in (
        "open_session", "save_session", "should_set_cookie", "get_cookie_name",
    )),
    *((MapAdapter, name) for name in ("match", "dispatch", "get_default_redirect")),
    *((Map, name) for name in ("bind_to_environ", "bind", "update")),
    (StateMachineMatcher, "match"),
    (Rule, "get_converter"),
)  # fmt: skip

ASKED = (
    ("GET", "/users/1"), ("GET", "/users/2"), ("GET", "/static"), ("GET", "/nowhere"),
    ("OPTIONS", "/users/1"), ("POST", "/users/1"), ("GET", "/fails"), ("POST", "/echo"),
    ("GET", "/slash"), ("GET", "/kept"),
    ("GET", "/static"), ("HEAD", "/users/1"), ("GET", "/text"),
)  # fmt: skip


def made(kind):
    app = kind(__name__, static_folder=None)
    app.secret_key = "k" * 32
    app.logger.disabled = True
    app.add_url_rule("/users/<int:number>", "user", lambda number: {"number": number})
    app.add_url_rule("/static", "static", lambda: {"static": True})
    app.add_url_rule("/text", "text", lambda: ("text", 201))
    app.add_url_rule("/fails", "fails", lambda: 1 / 0)
    app.add_url_rule("/slash/", "slash", lambda: "")
    app.add_url_rule("/echo", "echo", lambda: (flask.request.get_json(), 200), methods=["POST"])
    app.add_url_rule("/kept", "kept", lambda: {"n": flask.session.setdefault("n", 1)})
    return app


def asked(app):
    client = app.test_client()
    body = {"a": [1, 2]}
    return [
        (one.status, one.data)
        for method, path in ASKED
        for one in (client.open(path, method=method, json=body if method == "POST" else None),)
    ]


def calls(kind, where, name, when, by):
    """Count the calls of a method that is replaced before the app is made, after, or in between."""
    counted = []
    genuine = getattr(where, name)

    def wrapper(wrapped, instance, args, more):
        counted.append(name)
        return wrapped(*args, **more)

    def counting(*args, **more):
        counted.append(name)
        return genuine(*args, **more)

    with pytest.MonkeyPatch.context() as patched:
        app = made(kind) if when != "before" else None
        before = asked(app) if when == "later" else []
        if by == "wrapt":  # whose wrappers equal what they wrap
            raw = inspect.getattr_static(where, name)
            patched.setattr(where, name, wrapt.FunctionWrapper(raw, wrapper))
        elif isinstance(genuine, type(asked)):
            patched.setattr(where, name, counting)
        else:
            patched.setattr(where, name, classmethod(lambda cls, *args: counting(*args)))
        app = app or made(kind)
        counted.clear()
        seen = before, asked(app), len(counted)
    return *seen, asked(app)


@pytest.mark.parametrize("by", ["function", "wrapt"])
@pytest.mark.parametrize("when", ["before", "after", "later"])
@pytest.mark.parametrize(
    ("where", "name"),
    [pytest.param(*one, id=f"{one[0].__name__}.{one[1]}") for one in METHODS],
)
def test_a_replaced_method_is_called_as_often(where, name, when, by):
    stock, fast = (calls(kind, where, name, when, by) for kind in (flask.Flask, Flask))
    assert fast == stock


@pytest.mark.parametrize("name", [name for where, name in METHODS if where is flask.Flask])
def test_a_replaced_method_of_one_app_is_called_as_often(name):
    def effects(kind):
        app, counted = made(kind), []
        genuine = getattr(app, name)

        def counting(*args, **more):
            counted.append(name)
            return genuine(*args, **more)

        before = asked(app)
        setattr(app, name, counting)
        counted.clear()
        replaced = asked(app), len(counted)
        delattr(app, name)
        return before, replaced, asked(app)

    assert effects(Flask) == effects(flask.Flask)


@pytest.mark.parametrize("name", [name for where, name in METHODS if where is flask.Flask])
def test_an_overridden_method_is_called_as_often(name):
    def effects(kind):
        counted = []

        def counting(self, *args, **more):
            counted.append(name)
            return getattr(kind, name)(self, *args, **more)

        app = made(type("Own", (kind,), {name: counting}))
        counted.clear()
        return asked(app), len(counted)

    assert effects(Flask) == effects(flask.Flask)
