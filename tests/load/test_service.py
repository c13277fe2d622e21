"""An app that is started for a test, and one that does not start or stay."""

import json

import pytest

SHORT = ("--time", "2", "--users", "1", "--no-html", "--json")


@pytest.mark.parametrize(("name", "says"), [
    ("nowhere:app", "Error: There is no module 'nowhere' in this folder or on Python's path."),
    ("wsgi:nothing", "Error: wsgi:nothing: Failed to find attribute 'nothing' in 'wsgi'."),
])  # fmt: skip
def test_an_unknown_app_is_one_clear_line(carboy, name, says):
    done = carboy("load", name, *SHORT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == 1


def test_a_wrong_setting_is_told_as_carboy_run_tells_it(carboy):
    done = carboy("load", "wsgi:app", *SHORT, WEB_CONCURRENCY="many")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: WEB_CONCURRENCY ")


def test_the_settings_there_are_hold_but_for_the_address(carboy, folder):
    (folder / "wsgi.py").write_text(
        "from flask import Flask\nfrom carboy import Carboy\napp = Flask(__name__)\n"
        "carboy = Carboy(app)\n"
        "@app.get('/')\ndef index():\n"
        "    return ('', 200) if app.config['API_TITLE'] == 'Mine' else ('', 500)\n"
    )
    done = carboy("load", "wsgi:app", *SHORT, "--max-error-rate", "0", "--log", "service.log",
                  API_TITLE="Mine", HTTP_PORT="1", PORT="1", HTTP_HOST="192.0.2.1",
                  LOG_FORMAT="json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["target"].startswith("http://127.0.0.1:")
    lines = (folder / "service.log").read_text().splitlines()
    assert sum(json.loads(line).get("path") == "/" for line in lines) > 10


def test_an_app_without_carboy_is_served_all_the_same(carboy, folder):
    (folder / "plain.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: 'plain')\n"
    )
    done = carboy("load", "plain:app", *SHORT, "--max-error-rate", "0")
    assert done.returncode == 0, done.stderr
    assert [row["route"] for row in json.loads(done.stdout)["routes"]] == ["/"]


def test_an_app_that_ends_during_the_test_fails_it(carboy, users):
    users("self.client.get('/leave')")
    done = carboy("load", "wsgi:app", *SHORT)
    assert done.returncode == 1
    assert "Error: wsgi:app ended during the test, with status 0." in done.stderr


def test_an_app_that_is_never_ready_is_given_up(carboy, folder, monkeypatch):
    (folder / "wsgi.py").write_text(
        "from flask import Flask\nfrom carboy import Carboy\nimport os, threading\n"
        "app = Flask(__name__)\nCarboy(app)\n"
        "def unready():\n    raise RuntimeError('the model is not loaded')\n"
        "app.extensions.setdefault('carboy.checks', {})['model'] = unready\n"
    )
    from carboy.load import LoadError, service

    monkeypatch.setattr(service, "READY_TIMEOUT_S", 1.0)
    monkeypatch.chdir(folder)
    for name in ("HTTP_PORT", "HTTP_HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    with (
        pytest.raises(LoadError, match="wsgi:app was not ready after 1 s"),
        service.started("wsgi:app"),
    ):
        pytest.fail("it was taken to be ready")
