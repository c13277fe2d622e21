"""A request that is sent twice: one effect, one answer, and no way to get another's."""

from __future__ import annotations

import datetime as dt
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import flask
import pytest
from flask.views import MethodView
from marshmallow import Schema, fields
from sqlalchemy import func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy import Blueprint, Carboy, Database, IdempotencyKeyMixin, Settings, idempotent
from carboy.errors import CarboyError, Conflict, InternalError
from carboy.testing import fresh_database

DEADLINE_S = 30
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"


class Model(DeclarativeBase):
    pass


class Payment(Model):
    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int]


class IdempotencyKey(IdempotencyKeyMixin, Model):
    __tablename__ = "idempotency_keys"


class PaymentIn(Schema):
    amount = fields.Integer(required=True)


class PaymentOut(Schema):
    id = fields.Integer()
    amount = fields.Integer()


db = Database(Model)


def pay(amount=1):
    payment = Payment(amount=amount)
    db.session.add(payment)
    db.session.commit()
    return payment


@pytest.fixture
def api():
    return Blueprint("api", __name__)


@pytest.fixture
def serve(tmp_path):
    """Serve blueprints on a database of their own; count what the views did."""
    with fresh_database() as url:
        opened = []

        def serve(*blueprints, **settings):
            app = flask.Flask(__name__, instance_path=str(tmp_path))
            Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": url, **settings})
            db.init_app(app)
            for blueprint in blueprints:
                app.register_blueprint(blueprint)
            opened.append(app)
            with app.app_context():
                Model.metadata.create_all(db.engine)
            return service(app)

        yield serve
        for app in opened:
            with app.app_context():
                db.engine.dispose()


def service(app):
    client = app.test_client()

    def post(path="/payments", key=KEY, *, method="POST", headers=(), **given):
        headers = dict(headers) | ({} if key is None else {"Idempotency-Key": key})
        given = given or {"json": {"amount": 1}}
        return client.open(path, method=method, headers=headers, **given)

    def count(model=Payment):
        with app.app_context():
            return db.session.scalar(select(func.count()).select_from(model))

    return SimpleNamespace(app=app, client=client, post=post, count=count)


@pytest.fixture
def payments(api, serve):
    """The ordinary case."""

    @api.post("/payments")
    @idempotent()
    @api.input(PaymentIn)
    @api.output(PaymentOut, 201)
    def create(data):
        payment = pay(**data)
        return payment, {"Location": f"/payments/{payment.id}", "ETag": f'"{payment.id}"'}

    return serve(api)


def test_a_retry_gets_the_first_answer_byte_for_byte(payments):
    first, second = payments.post(), payments.post()
    assert (second.status, second.data) == (first.status, first.data) == ("201 CREATED", first.data)
    own = {"X-Request-ID", "Idempotency-Replayed"}
    headers = [{k: v for k, v in each.headers if k not in own} for each in (first, second)]
    assert headers[0] == headers[1]
    assert headers[0]["Location"] == "/payments/1"
    assert headers[0]["ETag"] == '"1"'
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert payments.count() == 1


def test_without_a_key_every_request_acts(payments):
    assert [payments.post(key=None).json["data"]["id"] for _ in range(2)] == [1, 2]
    assert payments.count(IdempotencyKey) == 0


def test_another_key_is_another_request(payments):
    assert [payments.post(key=key).json["data"]["id"] for key in ("a", "b")] == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"json": {"amount": 2}}, id="another body"),
        pytest.param({"path": "/payments?more=1"}, id="another query"),
        pytest.param(
            {"data": '{"amount": 1}', "content_type": "application/x+json"}, id="another type"
        ),
    ],
)
def test_a_key_used_for_something_else_is_refused(payments, other):
    payments.post()
    refused = payments.post(**other)
    assert refused.status_code == 422
    assert refused.json["code"] == "idempotency_key_reused"
    assert refused.json["data"] == {"Idempotency-Key": ["Was used for another request."]}
    assert payments.count() == 1


@pytest.mark.parametrize("place", ["above the inputs", "below the output", "between"])
def test_the_decorator_works_anywhere_below_the_route(api, serve, place):
    stack = [api.output(PaymentOut, 201), api.input(PaymentIn)]
    stack.insert({"above the inputs": 2, "below the output": 0, "between": 1}[place], idempotent())

    def create(data):
        return pay(**data)

    for decorator in stack:
        create = decorator(create)
    api.post("/payments")(create)
    service = serve(api)
    assert service.post().json == service.post().json
    assert service.count() == 1


@pytest.mark.parametrize(
    ("key", "status"),
    [
        pytest.param("k", 201, id="one character: taken"),
        pytest.param("k" * 255, 201, id="255 characters: taken"),
        pytest.param(f'"{KEY}"', 201, id="in quotes, as the draft has it: taken"),
        pytest.param("a:b;c=d/e+f", 201, id="punctuation: taken"),
        pytest.param("k" * 256, 400, id="256 characters: refused"),
        pytest.param("", 400, id="empty: refused"),
        pytest.param('""', 400, id="empty in quotes: refused"),
        pytest.param('"half', 400, id="one quote: refused"),
        pytest.param("a b", 400, id="a space inside: refused"),
        pytest.param("a,b", 400, id="a comma, as two headers make it: refused"),
        pytest.param("a\\b", 400, id="a backslash: refused"),
        pytest.param("schlüssel", 400, id="beyond ASCII: refused"),
        pytest.param("a\tb", 400, id="a control character: refused"),
        pytest.param(None, 201, id="none: not needed"),
    ],
)
def test_a_key_is_one_short_word(payments, key, status):
    answer = payments.post(key=key)
    assert answer.status_code == status
    assert payments.count() == (status == 201)
    assert status == 201 or answer.json["code"] == "idempotency_key_malformed"


def test_quotes_do_not_make_another_key(payments):
    assert payments.post(key=KEY).data == payments.post(key=f'"{KEY}"').data


def test_a_missing_key_is_refused_where_it_is_required(api, serve):
    @api.post("/payments")
    @idempotent(required=True)
    def create():
        return {"id": pay().id}

    service = serve(api)
    refused = service.post(key=None)
    assert (refused.status_code, refused.json["code"]) == (400, "idempotency_key_missing")
    assert service.post().status_code == 200
    assert service.count() == 1


def outcome_of(api, commits, result):
    @api.post("/payments")
    @idempotent()
    def create():
        if commits:
            pay()
        else:
            db.session.add(Payment(amount=1))
            db.session.flush()
        if isinstance(result, Exception):
            raise result
        return {"n": 1}, result


@pytest.mark.parametrize(
    ("commits", "result", "kept"),
    [
        pytest.param(True, 201, True, id="a success that committed: kept"),
        pytest.param(False, 200, True, id="a success without a commit: kept, without effect"),
        pytest.param(True, 303, True, id="a redirect: kept"),
        pytest.param(False, 409, False, id="a refusal returned before any commit: not kept"),
        pytest.param(False, Conflict(), False, id="a refusal raised before any commit: not kept"),
        pytest.param(True, 409, True, id="a refusal returned after a commit: kept with it"),
        pytest.param(True, Conflict(), True, id="a refusal raised after a commit: kept with it"),
        pytest.param(True, 503, False, id="a failure returned: not kept, the commit undone"),
        pytest.param(True, InternalError(), False, id="a failure raised: the commit undone"),
    ],
)
def test_the_answer_is_kept_with_the_effect_or_neither_is(api, serve, commits, result, kept):
    outcome_of(api, commits, result)
    service = serve(api)
    first, second = service.post(), service.post()
    assert first.status_code == (result if isinstance(result, int) else result.status)
    assert (second.status, second.data) == (first.status, first.data)
    assert ("Idempotency-Replayed" in second.headers) is kept
    assert service.count(IdempotencyKey) == kept
    assert service.count() == (kept and commits)


def test_a_crash_after_a_commit_undoes_it_and_frees_the_key(api, serve):
    broken = [True]

    @api.post("/payments")
    @idempotent()
    def create():
        pay()
        if broken:
            raise ZeroDivisionError(broken.pop())
        return {}

    service = serve(api, TESTING=False)
    assert service.post().status_code == 500
    assert service.count() == 0
    assert service.post().status_code == 200
    assert service.count() == 1


def test_an_invalid_request_does_not_use_up_its_key(payments):
    assert payments.post(json={"amount": "x"}).status_code == 422
    assert payments.post().status_code == 201


def test_a_view_may_roll_back_and_go_on(api, serve):
    @api.post("/payments")
    @idempotent()
    def create():
        pay()
        db.session.add(Payment(amount=100))
        db.session.rollback()
        with db.session.begin_nested():
            db.session.add(Payment(amount=2))
        db.session.commit()
        return {"count": db.session.scalar(select(func.count()).select_from(Payment))}

    service = serve(api)
    assert service.post().json["data"] == {"count": 2}
    assert service.count() == 2


def test_a_savepoint_alone_is_no_commit(api, serve):
    @api.post("/payments")
    @idempotent()
    def create():
        with db.session.begin_nested():
            db.session.add(Payment(amount=2))
        raise Conflict

    service = serve(api)
    assert service.post().status_code == 409
    assert service.count(IdempotencyKey) == service.count() == 0


def test_what_was_loaded_before_the_view_can_be_used_in_it(api, serve):
    """As the account of the caller is."""

    @api.before_request
    def load():
        flask.g.payment = db.session.scalar(select(Payment)) or Payment(amount=0)
        db.session.add(flask.g.payment)

    @api.post("/payments")
    @idempotent()
    def create():
        flask.g.payment.amount += 5
        db.session.commit()
        return {"amount": flask.g.payment.amount}

    @api.after_request
    def look(response):
        response.headers["X-Amount"] = str(flask.g.payment.amount)
        return response

    service = serve(api)
    assert [service.post().json["data"]["amount"] for _ in range(2)] == [5, 5]
    assert service.post(key="other").headers["X-Amount"] == "10"


def named(name):
    return {"X-User": name}


@pytest.mark.parametrize(
    ("ask", "one", "two"),
    [
        pytest.param("argument", named("ann"), named("bob"), id="by a function of the view"),
        pytest.param("app", named("ann"), named("bob"), id="by the app's authentication"),
        pytest.param("app", named("ann"), {}, id="one signed in, one not"),
        pytest.param(
            None, {"Authorization": "Bearer a"}, {"Authorization": "Bearer b"}, id="by credentials"
        ),
        pytest.param(None, {"X-API-Key": "a"}, {"X-API-Key": "b"}, id="by API key"),
        pytest.param("app", named("x" * 500), named("x" * 501), id="by a very long name"),
    ],
)
def test_two_callers_with_one_key_do_not_see_each_others_answers(api, serve, ask, one, two):
    def caller():
        return flask.request.headers.get("X-User")

    @api.post("/payments")
    @idempotent(caller=caller if ask == "argument" else None)
    def create():
        return {"id": pay().id}

    service = serve(api)
    if ask == "app":
        service.app.extensions["carboy.caller"] = caller
    answers = [service.post(headers=each).json["data"]["id"] for each in (one, two, one, two)]
    assert answers == [1, 2, 1, 2]
    with service.app.app_context():
        stored = db.session.scalars(select(IdempotencyKey.caller)).all()
    assert all("Bearer" not in caller and len(caller) <= 128 for caller in stored)


def test_strangers_are_told_apart_by_their_address(payments):
    client = payments.app.test_client()
    for address, expected in (("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.1", 1)):
        answer = client.post(
            "/payments", json={"amount": 1}, headers={"Idempotency-Key": KEY},
            environ_base={"REMOTE_ADDR": address},
        )  # fmt: skip
        assert answer.json["data"]["id"] == expected


def test_two_uploads_are_the_same_when_their_fields_and_files_are(api, serve):
    @api.post("/payments")
    @idempotent()
    @api.input({"note": fields.String()}, "form")
    @api.input({"file": fields.Raw()}, "files")
    def create(data, files):
        return {"id": pay().id, "size": len(files["file"].read())}

    def upload(content, note="n"):
        data = {"note": note, "file": (io.BytesIO(content), "a.txt")}
        return service.post(data=data)

    service = serve(api)
    first, second = upload(b"x" * 100_000), upload(b"x" * 100_000)
    assert first.json["data"] == second.json["data"] == {"id": 1, "size": 100_000}
    assert upload(b"y" * 100_000).status_code == 422
    assert upload(b"x" * 100_000, "other").status_code == 422


@pytest.mark.parametrize("stream", ["generator", "response"])
def test_a_streamed_answer_is_refused_and_its_effect_undone(api, serve, stream):
    @api.post("/payments")
    @idempotent()
    def create():
        pay()
        parts = iter(["a", "b"])
        return flask.Response(parts) if stream == "response" else flask.stream_with_context(parts)

    service = serve(api)
    with pytest.raises(TypeError, match="POST /payments is idempotent and its answer is streamed"):
        service.post()
    assert service.count() == 0
    assert service.post(key=None).text == "ab"


def test_a_generator_is_refused_at_once():
    def lines():
        yield "a"

    with pytest.raises(TypeError, match="streams its answer"):
        idempotent()(lines)


def test_it_is_declared_once():
    @idempotent()
    def view(): ...

    with pytest.raises(TypeError, match="twice"):
        idempotent(required=True)(view)


def test_a_blueprint_sets_the_default(serve):
    api = Blueprint("api", __name__, idempotency=idempotent(required=True))

    @api.route("/payments", methods=["GET", "POST"])
    def payments():
        return {"id": pay().id if flask.request.method == "POST" else 0}

    @api.post("/free")
    @idempotent(ignored=True)
    def free():
        return {"id": pay().id}

    @api.post("/optional")
    @idempotent()
    def optional():
        return {"id": pay().id}

    class Class(MethodView):
        def put(self):
            return {"id": pay().id}

        @idempotent()
        def post(self):
            return {"id": pay().id}

    api.add_url_rule("/class", view_func=Class.as_view("class"))
    service = serve(api)
    assert service.client.get("/payments").status_code == 200
    assert service.post(key=None).status_code == 400
    assert service.post().data == service.post().data
    assert service.post("/free").data != service.post("/free").data
    assert service.post("/optional", key=None).status_code == 200
    assert service.post("/class", key=None, method="PUT").status_code == 400
    first = service.post("/class", "put", method="PUT")
    assert service.post("/class", "put", method="PUT").data == first.data
    assert service.post("/class", key=None).status_code == 200
    assert service.post("/class", "post").data == service.post("/class", "post").data


def test_a_default_is_that_of_one_blueprint(serve):
    def create():
        return {"id": pay().id}

    strict = Blueprint("strict", __name__, idempotency=idempotent(required=True))
    ignored = Blueprint("ignored", __name__, idempotency=idempotent(ignored=True))
    plain = Blueprint("plain", __name__)
    create = plain.output(PaymentOut)(create)
    for blueprint in (strict, ignored, plain):
        blueprint.post(f"/{blueprint.name}")(create)
    service = serve(strict, ignored, plain)
    keyless = [
        service.post(f"/{name}", key=None).status_code for name in ("strict", "ignored", "plain")
    ]
    assert keyless == [400, 200, 200]
    assert service.post("/strict").data == service.post("/strict").data


def test_who_may_call_is_decided_before_a_replay(serve):
    from functools import wraps

    from carboy.errors import Forbidden

    allowed = [True]
    api = Blueprint("api", __name__, idempotency=idempotent())

    def closed(view):
        @wraps(view)
        def checked(*args, **kwargs):
            if not allowed:
                raise Forbidden
            return view(*args, **kwargs)

        return checked

    @api.post("/payments")
    @closed
    @api.output(PaymentOut, 201)
    def create():
        return pay()

    service = serve(api)
    assert [service.post().status_code for _ in range(2)] == [201, 201]
    allowed.clear()
    assert service.post().status_code == 403


def test_a_coroutine_is_kept_too(api, serve):
    pytest.importorskip("asgiref")

    @api.post("/payments")
    @idempotent()
    async def create():
        return {"id": pay().id}

    service = serve(api)
    assert service.post().data == service.post().data


def test_a_request_of_a_key_in_use_is_refused_at_once(api, serve):
    inside, finish = threading.Event(), threading.Event()

    @api.post("/payments")
    @idempotent()
    def create():
        inside.set()
        assert finish.wait(DEADLINE_S)
        return {"id": pay().id}

    service = serve(api)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(service.post)
        assert inside.wait(DEADLINE_S)
        refused = service.app.test_client().post("/payments", json={"amount": 1},
                                                 headers={"Idempotency-Key": KEY})  # fmt: skip
        finish.set()
        first = first.result(DEADLINE_S)
    assert (refused.status_code, refused.json["code"]) == (409, "idempotency_key_in_use")
    assert refused.headers["Retry-After"] == "1"
    assert service.post().data == first.data
    assert service.count() == 1


def test_an_answer_that_came_in_between_is_not_overwritten(api, serve):
    @api.post("/payments")
    @idempotent(caller=lambda: "ann")
    def create():
        pay()
        db.session.add(IdempotencyKey(
            caller="caller:ann", key=KEY, operation="", fingerprint="", status=200, headers="[]",
            body=b"", created_at=dt.datetime.now(dt.UTC),
        ))  # fmt: skip
        db.session.commit()
        return {}

    service = serve(api)
    assert service.post().status_code == 409
    assert service.count() == service.count(IdempotencyKey) == 0


def age(service, days):
    with service.app.app_context():
        then = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
        db.session.execute(update(IdempotencyKey).values(created_at=then))
        db.session.commit()


@pytest.mark.parametrize(
    ("ttl_days", "again"),
    [
        pytest.param(3, 1, id="younger than the setting: the first answer"),
        pytest.param(1, 2, id="older: a request like any other"),
    ],
)
def test_a_key_lives_as_long_as_the_setting_says(api, serve, ttl_days, again):
    @api.post("/payments")
    @idempotent()
    def create():
        return {"id": pay().id}

    service = serve(api, IDEMPOTENCY_TTL_S=ttl_days * 86_400)
    service.post()
    age(service, 2)
    assert service.post().json["data"]["id"] == again
    assert service.count(IdempotencyKey) == 1


def test_requests_remove_what_has_expired_little_by_little(payments):
    for number in range(15):
        payments.post(key=f"old-{number}")
    age(payments, 2)
    payments.post(key="first")
    assert payments.count(IdempotencyKey) == 6
    payments.post(key="second")
    assert payments.count(IdempotencyKey) == 2


def test_a_command_removes_what_has_expired(payments, monkeypatch):
    monkeypatch.setattr("carboy.api.idempotency.commands._BATCH", 2)
    for number in range(5):
        payments.post(key=f"old-{number}")
    age(payments, 2)
    with payments.app.app_context():
        db.session.execute(update(IdempotencyKey).where(IdempotencyKey.key == "old-0")
                           .values(created_at=dt.datetime.now(dt.UTC)))  # fmt: skip
        db.session.commit()
    runner = payments.app.test_cli_runner()
    assert runner.invoke(args=["idempotency", "prune"]).output == "4 expired answers removed.\n"
    assert runner.invoke(args=["idempotency", "prune"]).output == "0 expired answers removed.\n"
    assert payments.count(IdempotencyKey) == 1


def test_an_isolated_test_leaves_nothing(payments):
    with db.test_isolation(payments.app):
        assert payments.post().data == payments.post().data
        assert payments.count() == 1
    assert payments.count() == payments.count(IdempotencyKey) == 0


def test_an_app_without_a_table_does_not_start(tmp_path):
    class Bare(DeclarativeBase):
        pass

    api = Blueprint("api", __name__, idempotency=idempotent())

    @api.post("/payments")
    def create():
        return {}

    app = flask.Flask(__name__, instance_path=str(tmp_path))
    Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": "sqlite://"})
    app.register_blueprint(api)
    [start] = app.extensions["carboy.start"]
    with pytest.raises(CarboyError, match=r"no carboy\.Database"):
        start()
    Database(Bare).init_app(app)
    with pytest.raises(CarboyError, match="class IdempotencyKey"):
        start()
    with pytest.raises(CarboyError, match="class IdempotencyKey"):
        app.test_client().post("/payments", headers={"Idempotency-Key": KEY})


def test_a_project_may_add_columns_in_a_mixin_of_its_own():
    class Base(DeclarativeBase):
        pass

    class Own(IdempotencyKeyMixin):
        note: Mapped[str | None]

    assert Base.metadata.info == {}

    class Key(Own, Base):
        __tablename__ = "keys"

    assert Base.metadata.info == {"carboy.idempotency": Key.__table__}
    assert "note" in Key.__table__.columns


def test_the_setting_is_declared():
    assert Settings.load(environ={}).IDEMPOTENCY_TTL_S == 86_400


def document(service):
    return service.app.test_client().get("/openapi.json").json


def test_the_document_says_what_the_header_does(serve):
    api = Blueprint("api", __name__, idempotency=idempotent(required=True))

    @api.route("/payments", methods=["GET", "POST"])
    @api.input(PaymentIn)
    @api.output(PaymentOut, 201)
    @api.doc(errors={409: "Too many payments."})
    def payments(data):
        return pay(**data)

    @api.post("/optional")
    @idempotent()
    def optional():
        return {}

    @api.post("/free")
    @idempotent(ignored=True)
    def free():
        return {}

    paths = document(serve(api, API_DOCS=True))["paths"]
    post = paths["/payments"]["post"]
    [header] = post["parameters"]
    assert (header["name"], header["in"], header["required"]) == ("Idempotency-Key", "header", True)
    described = {status: each["description"] for status, each in post["responses"].items()}
    assert described["409"].startswith("Too many payments., or: A request with this")
    assert "malformed" in described["400"]
    assert "another request" in described["422"]
    assert "Retry-After" in post["responses"]["409"]["headers"]
    assert "Idempotency-Replayed" in post["responses"]["201"]["headers"]
    [header] = paths["/optional"]["post"]["parameters"]
    assert header["required"] is False
    assert set(paths["/optional"]["post"]["responses"]) == {"200", "400", "409", "422", "default"}
    assert "parameters" not in paths["/payments"]["get"]
    assert "parameters" not in paths["/free"]["post"]


SERVICE = """
import os, signal, sys

from flask import Flask
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy import Blueprint, Carboy, Database, IdempotencyKeyMixin, idempotent


class Model(DeclarativeBase):
    pass


class Payment(Model):
    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int]


class IdempotencyKey(IdempotencyKeyMixin, Model):
    __tablename__ = "idempotency_keys"


db = Database(Model)
api = Blueprint("api", __name__)


@api.post("/payments")
@idempotent()
def create():
    payment = Payment(amount=1)
    db.session.add(payment)
    db.session.commit()
    return {"id": payment.id}, 201


@api.get("/payments")
def show():
    return {"n": db.session.scalar(select(func.count()).select_from(Payment))}


app = Flask(__name__)
Carboy(app)
db.init_app(app)
app.register_blueprint(api)
with app.app_context():
    Model.metadata.create_all(db.engine)
    db.engine.dispose()
"""

KILLING = '''
import json

from wsgi import *

STEPS = ["begin", "savepoint", "release_savepoint", "before_cursor_execute",
         "after_cursor_execute", "commit"]


def post(key):
    return app.test_client().post("/payments", headers={"Idempotency-Key": key})


def die_at(step):
    """Be killed, as by the kernel, at the step of that number."""
    seen = []

    def one_more(*_):
        seen.append(1)
        if len(seen) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    with app.app_context():
        for name in STEPS:
            event.listen(db.engine, name, one_more)
    app.teardown_request_funcs[None] = [one_more]  # after the commit, before the answer is sent


def state(key):
    with app.app_context():
        stored = db.session.get(IdempotencyKey, ("caller:me", key)) is not None
        effects = db.session.scalar(select(func.count()).select_from(Payment))
        db.session.close()
        db.engine.dispose()
    return effects, stored


app.extensions["carboy.caller"] = lambda: "me"
report = []
for step in range(1, 100):
    before, _ = state(f"key-{step}")
    child = os.fork()
    if child == 0:
        die_at(step)
        post(f"key-{step}")
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended in (0, -signal.SIGKILL)
    killed = ended != 0
    effects, stored = state(f"key-{step}")
    answer = post(f"key-{step}")
    again, _ = state(f"key-{step}")
    report.append({"killed": killed, "effects": effects - before, "stored": stored,
                   "status": answer.status_code, "after retry": again - before})
    if not killed:
        break
print(json.dumps(report))
'''


@pytest.fixture
def project(tmp_path):
    """A folder with the service above, and how to run things there."""
    with fresh_database() as url:
        (tmp_path / "wsgi.py").write_text(SERVICE)
        (tmp_path / "killing.py").write_text(KILLING)
        environment = {
            **os.environ, "APP_ENV": "Testing", "DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path),
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "PORT": "0", "WEB_CONCURRENCY": "2",
            "GUNICORN_THREADS": "4",
        }  # fmt: skip
        yield SimpleNamespace(folder=tmp_path, environment=environment)


def test_killed_at_any_step_effect_and_answer_are_both_there_or_neither(project):
    ran = subprocess.run(
        [sys.executable, "killing.py"], cwd=project.folder, env=project.environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    *killed, last = report
    assert len(killed) > 10
    assert not last["killed"]
    for each in report:
        assert each["effects"] == each["stored"], each
        assert (each["status"], each["after retry"]) == (201, 1), each
    assert {each["stored"] for each in killed} == {True, False}


@pytest.fixture
def server(project):
    with (project.folder / "stderr.txt").open("w") as stderr, subprocess.Popen(
        [sys.executable, "-m", "carboy", "run"], cwd=project.folder, env=project.environment,
        stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            line = process.stdout.readline()
            assert line.startswith("Listening"), Path(stderr.name).read_text()
            yield int(line.rsplit(":", 1)[1])
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE_S) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def over_http(port, method, key=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request(method, "/payments", headers={"Idempotency-Key": key} if key else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_fifty_posts_at_once_have_one_effect(server):
    def until_answered(_):
        statuses = []
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            status, body = over_http(server, "POST", KEY)
            statuses.append(status)
            if status == 201:
                return statuses, body
            time.sleep(0.05)  # as Retry-After asks, only sooner
        raise AssertionError(statuses)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(until_answered, range(50)))
    assert len({body for _, body in answers}) == 1
    assert {status for statuses, _ in answers for status in statuses} <= {201, 409}
    assert json.loads(over_http(server, "GET")[1])["data"] == {"n": 1}
