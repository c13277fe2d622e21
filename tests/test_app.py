"""Carboy(app) around apps of other people: theirs stays theirs, the rest gets the envelope."""

import logging
import stat
import subprocess
import sys

import flask
import pytest
from werkzeug.exceptions import HTTPException

from carboy import Carboy, Production, Settings, Testing, page
from carboy.errors import ApiError, CarboyError, Conflict, NotFound, SettingsError, Unavailable

KEY = "sKq2-9f_ZxW7pLr4TnVb8Ym1CdHgJe5u"


def make_app(settings=None, *, prepare=lambda app: None, **rest):
    app = flask.Flask("cellar")
    prepare(app)
    Carboy(app, settings or Testing.load(environ={}, **rest))

    @app.get("/own")
    def own():
        return flask.jsonify(b=1, a=2)

    @app.get("/missing")
    def missing():
        flask.abort(404)

    @app.get("/said")
    def said():
        flask.abort(404, "No bottle of that name.")

    @app.get("/teapot")
    def teapot():
        flask.abort(418)

    @app.get("/error/<name>")
    def error(name):
        raise {"not-found": NotFound("No bottle 7."), "conflict": Conflict()}[name]

    @app.get("/broken")
    def broken():
        raise RuntimeError("hunter2 in the cellar")

    @app.get("/slashed/")
    def slashed():
        return "slashed"

    return app


def get(app, path, **rest):
    return app.test_client().get(path, **rest)


class TestWhatNobodyHandles:
    """Errors of the router, of views and of the server wear the envelope."""

    @pytest.mark.parametrize(
        ("path", "status", "code", "message"),
        [
            pytest.param("/nowhere", 404, "not_found", None, id="an unknown path"),
            pytest.param("/missing", 404, "not_found", None, id="abort(404)"),
            pytest.param(
                "/said", 404, "not_found", "No bottle of that name.", id="abort with words"
            ),
            pytest.param("/error/not-found", 404, "not_found", "No bottle 7.", id="an ApiError"),
            pytest.param("/error/conflict", 409, "conflict", None, id="one with its own words"),
            pytest.param("/teapot", 418, None, None, id="an unusual status"),
        ],
    )
    def test_is_a_fail(self, path, status, code, message):
        response = get(make_app(), path)
        assert response.status_code == status
        assert response.json["status"] == "fail"
        assert response.json["data"] is None
        assert response.json["message"] == (message or response.json["message"])
        assert response.json["code"] == (code or response.json["code"])
        assert "X-Request-ID" in response.headers

    def test_a_wrong_method_keeps_its_allow_header(self):
        response = make_app().test_client().post("/own")
        assert response.status_code == 405
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
        assert response.json["code"] == "method_not_allowed"

    def test_a_failure_is_a_clean_500_and_its_text_stays_in_the_log(self, caplog):
        app = make_app(Settings.load(environ={}, dotenv=None, APP_ENV="dev"))
        response = get(app, "/broken")
        assert response.status_code == 500
        assert response.json["status"] == "error"
        assert b"hunter2" not in response.data
        assert "hunter2" in caplog.text

    def test_in_testing_a_failure_reaches_the_test(self):
        with pytest.raises(RuntimeError, match="hunter2"):
            get(make_app(), "/broken")

    def test_a_redirect_of_the_router_is_no_error(self):
        response = get(make_app(), "/slashed")
        assert response.status_code == 308
        assert response.headers["Location"].endswith("/slashed/")


class TestTheAppsOwn:
    """Answers, handlers and configuration of the app stay as they were."""

    def test_answers_are_untouched(self):
        bare = flask.Flask("bare")
        bare.get("/own")(lambda: flask.jsonify(b=1, a=2))
        assert get(make_app(), "/own").data == get(bare, "/own").data

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("kind", [404, HTTPException, Exception, NotFound, ApiError], ids=str)
    def test_its_error_handlers_win(self, kind, when):
        def handle(error):
            return "mine", 404

        def prepare(app):
            if when == "before":
                app.register_error_handler(kind, handle)

        app = make_app(prepare=prepare)
        if when == "after":
            app.register_error_handler(kind, handle)
        assert get(app, "/error/not-found").data == b"mine"

    def test_a_handler_that_passes_the_error_through_gets_the_envelope(self):
        app = make_app(prepare=lambda app: app.register_error_handler(HTTPException, lambda e: e))
        assert get(app, "/nowhere").json["code"] == "not_found"

    def test_the_handler_of_a_blueprint_wins(self):
        app = make_app()
        cellar = flask.Blueprint("cellar", __name__, url_prefix="/cellar")
        cellar.register_error_handler(404, lambda _: ("cellar's own", 404))

        @cellar.get("/raises")
        def raises():
            raise NotFound

        app.register_blueprint(cellar)
        assert get(app, "/cellar/raises").data == b"cellar's own"
        assert get(app, "/nowhere").json["code"] == "not_found"

    def test_an_abort_with_a_response_is_that_response(self):
        app = make_app()
        app.get("/custom")(lambda: flask.abort(flask.Response("custom", 409)))
        assert get(app, "/custom").data == b"custom"

    @pytest.mark.parametrize("path", ["/health", "/metrics", "/docs", "/openapi.json"])
    def test_a_path_it_answers_itself_is_left_to_it(self, path):
        app = make_app()
        app.get(path)(lambda: "mine")
        assert get(app, path).data == b"mine"
        assert get(app, "/health/live").status_code == 200

    def test_values_in_its_config_are_used(self, monkeypatch):
        monkeypatch.setenv("APP_ENV", "test")
        app = make_app(
            Settings,
            prepare=lambda app: app.config.update(SECRET_KEY=KEY, MAX_CONTENT_LENGTH=10),
        )
        assert app.extensions["carboy"].settings.MAX_CONTENT_LENGTH == 10
        assert app.extensions["carboy"].settings.sources["SECRET_KEY"] == "app.config"
        assert app.test_client().post("/own", data=b"x" * 11).status_code == 413


class TestSettings:
    """Settings may be a class, loaded, or single values; they land in app.config."""

    def test_every_setting_is_in_the_config(self):
        app = make_app(HTTP_PORT=9999)
        assert app.config["HTTP_PORT"] == 9999
        assert app.config["TESTING"] is True
        assert app.config["APP_ENV"] == "Testing"

    def test_single_values_win(self, monkeypatch):
        monkeypatch.setenv("LOG_LEVEL", "ERROR")
        app = make_app({"LOG_LEVEL": "DEBUG", "APP_ENV": "test"})
        assert app.config["LOG_LEVEL"] == "DEBUG"

    def test_none_means_carboys_own(self, monkeypatch):
        monkeypatch.setenv("APP_ENV", "test")
        app = flask.Flask("plain")
        assert Carboy(app).settings.APP_ENV == "Testing"

    def test_problems_stop_the_start(self):
        with pytest.raises(SettingsError, match="SECRET_KEY is not set"):
            Carboy(flask.Flask("public"), Production)

    def test_any_host_is_left_to_the_crate(self):
        app = make_app(TRUSTED_HOSTS="*")
        assert app.config["TRUSTED_HOSTS"] is None
        assert get(app, "/own", headers={"Host": "anything.example"}).status_code == 200

    def test_a_host_in_brackets_is_served(self):
        assert get(make_app(), "/own", headers={"Host": "[::1]:8080"}).status_code == 200

    @pytest.mark.parametrize("name", ["cellar.local", "cellar.local:8080"])
    def test_the_name_an_app_gave_itself_is_served(self, monkeypatch, name):
        monkeypatch.setenv("APP_ENV", "test")
        app = make_app(Settings, prepare=lambda app: app.config.update(SERVER_NAME=name))
        assert get(app, "/own").status_code == 200
        assert get(app, "/own", headers={"Host": "evil.example"}).status_code == 400

    @pytest.mark.parametrize("key", ["dev", b"_5#y2L" + bytes(range(128, 140))])
    def test_a_simple_key_will_do_outside_production(self, monkeypatch, key):
        monkeypatch.setenv("APP_ENV", "test")
        app = make_app(Settings, prepare=lambda app: app.config.update(SECRET_KEY=key))
        assert app.secret_key == key

    def test_twice_is_refused(self):
        app = make_app()
        with pytest.raises(CarboyError, match="called twice"):
            Carboy(app)

    def test_two_apps_do_not_see_each_other(self):
        one, two = make_app(HTTP_PORT=1), make_app(HTTP_PORT=2)
        assert one.extensions["carboy"].settings.HTTP_PORT == 1
        assert two.extensions["carboy.checks"] is not one.extensions["carboy.checks"]


class TestSecretKey:
    """Outside Production a key is made once and kept."""

    def development(self, folder):
        return make_app(Settings.load(environ={}, dotenv=None, INSTANCE_PATH=str(folder)))

    def test_all_workers_and_restarts_share_it(self, tmp_path):
        folder = tmp_path / "instance"
        keys = {self.development(folder).secret_key for _ in range(3)}
        assert len(keys) == 1
        assert len(keys.pop()) >= 32
        assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
        assert [file.name for file in folder.iterdir()] == ["secret_key"]

    def test_a_folder_that_cannot_be_made_costs_a_warning(self, tmp_path, caplog):
        (tmp_path / "file").touch()
        with caplog.at_level(logging.WARNING):
            app = self.development(tmp_path / "file" / "instance")
        assert len(app.secret_key) >= 32
        assert "No secret key can be kept" in caplog.text

    @pytest.mark.parametrize(
        ("content", "mode"),
        [
            pytest.param(b"", 0o600, id="empty"),
            pytest.param(b"\xff" * 64, 0o600, id="other bytes"),
            pytest.param(b"k3yS" * 16, 0o644, id="readable by others"),
        ],
    )
    def test_a_file_that_cannot_be_trusted_is_replaced(self, tmp_path, content, mode):
        file = tmp_path / "secret_key"
        file.write_bytes(content)
        file.chmod(mode)
        key = self.development(tmp_path).secret_key
        assert (len(key), key.encode()) == (64, file.read_bytes())
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_testing_keeps_none(self):
        assert make_app().secret_key != make_app().secret_key


class TestTranslators:
    """What an exception nobody handled means is said by the backing service it came from."""

    def app(self, **rest):
        app = make_app(**rest)
        app.extensions["carboy.translators"].append(
            lambda error: Unavailable(retry_after_s=2) if "cellar" in str(error) else None
        )
        return app

    def test_a_known_meaning_is_the_answer(self, caplog):
        response = get(self.app(), "/broken")
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "2"
        assert response.json["code"] == "unavailable"
        assert "RuntimeError: hunter2 in the cellar" in caplog.text
        assert "Traceback" not in caplog.text

    def test_the_apps_own_handler_comes_first(self):
        app = self.app(
            prepare=lambda app: app.register_error_handler(RuntimeError, lambda _: ("mine", 500))
        )
        assert get(app, "/broken").data == b"mine"

    def test_an_unknown_one_stays_an_exception(self):
        app = self.app()

        @app.get("/other")
        def other():
            raise KeyError("elsewhere")

        with pytest.raises(KeyError):
            get(app, "/other")


class TestRoutesInMetrics:
    """The crate hears which rule matched."""

    def test_the_rule_is_the_label(self):
        app = make_app()
        get(app, "/error/conflict")
        get(app, "/nowhere")
        text = get(app, "/metrics").text
        assert 'route="/error/<name>"' in text
        assert "/nowhere" not in text


def test_middleware_put_around_the_app_later_stays_outside(caplog):
    app = make_app()
    inner = app.wsgi_app
    seen = []

    def outer(environ, start_response):
        seen.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    app.wsgi_app = outer
    assert get(app, "/own").status_code == 200
    assert get(app, "/own").status_code == 200
    assert seen == ["/own", "/own"]


def test_a_page_declares_itself():
    app = make_app()

    @app.get("/page")
    @page
    def front():
        return "<p>Hello</p>"

    policies = {p: get(app, p).headers["Content-Security-Policy"] for p in ("/page", "/own")}
    assert "default-src 'self'" in policies["/page"]
    assert "default-src 'none'" in policies["/own"]


def test_safe_requests_are_marked_read_only():
    app = make_app()
    seen = {}

    @app.route("/ask", methods=["GET", "POST"])
    def ask():
        seen[flask.request.method] = app.extensions["carboy.read_only"]()
        return ""

    app.test_client().get("/ask")
    app.test_client().post("/ask")
    assert seen == {"GET": True, "POST": False}
    assert app.extensions["carboy.read_only"]() is False


def test_under_flask_a_mistake_is_one_line_and_exit_status_2(tmp_path):
    (tmp_path / "wsgi.py").write_text(
        "from flask import Flask\nfrom carboy import Carboy\napp = Flask('x')\nCarboy(app)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "flask", "routes"],
        cwd=tmp_path,
        env={"APP_ENV": "prod", "HTTP_PORT": "x", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert [line[:17] for line in lines] == [
        "Error: HTTP_PORT ",
        "Error: SECRET_KEY",
        "Error: TRUSTED_HO",
    ]
