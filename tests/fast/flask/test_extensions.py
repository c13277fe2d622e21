"""Packages of others have the same effects on an app of either class."""

import contextvars

import flask
import flask_login
import flask_sqlalchemy
import pytest
import sentry_sdk
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.transport import Transport
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy.fast.flask import Flask

KINDS = {"stock": flask.Flask, "fast": Flask}
REPEATED = 3
"""What is remembered of the first request must serve the next as well."""


def same(effects):
    """Hold the effects on both classes against one another, and give them."""
    stock, fast = (contextvars.copy_context().run(effects, kind) for kind in KINDS.values())
    assert fast == stock
    return fast


def routes(app):
    """Views that answer, fail and are not there."""

    @app.get("/users/<int:number>")
    def user(number):
        return {"number": number}

    @app.get("/fails/<word>")
    def fails(word):
        raise LookupError(word)

    @app.get("/gone")
    def gone():
        flask.abort(410)

    @app.get("/streamed")
    def streamed():
        return flask.Response(flask.stream_with_context(iter(["a", "b"])))


ASKED = ("/users/1", "/users/2", "/nowhere", "/fails/now", "/gone", "/streamed", "/users/3")


@pytest.mark.filterwarnings(
    "ignore:datetime.datetime.utcnow:DeprecationWarning"
)  # its own, on 3.12
def test_flask_login_knows_who_is_there():
    def effects(kind):
        class User(flask_login.UserMixin):
            def __init__(self, name):
                self.id = name

        app = kind(__name__)
        app.secret_key = "k" * 32
        manager = flask_login.LoginManager(app)
        manager.user_loader(User)

        @app.post("/login/<name>")
        def login(name):
            flask_login.login_user(User(name), remember=True)
            return {"hello": name}

        @app.post("/logout")
        def logout():
            flask_login.logout_user()
            return ""

        @app.get("/me")
        @flask_login.login_required
        def me():
            return {"me": flask_login.current_user.id}

        @app.get("/who")
        def who():
            return {"anonymous": flask_login.current_user.is_anonymous}

        ann, bob, nobody = (app.test_client() for _ in range(3))
        seen = []
        for client, name in ((ann, "ann"), (bob, "bob")):
            answered = client.post(f"/login/{name}")
            kept = sorted(value.split("=")[0] for value in answered.headers.getlist("Set-Cookie"))
            seen.append((answered.status, answered.json, kept))
        seen += [
            (one.status, one.json, one.headers.get("Vary"))
            for _ in range(REPEATED)
            for client in (ann, bob, nobody)
            for one in (client.get("/me"), client.get("/who"))
        ]
        bob.delete_cookie("session")  # remembered by the other cookie
        seen.append((bob.get("/me").json, ann.post("/logout").status, ann.get("/me").status))
        return seen

    assert same(effects)[-1] == ({"me": "bob"}, "200 OK", "401 UNAUTHORIZED")


@pytest.mark.parametrize(
    "first", [pytest.param(True, id="before a request"), pytest.param(False, id="at run time")]
)
def test_opentelemetry_records_each_request_with_its_route(first):
    def effects(kind):
        app, spans = kind(__name__), InMemorySpanExporter()
        routes(app)
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        client = app.test_client()
        if not first:
            answered = [client.get(path).status for path in ASKED]
            app._got_first_request = False  # it adds hooks
        FlaskInstrumentor.instrument_app(app, tracer_provider=provider)
        answered = [client.get(path).status for path in ASKED * REPEATED]
        FlaskInstrumentor.uninstrument_app(app)
        recorded = [
            (span.name, span.kind.name, span.status.status_code.name, dict(span.attributes))
            for span in spans.get_finished_spans()
        ]
        for _, _, _, attributes in recorded:
            attributes.pop("net.peer.port", None)
        return answered, recorded

    answered, recorded = same(effects)
    assert len(answered) == len(recorded) == len(ASKED) * REPEATED
    assert recorded[0][0] == "GET /users/<int:number>"


def test_opentelemetry_may_replace_flask_itself(monkeypatch):
    """`carboy.Flask` stays what it was, and apps of the replaced class are recorded."""
    monkeypatch.setattr(flask, "Flask", flask.Flask)
    instrumentor = FlaskInstrumentor()
    instrumentor.instrument(tracer_provider=TracerProvider(), skip_dep_check=True)
    try:
        app = Flask(__name__)
        routes(app)
        assert app.test_client().get("/users/1").json == {"number": 1}
        assert isinstance(app, flask.Flask.__mro__[1])
    finally:
        instrumentor.uninstrument()


class Kept(Transport):
    """What Sentry would have been sent."""

    def __init__(self, options=None):
        super().__init__(options)
        self.envelopes = []

    def capture_envelope(self, envelope):
        self.envelopes.append(envelope)


@pytest.fixture
def _sentry():
    """Sentry's changes to Flask, which it makes once for a process: taken back, and made anew."""
    genuine = flask.Flask.__call__
    signals = (flask.before_render_template, flask.request_started, flask.got_request_exception)
    before = [dict(signal.receivers) for signal in signals]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(flask.Flask, "__call__", genuine)
        for name in ("_processed_integrations", "_installed_integrations"):
            patched.setattr(sentry_sdk.integrations, name, set())
        yield
    for signal, kept in zip(signals, before, strict=True):
        for number in set(signal.receivers) - set(kept):
            signal.disconnect(signal.receivers[number]())


@pytest.mark.usefixtures("_sentry")
@pytest.mark.parametrize("made", ["before", "after"])
def test_sentry_captures_errors_and_transactions(made):
    def effects(kind):
        kept = Kept()
        app = kind(__name__)
        routes(app)
        before = [app.test_client().get("/users/1").status] if made == "before" else []
        sentry_sdk.init(
            dsn="http://key@127.0.0.1/1",
            transport=kept,
            integrations=[FlaskIntegration(transaction_style="url")],
            default_integrations=False,
            auto_enabling_integrations=False,
            traces_sample_rate=1.0,
        )
        client = app.test_client()
        answered = before + [client.get(path).status for path in ASKED * REPEATED]
        sentry_sdk.get_client().close()
        told = []
        for envelope in kept.envelopes:
            event = envelope.get_event() or envelope.get_transaction_event()
            if event is not None:
                error = (event.get("exception") or {}).get("values", [{}])[-1]
                asked = event["request"]["url"], event["request"]["method"]
                told.append((event.get("type"), event["transaction"], asked, error.get("value")))
        return answered, told

    _, told = same(effects)
    route = "/users/<int:number>"
    assert ("transaction", route, ("http://localhost/users/1", "GET"), None) in told
    assert (None, "/fails/<word>", ("http://localhost/fails/now", "GET"), "now") in told


def test_flask_sqlalchemy_has_a_session_for_each_request():
    def effects(kind):
        class Base(DeclarativeBase):
            pass

        app = kind(__name__)
        app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
        database = flask_sqlalchemy.SQLAlchemy(app, model_class=Base)

        class User(database.Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str]

        @app.post("/users/<name>")
        def add(name):
            database.session.add(User(name=name))
            if name != "left":
                database.session.commit()
            else:
                database.session.flush()
            sessions.append(id(database.session()))
            return "", 201

        @app.get("/users")
        def users():
            return [user.name for user in database.session.scalars(database.select(User))]

        @app.get("/users/<int:number>")
        def one(number):
            return {"name": database.get_or_404(User, number).name}

        sessions = []
        with app.app_context():
            database.create_all()
        client = app.test_client()
        asked = [client.post(f"/users/{name}").status for name in ("ann", "left", "bob")]
        shown = [client.get(path) for path in ("/users", "/users/2", "/users/7") * REPEATED]
        left = dict(database.session.registry.registry)
        with app.app_context():
            database.engine.dispose()
        return asked, [(one.status, one.data) for one in shown], left

    _, shown, left = same(effects)
    assert shown[0] == ("200 OK", b'["ann","bob"]\n')
    assert not left
