# ruff: noqa: E501 - tables of what is tried
"""Hooks, handlers of errors and receivers of signals at random.

A hook does more than say that it ran when the request carries its number: one app then shows both
what happens without and with it.
"""

import flask
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from .answers import HotTeapot, Teapot, answer, fail
from .trace import contexts, note

TRIGGER = "fuzz.trigger"
TRIGGERS = 6

SIGNALS = (
    flask.request_started, flask.request_finished, flask.request_tearing_down, flask.got_request_exception,
    flask.appcontext_pushed, flask.appcontext_popped, flask.appcontext_tearing_down, flask.template_rendered,
    flask.before_render_template, flask.message_flashed,
)  # fmt: skip


def triggered(number):
    return flask.request.environ.get(TRIGGER) == number


def before(random, name):
    number, given = random.randrange(TRIGGERS), answer(random)
    touch = random.choice((None, None, None, "session", "g", "args", "json", "rule", "lost"))

    def hook():
        asked = flask.request
        note(
            "before",
            name,
            asked.endpoint,
            asked.view_args,
            asked.routing_exception,
            asked.blueprints,
        )
        if touch == "session":
            flask.session["before"] = name
        elif touch == "g":
            flask.g.before = name
        elif touch == "rule" and TRIGGER in asked.environ:
            asked.url_rule = next(flask.current_app.url_map.iter_rules())
        elif touch == "lost" and TRIGGER in asked.environ:
            asked.routing_exception = NotFound("lost")
        elif touch in {"args", "json"}:
            note(touch, asked.args if touch == "args" else asked.get_json(silent=True))
        return given() if triggered(number) else None

    return hook


def after(random, name):
    number = random.randrange(TRIGGERS)
    kind = random.choice(("replace", "raise", "none", "status", "body", "session", "close", "bare"))

    def hook(response):
        note("after", name, response.status, list(response.headers), response.is_streamed)
        response.headers.add("X-After", name)
        if not triggered(number):
            return response
        if kind == "replace":
            return flask.Response("replaced", 203)
        if kind == "raise":
            fail(Teapot("after"))
        elif kind == "none":
            return None
        elif kind == "status":
            response.status_code = 206
        elif kind == "session":
            flask.session["after"] = 1
        elif kind == "close":
            response.call_on_close(lambda: note("closed by a hook"))
        elif kind == "bare":
            response.headers.pop("Content-Length", None)
        else:
            response.set_data(b"from a hook")
        return response

    return hook


def teardown(random, name):
    number = random.randrange(TRIGGERS)

    def hook(error):
        note("teardown", name, error, contexts(), flask.g.get("before"))
        if flask.has_request_context() and triggered(number):
            fail(HotTeapot("teardown"))

    return hook


def values(random, name):
    number = random.randrange(TRIGGERS)

    def hook(endpoint, given):
        note("values", name, endpoint, given)
        if given is not None and triggered(number):
            given.popitem() if given else fail(Teapot("values"))

    return hook


def defaults(random, name):
    def hook(endpoint, given):
        note("defaults", name, endpoint, sorted(given))
        given.setdefault("from", name)

    return hook


def handler(random, name):
    given = answer(random)
    kind = random.choice(("answer", "answer", "brief", "same", "raise", "none"))

    def hook(error):
        note("handler", name, error, getattr(error, "original_exception", None), contexts())
        if kind == "answer":
            return given()
        if kind == "brief":
            return {"error": name}, getattr(error, "code", None) or 500
        if kind == "raise":
            fail(Teapot(f"handler {name}"))
        return error if kind == "same" and isinstance(error, HTTPException) else None

    return hook


HANDLED = (
    404, 404, 405, 500, 400, 403, 418, HTTPException, Exception, Teapot, HotTeapot, ZeroDivisionError, KeyError, NotFound,
    MethodNotAllowed, InternalServerError, RequestRedirect, LookupError, 413,
)  # fmt: skip
KINDS = (
    ("before_request", before), ("after_request", after), ("teardown_request", teardown),
    ("url_value_preprocessor", values), ("url_defaults", defaults),
)  # fmt: skip


def add(random, scaffold, name, chance):
    """Give an app or a blueprint its hooks."""
    for kind, make in KINDS:
        for number in range(2):
            if random.random() < (chance if kind != "url_defaults" else chance / 3):
                getattr(scaffold, kind)(make(random, f"{name}{number}"))
    if isinstance(scaffold, flask.Flask):
        for number in range(2):
            if random.random() < chance:
                scaffold.teardown_appcontext(teardown(random, f"{name} context {number}"))
    elif random.random() < chance / 2:
        scaffold.before_app_request(before(random, f"{name} for all"))
        scaffold.after_app_request(after(random, f"{name} for all"))
    for _ in range(3):
        if random.random() < chance:
            kind = random.choice(HANDLED)
            scaffold.register_error_handler(
                kind, handler(random, f"{name} {getattr(kind, '__name__', kind)}")
            )


def later(random, app):
    """Put a hook where a running app keeps it, or take one away."""
    place, make = random.choice((
        ("before_request_funcs", before), ("after_request_funcs", after), ("teardown_request_funcs", teardown),
        ("url_value_preprocessors", values), ("teardown_appcontext_funcs", teardown),
    ))  # fmt: skip
    held, made = getattr(app, place), make(random, "late")
    if isinstance(held, dict):
        held = held[None]
    if held and random.random() < 0.4:
        held.pop()
    else:
        held.append(made)


def connect(random, app, chance):
    """Connect receivers; the app keeps them alive."""
    for signal in SIGNALS:
        # With a receiver of this one, the lane is left alone.
        rarely = signal is flask.appcontext_pushed
        if random.random() < (chance / 5 if rarely else chance):

            def receiver(sender, _name=signal.name, **given):
                seen = {
                    key: value.status if isinstance(value, flask.Response) else value
                    for key, value in given.items()
                    if key in {"exc", "exception", "response", "message", "category"}
                }
                note("signal", _name, sender is app, sorted(given), seen, contexts())

            app.extensions.setdefault("receivers", []).append((signal, receiver))
            if random.random() < 0.7:
                signal.connect(receiver, app)
            else:
                signal.connect(receiver)


def disconnect(app):
    for signal, receiver in app.extensions.pop("receivers", ()):
        signal.disconnect(receiver)
