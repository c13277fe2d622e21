# ruff: noqa: E501 - tables of what is tried
"""Parts of an app at random: its configuration, and classes and methods of the project's own."""

from copy import copy

import flask
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SecureCookieSessionInterface, SessionInterface

from . import views
from .trace import note, text

CONFIG = (
    ("SECRET_KEY", (None, "k" * 20, "other")), ("SESSION_COOKIE_NAME", ("session", "s")), ("SESSION_COOKIE_PATH", (None, "/a")),
    ("SESSION_REFRESH_EACH_REQUEST", (True, False)), ("TRUSTED_HOSTS", (None, ["localhost"], [".example.com"])),
    ("SERVER_NAME", (None, "localhost:5000", "example.com")), ("APPLICATION_ROOT", ("/", "/root")), ("DEBUG", (True, False)), ("TESTING", (True, False)),
    ("PROPAGATE_EXCEPTIONS", (None, True, False)), ("MAX_CONTENT_LENGTH", (None, 10, 0)), ("TRAP_HTTP_EXCEPTIONS", (True, False)),
    ("TRAP_BAD_REQUEST_ERRORS", (None, True, False)), ("PREFERRED_URL_SCHEME", ("https", "http")), ("SECRET_KEY_FALLBACKS", (None, ["k" * 20])),
    ("SESSION_COOKIE_HTTPONLY", (False, True)), ("SESSION_COOKIE_SAMESITE", ("Lax", None)), ("SESSION_COOKIE_SECURE", (True, False)),
    ("SESSION_COOKIE_DOMAIN", (None, "example.com")), ("MAX_FORM_MEMORY_SIZE", (4, 500_000)), ("MAX_FORM_PARTS", (1, 1000)), ("MAX_COOKIE_SIZE", (4093, 30)),
    ("PROVIDE_AUTOMATIC_OPTIONS", (True, False)), ("SESSION_COOKIE_PARTITIONED", (True, False)), ("PERMANENT_SESSION_LIFETIME", (3600, 60)),
)  # fmt: skip


class OwnSession(SecureCookieSessionInterface):
    """One that says when it is used."""

    def open_session(self, app, request):
        note("open session", request.method, request.url_rule)
        return super().open_session(app, request)

    def save_session(self, app, session, response):
        note("save session", dict(session), response.status)
        super().save_session(app, session, response)


class NullSession(SessionInterface):
    def open_session(self, app, request):
        return None


class OwnJSON(DefaultJSONProvider):
    """JSON of the app's own."""

    sort_keys = False

    def dumps(self, obj, **more):
        note("own dumps", more)
        return super().dumps(obj, **more)


def spaced(value):
    note("default", value)
    if type(value) is object:
        raise TypeError("not this")
    return text(value)


def json_options(random, app):
    setattr(app.json, *random.choice((
        ("sort_keys", False), ("default", spaced), ("sort_keys", False), ("default", spaced), ("sort_keys", True), ("compact", True), ("compact", False), ("ensure_ascii", False), ("mimetype", "application/vnd.api+json"),
        ("default", spaced), ("sort_keys", True), ("compact", None), ("ensure_ascii", True), ("mimetype", "application/json"),
    )))  # fmt: skip


def swap(random, app):
    """Give a running app another part, of the project's own."""
    name, make = random.choice((
        ("session_interface", OwnSession), ("session_interface", NullSession), ("json", lambda: OwnJSON(app)), ("json", lambda: DefaultJSONProvider(app)),
        ("response_class", lambda: random.choice(views.RESPONSES)), ("request_class", lambda: views.OwnRequest), ("session_interface", SecureCookieSessionInterface),
        ("response_class", lambda: flask.Response), ("request_class", lambda: flask.Request), ("app_ctx_globals_class", lambda: type("G", (flask.ctx._AppCtxGlobals,), {"x": "class"})),
    ))  # fmt: skip
    setattr(app, name, make())


OVERRIDDEN = (
    "create_url_adapter", "request_context", "app_context", "full_dispatch_request", "dispatch_request", "preprocess_request", "finalize_request",
    "process_response", "do_teardown_request", "do_teardown_appcontext", "raise_routing_exception", "ensure_sync", "make_response", "wsgi_app",
    "make_default_options_response", "should_ignore_error", "handle_user_exception", "handle_exception", "handle_http_exception", "log_exception",
    "inject_url_defaults", "trap_http_exception", "_find_error_handler", "async_to_sync",
)  # fmt: skip


def told(name, genuine):
    """Wrap a method; it says that it was called."""

    def method(*args, **more):
        note("method", name)
        return genuine(*args, **more)

    return method


def own_class(random, kind):
    """Make a class of the project's own that overrides methods."""
    chosen = random.sample(OVERRIDDEN, random.choice((1, 1, 2)))
    return type("Own", (kind,), {name: told(name, getattr(kind, name)) for name in chosen})


def patch(random, app):
    """Replace a method of one app, as agents do at run time."""
    name = random.choice(OVERRIDDEN)
    if name in vars(app) and random.random() < 0.5:
        delattr(app, name)
    else:
        setattr(app, name, told(name, getattr(app, name)))


def strictness(random, app):
    setattr(
        app.url_map, random.choice(("merge_slashes", "redirect_defaults")), random.random() < 0.5
    )


def configure(random, app):
    """Change the configuration, in one of the ways there are."""
    name, choices = random.choice(CONFIG)
    value, how = copy(random.choice(choices)), random.random()
    if how < 0.6:
        app.config[name] = value
    elif how < 0.7:
        app.config.from_mapping({name: value})
    elif how < 0.8:
        app.config |= {name: value}
    elif how < 0.9:
        app.config = type(app.config)(app.root_path, app.config | {name: value})
    elif app.config["TRUSTED_HOSTS"]:
        app.config["TRUSTED_HOSTS"].append("example.com")


def change(random, app):
    """Change how an app does something."""
    random.choice((swap, json_options, json_options, patch))(random, app)
