"""Real load: a real server, real users, a second or two each."""

import json
import re
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

SHORT = ("--time", "1", "--users", "2", "--no-html", "--json")


def until(condition, what):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail(f"waited in vain until {what}")


def descendants(pid):
    """Every process that *pid* has begun, and those have."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found += [int(entry.name), *descendants(int(entry.name))]
    return found


def are_gone(pids):
    def lives(pid):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    return not any(lives(pid) for pid in pids)


def test_an_app_is_started_loaded_by_its_public_routes_and_stopped(carboy, folder):
    done = carboy("load", "wsgi:app", *SHORT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        f"2 users for 1 s at {json.loads(done.stdout)['target']} (wsgi:app): GET /api/flaky; "
        "Ctrl-C ends it early\n"
    )
    made = json.loads(done.stdout)
    assert [(row["method"], row["route"]) for row in made["routes"]] == [("GET", "/api/flaky")]
    total = made["total"]
    assert total["requests"] >= 20
    assert total["error_rate_percent"] == pytest.approx(10, abs=5)
    assert made["errors"] == [
        {"method": "GET", "route": "/api/flaky", "error": "HTTP 500", "count": total["failed"]}
    ]
    assert 0 < total["p50_ms"] <= total["p95_ms"] <= total["p99_ms"] <= total["max_ms"]
    assert total["requests_per_s"] == pytest.approx(
        total["requests"] / made["duration_s"], rel=0.01
    )
    with socket.socket() as gone:
        host, port = re.search(r"//(.+):(\d+)", made["target"]).groups()
        assert gone.connect_ex((host, int(port))) != 0


@pytest.mark.parametrize(("limit", "status", "says"), [
    pytest.param("3", 1, "Error: ", id="broken"),
    pytest.param("20%", 0, "", id="kept"),
])  # fmt: skip
def test_a_service_that_fails_one_request_in_ten_is_held_to_the_error_rate(
    carboy, service, limit, status, says
):
    done = carboy("load", service, *SHORT, "--max-error-rate", limit)
    assert done.returncode == status
    error = done.stderr.partition("\n")[2]
    assert error.startswith(says)
    assert (f"--max-error-rate allows {limit} %" in error) is bool(says)
    broken = json.loads(done.stdout)["broken"]
    assert [found["limit"] for found in broken] == ["max-error-rate"] * status


def test_a_slow_service_breaks_the_p99(carboy, service, users):
    users("self.client.get('/slow')")
    done = carboy("load", service, *SHORT, "--max-p99", "150")
    assert done.returncode == 1
    p99_ms = json.loads(done.stdout)["total"]["p99_ms"]
    assert p99_ms >= 200
    assert f"Error: The p99 is {p99_ms:.1f} ms; --max-p99 allows 150 ms." in done.stderr
    kept = carboy("load", service, *SHORT, "--max-p99", "30000")
    assert kept.returncode == 0, kept.stderr


def test_requests_are_shown_by_route_unless_the_locustfile_names_them(carboy, service, users):
    users(
        "self.client.get('/things/1')",
        "self.client.get('/things/2', params={'page': 7})",
        "self.client.get('/things/3', name='mine')",
        "self.client.get('/api/flaky?x=1')",
    )
    rows = json.loads(carboy("load", service, *SHORT).stdout)["routes"]
    counted = {row["route"]: row["requests"] for row in rows}
    assert set(counted) == {"/things/{}", "mine", "/api/flaky"}
    assert counted["/things/{}"] == pytest.approx(2 * counted["mine"], abs=8)


def test_what_the_locustfile_finds_wrong_is_an_error_in_its_own_words(carboy, service, users):
    users(
        "with self.client.get('/things/1', catch_response=True) as answer:",
        "    answer.failure('[bold]not what I asked for')",
    )
    done = carboy("load", service, "--time", "1", "--users", "1", "--no-html")
    assert done.returncode == 0, done.stderr
    table = done.stdout.splitlines()
    assert re.fullmatch(r"GET /things/\{\} +\d+ +\d+ \(100 %\)( +[\d.]+){5}", table[1])
    assert re.fullmatch(
        r" +\d+  GET /things/\{\}  \[bold\]not what I asked for", table[-1].rstrip()
    )


def test_a_user_that_breaks_off_is_told_and_fails_the_test(carboy, service, users):
    users("self.client.get('/things/1')", "{}['id']")
    done = carboy("load", service, *SHORT)
    assert done.returncode == 1
    found = json.loads(done.stdout)["exceptions"][0]
    assert (found["error"], found["where"]) == ("KeyError: 'id'", "locustfile.py, line 10")
    assert "Error: The locustfile raised KeyError: 'id' (locustfile.py, line 10)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refused_connection_is_an_error_of_its_kind(carboy, service, users):
    users("self.client.get('http://127.0.0.1:1/')")
    errors = json.loads(carboy("load", service, *SHORT).stdout)["errors"]
    assert [(row["route"], row["error"]) for row in errors] == [
        ("127.0.0.1:1/", "ConnectionRefusedError")
    ]


def test_a_test_without_a_request_fails(carboy, service, users):
    users("import time; time.sleep(10)")
    done = carboy("load", service, "--time", "1", "--users", "1", "--no-html")
    assert done.returncode == 1
    assert "Error: Not one request came to its end." in done.stderr


def test_the_report_needs_no_network(carboy, service, folder):
    done = carboy("load", service, "--time", "2", "--users", "1", "--html", "made.html")
    assert done.returncode == 0, done.stderr
    assert "Report with plots: made.html" in done.stdout
    text = (folder / "made.html").read_text()
    assert "/api/flaky" in text
    assert "HTTP 500" in text
    fetched = re.findall(
        r"""<(?:script|img|iframe)[^>]*\ssrc=["']?([^"'> ]+)"""
        r"""|(?:<link[^>]*\shref=|@import\s|url\()\s*["']?((?:https?:)?//[^"'>) ]+)""",
        text,
    )
    assert fetched == []


def test_locusts_own_options_are_passed_on(carboy, service, folder):
    (folder / "locustfile.py").write_text(
        "from locust import HttpUser, constant, tag, task\n"
        "class Person(HttpUser):\n"
        "    wait_time = constant(0.05)\n"
        "    @tag('a')\n    @task\n    def a(self): self.client.get('/things/1', name='a')\n"
        "    @tag('b')\n    @task\n    def b(self): self.client.get('/things/1', name='b')\n"
    )
    done = carboy("load", service, *SHORT, "--", "--tags", "a")
    assert [row["route"] for row in json.loads(done.stdout)["routes"]] == ["a"]
    refused = carboy("load", service, *SHORT, "--", "--processes", "2")
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: `carboy load` sends its requests from one process.")
    unknown = carboy("load", service, *SHORT, "--", "--nonsense")
    assert unknown.returncode == 2
    assert "unrecognized arguments: --nonsense" in unknown.stderr


def test_what_happened_while_users_began_may_be_forgotten(carboy, service, users, folder):
    users("self.client.get('/things/1')")
    text = (folder / "locustfile.py").read_text()
    text += "    def on_start(self):\n        self.client.get('/things/1', name='beginning')\n"
    (folder / "locustfile.py").write_text(text)
    for options, shown in (((), True), (("--", "--reset-stats"), False)):
        done = carboy("load", service, "--time", "3", "--users", "3", "--spawn-rate", "2",
                      "--no-html", "--json", *options)  # fmt: skip
        rows = {row["route"]: row["requests"] for row in json.loads(done.stdout)["routes"]}
        # The last user's beginning falls together with the reset.
        assert (rows.get("beginning", 0) == 3) is shown


@pytest.mark.parametrize(("text", "says"), [
    ("import nowhere", "cannot be loaded: ModuleNotFoundError: No module named 'nowhere' (line 1)"),
    ("1 +", "cannot be loaded: SyntaxError"),
    ("x = 1", "It says: No User class found!"),
])  # fmt: skip
def test_a_locustfile_that_cannot_be_used_is_one_clear_line(carboy, service, folder, text, says):
    (folder / "locustfile.py").write_text(text)
    done = carboy("load", service, *SHORT)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_a_locustfile_prints_is_no_result(carboy, service, users):
    users("print('hello')", "self.client.get('/things/1')")
    done = carboy("load", service, *SHORT)
    assert json.loads(done.stdout)["total"]["requests"] > 0
    assert "hello" in done.stderr


def begun(process):
    line = process.stderr.readline()
    assert "Ctrl-C ends it early" in line, line + process.stderr.read()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=lambda it: it.name)
def test_a_signal_ends_it_early_with_the_figures_until_then(running, folder, signum):
    process = running("load", "wsgi:app", "--time", "5m", "--json", "--html", "made.html")
    begun(process)
    log_grows = time.monotonic() + 2
    until(lambda: time.monotonic() > log_grows, "two seconds are over")
    family = descendants(process.pid)
    process.send_signal(signum)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signum, err
    made = json.loads(out)
    assert made["total"]["requests"] > 0
    assert made["interrupted"] == signum
    assert made["duration_s"] < 30
    assert "Traceback" not in err
    assert "/api/flaky" in (folder / "made.html").read_text()
    assert len(family) >= 3
    until(lambda: are_gone(family), "everything that was started has ended")


def test_a_second_signal_ends_it_at_once(running, users):
    users("import time; time.sleep(600)")
    process = running("load", "wsgi:app", "--time", "5m", "--json", "--no-html")
    begun(process)
    family = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    pause = time.monotonic() + 0.5
    until(lambda: time.monotonic() > pause, "the first one was heard")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    until(lambda: are_gone(family), "everything that was started has ended")


def test_killed_it_leaves_nothing_behind(running):
    process = running("load", "wsgi:app", "--time", "5m", "--no-html")
    begun(process)
    family = descendants(process.pid)
    assert len(family) >= 3
    process.kill()
    process.wait()
    until(lambda: are_gone(family), "everything that was started has ended")


def test_locusts_page_is_for_this_machine_only(running, service):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = running("load", service, "--web", "--", "--web-port", str(port))
        _, err = refused.communicate(timeout=30)
        assert refused.returncode == 2
        assert err.startswith(f"Error: http://127.0.0.1:{port} is in use")
    process = running(
        "load", service, "--web", "--no-html", "--json", "--", "--web-port", str(port)
    )
    assert process.stderr.readline() == (
        f"Locust's page for {service}: http://127.0.0.1:{port} (Ctrl-C ends it)\n"
    )

    def page():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                return answer.status == 200
        except OSError:
            return False

    until(page, "the page is there")
    start = b"user_count=2&spawn_rate=2"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/swarm", start) as answer:
        assert json.load(answer)["success"] is True

    def asked():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/requests") as answer:
            return any(row["name"] == "/api/flaky" for row in json.load(answer)["stats"])

    until(asked, "requests are shown by route")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert json.loads(out)["total"]["requests"] > 0
