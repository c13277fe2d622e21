import os
import subprocess
import sys

import pytest

SHORT = ("--time", "1", "--users", "1")


@pytest.mark.parametrize(("arguments", "says"), [
    pytest.param(("http://127.0.0.1:1",), "Nothing answers at http://127.0.0.1:1: connection "
                 "refused. Start the service first", id="nothing listens"),
    pytest.param(("localhost:8080",), "Write http://localhost:8080", id="no scheme"),
    pytest.param(("http://10.0.0.1",), "If you may, say so: --allow-host 10.0.0.1",
                 id="another machine"),
    pytest.param(("http://10.0.0.1", "--allow-host", "10.0.0.2"), "--allow-host names '10.0.0.2', "
                 "but the requests would go to '10.0.0.1'", id="permission for another one"),
    pytest.param(("http://nowhere.invalid",), "'nowhere.invalid' is not known", id="unknown host"),
    pytest.param(("wsgi:app", "--locustfile", "j.py"), "There is no locustfile 'j.py'",
                 id="no such locustfile"),
    pytest.param(("wsgi:app", "--html", "no/where.html"), "there is no folder", id="no folder"),
    pytest.param(("wsgi:app", "--html", "."), "it is a folder", id="a folder for a file"),
    pytest.param(("wsgi:app", "--log", "no/where.log"), "there is no folder", id="no log folder"),
])  # fmt: skip
def test_what_is_wrong_is_one_clear_line(carboy, app, arguments, says):
    done = carboy("load", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


@pytest.mark.parametrize(("arguments", "says"), [
    (("--time", "soon"), "'soon' is no time. Write seconds, or as in 90s, 5m, 1h30m."),
    (("--time", "0"), "'0' is no time"),
    (("--time", ""), "'' is no time"),
    (("--users", "0"), "0 is not in the range x>=1"),
    (("--max-error-rate", "101"), "101.0 is not in the range 0<=x<=100"),
    (("--max-error-rate", "-1"), "-1.0 is not in the range"),
    (("--max-error-rate", "few"), "'few' is not a valid percentage"),
    (("--max-error-rate", "nan"), "'nan' is no number"),
    (("--max-p99", "0"), "0.0 is not in the range x>0"),
    (("--spawn-rate", "0"), "0.0 is not in the range x>0"),
    (("--max-p99", "nan"), "'nan' is no number"),
    (("--spawn-rate", "inf"), "'inf' is no number"),
])  # fmt: skip
def test_an_option_that_cannot_be_meant_is_refused(carboy, arguments, says):
    done = carboy("load", "wsgi:app", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.parametrize(("given", "seconds"), [
    ("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("1h1m1s", 3661),
])  # fmt: skip
def test_times_are_written_as_people_do(given, seconds):
    from carboy.cli.load import Duration

    assert Duration().convert(given, None, None) == seconds


def test_locust_that_is_not_installed_is_named_with_its_extra(tmp_path, app):
    """In a Python that finds everything but Locust."""
    code = (
        "import importlib.util, sys\n"
        "sys.modules['locust'] = None\n"
        "genuine = importlib.util.find_spec\n"
        "sys.modules.pop('locust')\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'locust': raise ModuleNotFoundError(name)\n"
        "sys.path = [p for p in sys.path]\n"
        "import carboy.load.plan as plan\n"
        "plan.find_spec = lambda name: None if name == 'locust' else genuine(name)\n"
        "from carboy.cli import main\n"
        "main(['load', 'wsgi:app'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: Load tests need Locust. Install it with: pip install 'carboy[load]'\n"
    )


def test_a_person_is_asked_before_another_machine_is_loaded(tmp_path, app):
    """On a terminal; whoever says no sends nothing."""
    import pty

    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "carboy", "load", "http://10.0.0.1"],
        cwd=tmp_path, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.write(main, b"n\n")
    out, err = process.communicate(timeout=30)
    os.close(main)
    os.close(terminal)
    assert (process.returncode, out) == (2, "")
    assert "10.0.0.1 is another machine. May you load it? [y/N]" in err
    assert err.endswith("Error: Nothing was sent.\n")


def test_on_a_terminal_there_is_progress_and_then_a_table(tmp_path, app):
    import pty

    (tmp_path / "locustfile.py").write_text(
        "from locust import HttpUser, constant, task\n"
        "class Person(HttpUser):\n"
        "    wait_time = constant(0.05)\n"
        "    @task\n    def ask(self): self.client.get('/health/live')\n"
    )
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "carboy", "load", "wsgi:app", "--time", "3", "--users", "2"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal, text=True,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    while True:
        try:
            data = os.read(main, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        seen += data
    out, _ = process.communicate(timeout=30)
    os.close(main)
    assert process.returncode == 0, seen
    assert b"/3 s" in seen
    assert b"requests" in seen
    assert b"p95" in seen
    assert out.splitlines()[0].split() == [
        "Route", "Requests", "Failed", "Requests/s", "p50", "ms", "p95", "ms", "p99", "ms",
        "Max", "ms",
    ]  # fmt: skip
    assert out.splitlines()[2].startswith("All ")
    assert (tmp_path / "load-report.html").is_file()
