"""`carboy run`: what a started server does, and what stops a start."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

STRONG_KEY = "0123456789abcdefghijklmnopqrstuvwxyz"[::-1]

COUNTED = """
from pathlib import Path
from flask import Flask
from carboy import Carboy
from carboy.errors import CarboyError

def note(what):
    with Path("notes").open("a") as file:
        file.write(what + " ")

note("loaded")
app = Flask(__name__)
Carboy(app)

def check():
    from flask import current_app
    note("checked:" + current_app.name)
    if Path("refuse").exists():
        raise CarboyError("The database is newer than the code. Deploy a later release.")

app.extensions["carboy.start"].append(check)

@app.get("/")
def index():
    return "ok"
"""


def test_the_process_that_was_started_is_the_master_and_workers_are_its_children(serve):
    server = serve()
    worker = json.loads(server.get()[1])["pid"]
    parent = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1]
    assert int(parent) == server.process.pid


def test_no_version_of_the_server_is_told(serve, engine):
    assert serve().get()[2]["Server"] == engine


@pytest.mark.engine("gunicorn")
def test_forwarded_headers_are_the_crates_business_alone(serve):
    answer = json.loads(serve().get("/", **{"X-Forwarded-Proto": "https"})[1])
    assert answer["scheme"] == "http"
    behind = serve(TRUSTED_PROXIES="1")
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    answer = json.loads(behind.get("/", **forwarded)[1])
    assert (answer["scheme"], answer["address"]) == ("https", "203.0.113.7")


def test_a_plain_flask_app_is_served_too(serve):
    server = serve("from flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: 'plain')")
    assert server.get()[1] == "plain"
    assert server.stop() == 0


def test_every_line_of_the_log_is_an_object_in_production(serve):
    server = serve(APP_ENV="prod", SECRET_KEY=STRONG_KEY, TRUSTED_HOSTS="*")
    server.get()
    assert server.stop() == 0
    events = [json.loads(line) for line in server.log().splitlines()]
    texts = [str(event) for event in events]
    assert any("Listening at" in text for text in texts)
    assert len(set(texts)) == len(texts)


def test_metrics_of_all_workers_are_kept_in_a_folder_that_goes_with_the_server(serve, tmp_path):
    server = serve(WEB_CONCURRENCY="2", TMPDIR=str(tmp_path))
    assert 'route="/"' in (server.get() and server.get("/metrics")[1])
    (folder,) = tmp_path.glob("carboy-metrics-*")
    assert list(folder.glob("*.db"))
    assert server.stop() == 0
    assert not folder.exists()


@pytest.mark.engine("gunicorn")
def test_a_folder_for_metrics_that_was_named_is_kept(serve, tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    server = serve(PROMETHEUS_MULTIPROC_DIR=str(folder))
    server.get()
    assert server.stop() == 0
    assert list(folder.glob("*.db"))


def test_workers_are_recycled_without_an_error(serve, until):
    server = serve(GUNICORN_MAX_REQUESTS="5")
    statuses, workers = set(), set()

    def another():
        status, body, _ = server.get()
        statuses.add(status)
        workers.add(json.loads(body)["pid"])
        return len(workers) > 1

    until(another, "another worker answers")
    assert statuses == {200}


PREPARED = """
import os
from pathlib import Path
from flask import Flask
from carboy import Carboy
from carboy.errors import CarboyError

app = Flask(__name__)
Carboy(app)
prepared = []

def prepare():
    from flask import current_app
    if Path("refuse").exists():
        raise CarboyError("The model is damaged. Train it again.")
    prepared.append(current_app.name)

app.extensions["carboy.worker"] = [prepare]

@app.get("/")
def index():
    return {"pid": os.getpid(), "prepared": prepared}
"""


def test_each_worker_is_prepared_once_before_it_takes_a_request(serve, until):
    server = serve(PREPARED, WEB_CONCURRENCY="2")
    seen = {}

    def both():
        answer = json.loads(server.get()[1])
        seen[answer["pid"]] = answer["prepared"]
        return len(seen) == 2

    until(both, "both workers have answered")
    assert list(seen.values()) == [["wsgi"], ["wsgi"]]


def test_a_worker_that_cannot_be_prepared_ends_the_start(serve, tmp_path):
    (tmp_path / "refuse").touch()
    server = serve(PREPARED, listens=False)
    assert server.wait() == 4
    assert "The model is damaged. Train it again." in server.log()
    assert "Traceback" not in server.log()


class TestStart:
    @pytest.mark.engine("gunicorn")
    def test_hooks_run_once_before_any_worker_loads_the_app(self, serve):
        server = serve(COUNTED, WEB_CONCURRENCY="2")
        assert server.get()[1] == "ok"
        notes = (server.folder / "notes").read_text().split()
        assert notes[:2] == ["loaded", "checked:wsgi"]
        assert notes.count("checked:wsgi") == 1

    @pytest.mark.engine("gunicorn")
    def test_a_hook_refuses_the_start_with_its_own_words(self, serve, tmp_path):
        (tmp_path / "refuse").touch()
        server = serve(COUNTED, listens=False)
        assert server.wait() == 1
        assert server.log() == (
            "Error: The database is newer than the code. Deploy a later release.\n"
        )

    @pytest.mark.engine("gunicorn")
    @pytest.mark.parametrize(
        ("source", "status", "line"),
        [
            pytest.param(
                "import nothing_like_this", 2, "No module named 'nothing_like_this'", id="import"
            ),
            pytest.param("app = (", 2, "SyntaxError: '(' was never closed", id="syntax"),
            pytest.param("import os; os._exit(3)", 1, "ended its process", id="the process ends"),
            pytest.param("import sys; sys.exit(3)", 2, "SystemExit: 3", id="it calls exit"),
            pytest.param(
                COUNTED.replace("from flask import current_app", "1 / 0"),
                1,
                "ZeroDivisionError",
                id="a start hook breaks",
            ),
        ],
    )
    def test_an_app_that_breaks_is_one_clear_line(self, serve, source, status, line):
        server = serve(source, listens=False)
        assert server.wait() == status
        assert line in server.log()
        assert server.log().count("\n") == 1

    @pytest.mark.engine("gunicorn")
    def test_debug_shows_the_traceback(self, serve):
        server = serve(
            COUNTED.replace("from flask import current_app", "1 / 0"),
            command=("-m", "carboy", "--debug", "run"),
            listens=False,
        )
        assert server.wait() == 1
        assert "Traceback" in server.log()

    @pytest.mark.engine("gunicorn")
    def test_all_wrong_settings_are_named_at_once(self, serve):
        server = serve(
            APP_ENV="prod", SECRET_KEY="hunter2", HTTP_PORT="many", RELOAD="1",
            WEB_CONCURRENCY="some", listens=False,
        )  # fmt: skip
        assert server.wait() == 2
        lines = server.log().splitlines()
        assert all(line.startswith("Error: ") for line in lines)
        for name in ("HTTP_PORT", "SECRET_KEY", "RELOAD", "TRUSTED_HOSTS", "WEB_CONCURRENCY"):
            assert any(name in line for line in lines), name
        assert "hunter2" not in server.log()

    @pytest.mark.engine("gunicorn")
    def test_a_port_in_use_is_named_with_the_remedy(self, serve):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            server = serve(COUNTED, HTTP_PORT=str(port), listens=False)
            assert server.wait() == 1
        assert server.log() == (
            f"Error: Port {port} on 127.0.0.1 is in use. Stop the other program, or choose "
            f"another port: HTTP_PORT={port + 1} carboy run\n"
        )
        assert "checked" not in (server.folder / "notes").read_text()

    def test_a_worker_that_cannot_load_the_app_says_why_in_one_line(self, serve, tmp_path):
        source = """
            from pathlib import Path
            from flask import Flask
            from carboy.errors import CarboyError
            if Path("once").exists():
                raise CarboyError("The licence file is gone. Put it back.")
            Path("once").touch()
            app = Flask(__name__)
        """
        server = serve("\n".join(map(str.strip, source.splitlines())).replace(
            "raise", " raise"), listens=False)  # fmt: skip
        assert server.wait() == 4
        assert server.log().count("The licence file is gone. Put it back.") == 1
        assert "Traceback" not in server.log()


class TestReplacingCode:
    def test_hup_brings_new_code_into_every_worker(self, serve, until):
        server = serve("from flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: '1')")
        source = server.folder / "wsgi.py"
        assert server.get()[1] == "1"
        source.write_text(source.read_text().replace("'1'", "'two'"))
        server.send(signal.SIGHUP)
        until(lambda: server.get()[1] == "two", "the new code answers")
        assert server.stop() == 0

    def test_hup_onto_broken_code_keeps_the_workers(self, serve, until):
        server = serve()
        before = server.get()[1]
        (server.folder / "wsgi.py").write_text("import nothing_like_this")
        server.send(signal.SIGHUP)
        until(lambda: "the present workers stay" in server.log(), "the reload is refused")
        assert server.get()[1] == before

    @pytest.fixture
    def trying(self, serve, until):
        """Give a server that tries new code which never finishes loading."""
        server = serve()
        before = json.loads(server.get()[1])["pid"]
        source = server.folder / "wsgi.py"
        served = source.read_text()
        source.write_text(
            "from pathlib import Path\nimport time\nPath('trying').touch()\ntime.sleep(600)\n"
        )
        server.send(signal.SIGHUP)
        until((server.folder / "trying").exists, "the new code is being loaded")
        source.write_text(served)
        return server, before

    @pytest.mark.engine("gunicorn")
    def test_a_worker_that_dies_while_new_code_is_tried_is_replaced(self, trying, until):
        server, before = trying
        os.kill(before, signal.SIGKILL)
        until(
            lambda: (text := _text(server)) and json.loads(text)["pid"] != before,
            "another worker answers",
        )

    @pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
    @pytest.mark.engine("gunicorn")
    def test_a_stop_does_not_wait_for_new_code(self, trying, signum):
        server, _ = trying
        server.send(signum)
        assert server.wait() == 0
        assert "Traceback" not in server.log()

    @pytest.mark.engine("gunicorn")
    def test_what_is_asked_for_while_new_code_is_tried_is_done_afterwards(self, trying, until):
        server, _ = trying
        server.send(signal.SIGUSR2)
        child = until(
            lambda: [pid for pid in _children(server.process.pid) if pid not in _workers(server)],
            "the trial runs",
        )
        os.kill(int(child[0]), signal.SIGKILL)
        until(lambda: "the present workers stay" in server.log(), "the trial is over")
        until(lambda: "SIGUSR2 is not supported" in server.log(), "the other signal is handled")

    @pytest.mark.engine("gunicorn")
    def test_usr2_is_refused(self, serve, until):
        server = serve()
        server.send(signal.SIGUSR2)
        until(lambda: "SIGUSR2 is not supported" in server.log(), "it is refused")
        assert server.get()[0] == 200

    def test_reload_survives_code_that_cannot_be_imported(self, serve, until):
        server = serve(
            "import part\nfrom flask import Flask\napp = Flask(__name__)\n"
            "app.get('/')(lambda: part.answer)",
            "--reload",
            listens=False,
        )
        assert server.wait() == 2  # at the start a broken app is an error like any other
        part = server.folder / "part.py"
        part.write_text("answer = '1'")
        server = serve((server.folder / "wsgi.py").read_text(), "--reload")
        assert server.get()[1] == "1"
        for text, told in (
            ("answer = 1 / 0", "ZeroDivisionError"),
            ("answer = ", "SyntaxError"),
            ("answer = 'mended'", "mended"),
        ):
            # A change made before the new worker's first look is one it never sees, so
            # the file changes again until it is seen.
            until(
                lambda text=text, told=told: _change(part, text) or told in (_text(server) or ""),
                f"the answer says {told}",
            )
        assert server.get()[0] == 200


@pytest.mark.engine("gunicorn")
class TestElsewhere:
    def test_plain_gunicorn_serves_the_same_app(self, serve, until):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = serve(
            command=(
                "-m",
                "gunicorn",
                "--no-control-socket",
                "-b",
                f"127.0.0.1:{port}",
                "wsgi:app",
            ),
            listens=False,
        )
        server.port = port
        until(lambda: _status(server) == 200, "gunicorn answers")
        assert server.get("/health")[1].strip() == "OK"
        assert server.stop() == 0

    def test_flask_run_serves_the_same_app(self, serve, until):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = serve(command=("-m", "flask", "run", "--port", str(port)), listens=False)
        server.port = port
        until(lambda: _status(server) == 200, "flask answers")
        assert server.get("/health")[1].strip() == "OK"

    def test_the_arguments_gunicorn_reads_are_honoured(self, serve):
        server = serve(GUNICORN_CMD_ARGS="--limit-request-line 64")
        assert server.get("/" + "a" * 100)[0] == 414


@pytest.mark.engine("gunicorn")
def test_a_person_in_development_is_told_where_to_look(serve, tmp_path):
    server = serve()
    server.stop()
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "carboy", "run"],
        cwd=tmp_path,
        env={**os.environ, "HTTP_PORT": "0", "WEB_CONCURRENCY": "1", "APP_ENV": "dev"},
        stdout=terminal,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = b""
        while told.count(b"\n") < 2:
            told += os.read(screen, 1000)
    finally:
        process.terminate()
        process.wait(30)
        os.close(terminal)
        os.close(screen)
    assert b"Development: http://127.0.0.1:" in told
    assert b"/docs\r\n" in told


def _change(file: Path, text: str) -> None:
    """Write, and make the change visible to whoever compares times of whole seconds."""
    before = file.stat().st_mtime
    file.write_text(text)
    os.utime(file, (before + 2, before + 2))


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _workers(server) -> list[str]:
    return re.findall(r"Booting worker with pid: (\d+)", server.log())


def _status(server):
    try:
        return server.get()[0]
    except OSError:
        return None


def _text(server):
    try:
        return server.get()[1]
    except OSError:
        return None
