# ruff: noqa: E501, PLW0108 - tables of what is tried
"""Views at random: what they look at, what they change and what they answer."""

import weakref

import flask
from flask.views import MethodView

from .answers import Own, answer, fail
from .trace import KEPT, contexts, note, text

LOOKED_AT = (
    "path", "full_path", "url", "base_url", "root_url", "url_root", "host", "host_url", "script_root", "root_path", "scheme", "method", "args",
    "query_string", "headers", "cookies", "remote_addr", "access_route", "is_secure", "is_json", "mimetype", "content_type", "content_length",
    "content_encoding", "mimetype_params", "accept_mimetypes", "accept_languages", "user_agent", "authorization", "endpoint", "blueprint", "blueprints",
    "url_rule", "view_args", "routing_exception", "max_content_length", "max_form_memory_size", "max_form_parts", "referrer", "origin", "date", "if_none_match",
    "range", "server", "trusted_hosts", "is_multiprocess", "remote_user", "values", "cache_control", "pragma", "shallow", "host", "url", "date", "if_range",
    "want_form_data_parsed", "json_module", "environ", "is_multithread", "max_forwards", "content_md5", "accept_charsets", "access_control_request_headers",
)  # fmt: skip


def seen(value):
    if isinstance(value, dict) and "wsgi.version" in value:
        return sorted(map(str, value))
    if hasattr(value, "dumps"):
        return "a provider"
    return text(list(value)) if type(value).__name__ == "EnvironHeaders" else text(value)


def look(names):
    """Write what a request says of itself; what it refuses is written, too."""
    for name in names:
        try:
            note("request", name, seen(getattr(flask.request, name)))
        except Exception as error:  # noqa: BLE001 - whatever the genuine code raises
            note("request", name, "refused", error)


def count():
    flask.session["n"] = flask.session.get("n", 0) + 1


def later():
    @flask.after_this_request
    def hook(response):
        note("after this", response.status)
        response.headers["X-This"] = "1"
        return response


def worse():
    @flask.after_this_request
    def hook(response):
        note("after this, failing")
        fail(LookupError("after this"))


def nested():
    app = flask.current_app
    with app.test_request_context("/inner?x=1"):
        note("inner", flask.request.path, flask.request.url_rule, contexts())
        flask.session.get("n")
    note("outer", flask.request.path, flask.g.get("x"))


def inner_call():
    """Let the app answer another request in the midst of this one."""
    if flask.request.environ.get("fuzz.inner"):
        return
    answered = flask.current_app.test_client().get("/a", environ_overrides={"fuzz.inner": True})
    note("inner call", answered.status, answered.data, flask.request.path)


def copied():
    @flask.copy_current_request_context
    def inside():
        note("copied", flask.request.path, flask.session.get("n"), flask.g.get("x"))

    inside()


def files():
    given = flask.request.files
    for name, file in given.items():
        note("file", name, file.filename, file.read(10), file.mimetype)
        KEPT.append(file.stream)


def bound(value):
    return text(value)[:200]


TOUCHES = (
    lambda: note("session", dict(flask.session), flask.session.new, flask.session.modified, flask.session.accessed), count, count,
    lambda: flask.session.clear(), lambda: setattr(flask.session, "permanent", True), lambda: flask.session.pop("n", None),
    lambda: setattr(flask.session, "modified", True), lambda: flask.session.setdefault("list", []).append(1), lambda: flask.flash("hé", "info"),
    lambda: note("flashed", flask.get_flashed_messages(with_categories=True)), lambda: setattr(flask.g, "x", flask.request.method),
    lambda: note("g", flask.g.get("x"), "x" in flask.g, sorted(flask.g)), later, worse, nested, inner_call, copied, files,
    lambda: note("url", flask.url_for("view0", v0=1, v1="é", _external=True)), lambda: note("url", flask.url_for(flask.request.endpoint, **flask.request.view_args)),
    lambda: note("url", flask.url_for("absent")), lambda: note("url", flask.url_for(".view0", v0="a", q="b c", _anchor="x")),
    lambda: note("contexts", contexts(), flask.current_app.name, flask.request_started is not None), lambda: setattr(flask.request, "max_content_length", 3),
    lambda: note("adapter", bound(flask.globals.request_ctx.url_adapter.match("/a", method="GET"))), lambda: note("allowed", sorted(flask.globals.request_ctx.url_adapter.allowed_methods())),
    lambda: note("context", flask.globals.request_ctx, flask.globals.app_ctx.url_adapter is None), lambda: flask.request.environ.update(CHANGED="1"),
    lambda: [weakref.ref(one._get_current_object()) for one in (flask.globals.request_ctx, flask.globals.app_ctx, flask.request)],
    lambda: (setattr(flask.globals.request_ctx, "own", 1), setattr(flask.globals.app_ctx, "own", 1)), lambda: note("kinds", isinstance(flask.request._get_current_object(), flask.Request), isinstance(flask.globals.request_ctx._get_current_object(), flask.ctx.RequestContext)),
    lambda: flask.globals.request_ctx.push(), lambda: flask.current_app.app_context().push(),
    lambda: note("request", flask.request._get_current_object()), lambda: setattr(flask.request, "own", 1), lambda: flask.request.view_args.update(more=1),
)  # fmt: skip


READS = (
    lambda: note("json", bound(flask.request.get_json())), lambda: note("json", bound(flask.request.json)),
    lambda: note("json", bound(flask.request.get_json(silent=True))), lambda: note("json", bound(flask.request.get_json(force=True, cache=False))),
    lambda: note("data", bound(flask.request.get_data()), bound(flask.request.form)), lambda: note("data", bound(flask.request.get_data(cache=False)), bound(flask.request.data)),
    lambda: note("data", bound(flask.request.get_data(parse_form_data=True)), bound(flask.request.form)), lambda: note("text", bound(flask.request.get_data(as_text=True))),
    lambda: note("twice", bound(flask.request.get_data()), bound(flask.request.stream.read()), bound(flask.request.get_data())), lambda: note("twice", bound(flask.request.get_json()), bound(flask.request.get_data()), flask.request.json),
    lambda: note("form", bound(flask.request.form), bound(flask.request.values), bound(flask.request.data)),
    lambda: note("stream", bound(flask.request.stream.read(5)), bound(flask.request.stream.read())), lambda: note("stream", bound(flask.request.stream.readline()), bound(flask.request.data)),
)  # fmt: skip


def view(random, name, *, reads=False):
    """Make a view; it says that it ran, and with what. *reads*: certainly what it was sent."""
    given = answer(random)
    touches = [random.choice(TOUCHES) for _ in range(random.choices((0, 1, 2, 3), (9, 4, 2, 1))[0])]
    if reads or random.random() < 0.35:
        touches.insert(
            0, random.choice(random.choice((READS, READS[:4], (files, files, *READS[-3:]))))
        )
    names = random.sample(LOOKED_AT, random.choices((0, 2, 12), (6, 2, 1))[0])

    def run(**values):
        note("view", name, list(values.items()))
        for touch in touches:
            touch()
        look(names)
        return given()

    if random.random() < 0.004:
        return asynchronous(run)
    if random.random() < 0.04:
        return classy(run, name)
    if random.random() < 0.03:
        run.methods, run.provide_automatic_options = (
            ["GET", "PUT"],
            random.choice((True, False, None)),
        )
    elif random.random() < 0.03:
        run.required_methods = ["PATCH"]
    return run


def asynchronous(run):
    async def waits(**values):
        return run(**values)

    return waits


def classy(run, name):
    class View(MethodView):
        init_every_request = len(name) % 2 == 0

        def get(self, **values):
            return run(**values)

        post = get

    return View.as_view(name)


class OwnRequest(flask.Request):
    """A request class of the app's own."""

    @property
    def path(self):
        return "/own" + super().path if "q" in self.args else super().path

    def on_json_loading_failed(self, error):
        note("own loading failed")
        return {"failed": True}


class OwnResponse(flask.Response):
    """A response class of the app's own."""

    default_status = 203

    def get_wsgi_headers(self, environ):
        found = super().get_wsgi_headers(environ)
        found["X-Own"] = "1"
        return found


RESPONSES = (Own, OwnResponse)
