"""The pytest plugin, run by pytest on a project of its own with differences in it."""

import datetime as dt
import os
import re
import subprocess
import sys
from textwrap import dedent

import flask
import pytest
from marshmallow import Schema, fields

from carboy import Bare, Blueprint, Carboy, deprecated
from carboy.errors import Conflict
from carboy.testing import Contract, ContractError

PROJECT = """
    import datetime

    import flask
    import pytest
    from marshmallow import Schema, fields

    from carboy import Blueprint, Carboy

    class Tea(Schema):
        name = fields.String(required=True)
        price = fields.Decimal(places=2, required=True)

    @pytest.fixture
    def client():
        api = Blueprint("api", __name__)

        @api.get("/teas/<int:number>")
        @api.output(Tea)
        def tea(number):
            if number == 2:
                return flask.jsonify(status="success", data={"name": 2, "price": "1.50"})
            return {"name": "green", "price": "1.5"}

        app = flask.Flask(__name__)
        Carboy(app, {"APP_ENV": "Testing"})
        app.register_blueprint(api)
        return app.test_client()

    def test_right(client):
        assert client.get("/teas/1").json["data"]["price"] == "1.50"

    def test_wrong(client):
        assert client.get("/teas/2").status_code == 200
"""


@pytest.fixture
def run(tmp_path):
    """Run pytest in a folder with the tests of a project; gives how it went, and the report."""

    def run(tests, configuration=""):
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{configuration}\n")
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["carboy.testing.plugin"]\n')
        (tmp_path / "test_project.py").write_text(dedent(tests))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
            env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
        )  # fmt: skip
        return done.stdout.strip().splitlines()[-1].rpartition(" in ")[0], done.stdout

    return run


def test_off_by_default(run):
    assert run(PROJECT)[0] == "2 passed"


def test_one_line_of_configuration_checks_every_test(run):
    outcome, report = run(PROJECT, "carboy_contract = true")
    assert outcome == "1 failed, 1 passed"
    shown = [line.removeprefix("E").strip() for line in report.splitlines() if line.startswith("E")]
    assert shown[0].endswith(
        "ContractError: GET /teas/{number} answered 200, which differs from the OpenAPI document:"
    )
    assert shown[1] == "- body at /data/name: 2 is not of type 'string'."


@pytest.mark.parametrize(("name", "outcome"), [
    pytest.param("right", "2 passed", id="a right answer passes"),
    pytest.param("wrong", "1 failed, 1 passed", id="a wrong answer fails"),
])  # fmt: skip
def test_the_fixture_checks_the_test_that_uses_it(run, name, outcome):
    tests = PROJECT.replace(f"test_{name}(client)", f"test_{name}(client, carboy_contract)")
    assert run(tests)[0] == outcome


class Tea(Schema):
    name = fields.String(required=True)
    rank = fields.Integer(allow_none=True)
    since = fields.AwareDateTime()
    home = fields.Url()
    inner = fields.Nested(lambda: Tea(many=True))


NOTICE = deprecated(since=dt.date(2026, 1, 1))


@pytest.fixture
def app():
    """One view, which answers whatever it is told to and declares a tea."""
    api = Blueprint("api", __name__)
    app = flask.Flask(__name__)
    Carboy(app, {"APP_ENV": "Testing"})

    @api.get("/teas")
    @api.output(Tea)
    def told():
        return app.config["ANSWER"]()

    @api.post("/teas")
    @NOTICE
    @api.input(Tea)
    @api.output(Tea, 201)
    def add(data):
        return data

    @api.delete("/teas")
    @api.output(None, 204)
    def clear():
        pass

    app.add_url_rule("/plain", "plain", lambda: "Hello")
    app.register_blueprint(api)
    return app


def refused():
    raise Conflict("Taken.")


def sent(data, status=200, content_type="application/json"):
    return lambda: flask.Response(
        flask.json.dumps({"status": "success", "data": data}), status, content_type=content_type
    )


TEA = {"name": "green"}


@pytest.mark.parametrize(("told", "difference"), [
    pytest.param(lambda: TEA, None, id="what is declared"),
    pytest.param(refused, None, id="an error in the envelope"),
    pytest.param(sent({**TEA, "rank": None}), None, id="null where it may be"),
    pytest.param(sent({**TEA, "since": "2026-01-01T00:00:00Z"}), None, id="a date and time"),
    pytest.param(sent({**TEA, "home": "https://example.com/a?b#c"}), None, id="an address"),
    pytest.param(sent({}), "body at /data: 'name' is a required property.", id="a missing field"),
    pytest.param(sent({"name": None}), "body at /data/name: None is not of type 'string'.",
                 id="null where it may not be"),
    pytest.param(sent({**TEA, "rank": "1"}), "body at /data/rank: '1' is not", id="a wrong type"),
    pytest.param(sent({**TEA, "since": "2026-01-01 00:00"}),
                 "/data/since: '2026-01-01 00:00' is not a 'date-time'",
                 id="a date and time in another form"),
    pytest.param(sent({**TEA, "home": "example"}),
                 "/data/home: 'example' is not a 'uri'", id="no address"),
    pytest.param(sent({**TEA, "inner": [TEA, {}]}), "body at /data/inner/1: 'name' is a required",
                 id="a missing field deep inside"),
    pytest.param(sent(TEA, 202), "status: 202 is not declared, only 200, default.",
                 id="a success of another status"),
    pytest.param(sent(TEA, 409), "is not valid under any of",
                 id="an error in the clothes of a success"),
    pytest.param(sent(TEA, content_type="text/plain"),
                 "content type: text/plain, declared is application/json.",
                 id="another content type"),
    pytest.param(lambda: flask.Response("{", content_type="application/json"),
                 "body: { is not JSON.",
                 id="broken JSON"),
    pytest.param(lambda: flask.Response("", headers={"Content-Type": ""}), "content type: none",
                 id="nothing at all"),
])  # fmt: skip
def test_a_difference_is_named(app, told, difference):
    app.config["ANSWER"] = told
    answer = app.test_client().get("/teas")
    if difference is None:
        Contract(app).check(answer)
        return
    with pytest.raises(ContractError, match=re.escape(difference)) as caught:
        Contract(app).check(answer)
    assert str(caught.value).startswith(f"GET /teas answered {answer.status_code}, ")


@pytest.mark.parametrize(("method", "path", "status"), [
    pytest.param("GET", "/plain", 200, id="a plain Flask view"),
    pytest.param("GET", "/nowhere", 404, id="an unknown path"),
    pytest.param("PATCH", "/teas", 405, id="a method that is not there"),
    pytest.param("OPTIONS", "/teas", 200, id="what Flask answers for it"),
    pytest.param("GET", "/health", 200, id="what the crate answers"),
    pytest.param("HEAD", "/teas", 200, id="the body of a HEAD"),
    pytest.param("DELETE", "/teas", 204, id="no body where none is declared"),
])  # fmt: skip
def test_there_is_nothing_to_say_about(app, method, path, status):
    app.config["ANSWER"] = lambda: TEA
    answer = app.test_client().open(path, method=method)
    assert answer.status_code == status
    Contract(app).check(answer)


def test_a_required_header_must_be_there(app):
    answer = app.test_client().post("/teas", json=TEA)
    Contract(app).check(answer)
    del answer.headers["Deprecation"]
    with pytest.raises(ContractError, match=r"header Deprecation: is required and missing\."):
        Contract(app).check(answer)


@pytest.mark.parametrize(("value", "kind", "fits"), [
    pytest.param("7", "integer", True, id="an integer"),
    pytest.param("seven", "integer", False, id="a word for an integer"),
    pytest.param("0.5", "number", True, id="a number"),
    pytest.param("true", "boolean", True, id="true"),
    pytest.param("yes", "boolean", False, id="another word than true"),
    pytest.param("7", "string", True, id="text of digits"),
])  # fmt: skip
def test_a_header_has_the_type_that_is_declared(serve_with, value, kind, fits):
    header = {"description": "How many.", "schema": {"type": kind}}
    app = serve_with({"responses": {"200": {"headers": {"X/Count~": header}}}}, value)
    answer = app.test_client().get("/")
    if fits:
        Contract(app).check(answer)
    else:
        with pytest.raises(ContractError, match=f"header X/Count~: '{value}' is not of type"):
            Contract(app).check(answer)


@pytest.fixture
def serve_with():
    def serve_with(extra, value):
        api = Blueprint("api", __name__, envelope=Bare())

        @api.get("/")
        @api.output({"name": fields.String()})
        @api.doc(**extra)
        def view():
            return {"name": "x"}, {"X/Count~": value}

        app = flask.Flask(__name__)
        Carboy(app, {"APP_ENV": "Testing"})
        app.register_blueprint(api)
        return app

    return serve_with


def test_not_more_differences_are_shown_than_a_person_reads(app):
    app.config["ANSWER"] = sent({**TEA, "inner": [{}] * 12})
    with pytest.raises(ContractError, match=r"and 4 more\.") as caught:
        Contract(app).check(app.test_client().get("/teas"))
    assert str(caught.value).count("required property") == 8


def test_answers_to_requests_behind_a_redirect_are_checked(app, carboy_contract):
    app.config["ANSWER"] = sent({})
    app.add_url_rule("/moved", "moved", lambda: flask.redirect("/teas"))
    with pytest.raises(ContractError, match="GET /teas answered 200"):
        app.test_client().get("/moved", follow_redirects=True)


def test_a_test_may_break_the_contract_on_purpose(app, carboy_contract):
    app.config["ANSWER"] = sent(TEA)
    app.test_client().get("/teas")
    assert carboy_contract.count == 1
    carboy_contract.pause()
    app.config["ANSWER"] = sent({})
    app.test_client().get("/teas")
    assert carboy_contract.count == 1


def test_another_app_is_left_alone(carboy_contract):
    app = flask.Flask(__name__)
    app.add_url_rule("/", "hello", lambda: "Hello")
    assert app.test_client().get("/").text == "Hello"
    assert carboy_contract.count == 0


def test_names_of_the_package_are_found_and_others_are_not():
    from carboy import testing

    assert {getattr(testing, name).__name__ for name in testing.__all__} == set(testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        testing.nothing  # noqa: B018 - the access is the test
