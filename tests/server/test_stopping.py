"""A stop loses nothing that was accepted."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest


def test_a_request_in_flight_at_sigterm_gets_its_answer(serve, until):
    server = serve()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.get, "/slow")
        until((server.folder / "entered").exists, "the view runs")
        server.send(signal.SIGTERM)
        until(lambda: "Handling signal: term" in server.log(), "the stop began")
        (server.folder / "finish").touch()
        status, body, _ = answer.result(30)
    assert (status, body) == (200, "finished")
    assert server.wait() == 0


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("127.0.0.1", id="over IPv4"),
        pytest.param("::1", id="over IPv6"),
        pytest.param("::", id="on every address"),
    ],
)
def test_no_accepted_connection_is_lost_when_stopped_under_load(serve, until, host):
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    server = serve(HTTP_HOST=host, WEB_CONCURRENCY="2", ACCESS_LOG="no", TRUSTED_HOSTS="*")
    seen: Counter[str] = Counter()
    stopped = threading.Event()

    def ask() -> None:
        while not stopped.is_set():
            try:
                connection = server.connect()
            except (ConnectionRefusedError, TimeoutError):
                seen["refused"] += 1
                stopped.wait(0.01)
                continue
            try:
                connection.request("GET", "/")
                seen[str(connection.getresponse().status)] += 1
            except (OSError, http.client.HTTPException) as error:
                seen[f"lost: {error!r}"] += 1
            finally:
                connection.close()

    with ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(ask) for _ in range(8)]
        until(lambda: seen["200"] > 200, "the load runs")
        status = server.stop()
        until(lambda: seen["refused"] > 0, "the port is closed")
        stopped.set()
        for caller in callers:
            caller.result(30)
    assert {outcome for outcome in seen if outcome not in {"200", "refused"}} == set()
    assert status == 0


def test_readiness_fails_at_once_while_everything_else_is_served_for_the_delay(serve, until):
    server = serve(STOP_DELAY_S="60")
    assert server.get("/health/ready")[0] == 200
    server.send(signal.SIGTERM)
    until(lambda: server.get("/health/ready")[0] == 503, "readiness fails")
    assert server.get("/")[0] == 200
    assert server.get("/health/live")[0] == 200
    server.send(signal.SIGINT)
    assert server.wait() == 0


def test_answers_during_the_delay_are_the_last_on_their_connections(serve, until):
    server = serve(STOP_DELAY_S="60", GUNICORN_KEEPALIVE="600")
    kept = server.connect()
    kept.request("GET", "/")
    answer = kept.getresponse()
    answer.read()
    assert not answer.will_close

    server.send(signal.SIGTERM)
    until(lambda: server.get("/health/ready")[0] == 503, "readiness fails")
    kept.request("GET", "/")
    answer = kept.getresponse()
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    kept.close()


def test_a_worker_that_dies_during_the_delay_is_replaced(serve, until):
    server = serve(STOP_DELAY_S="60")
    first = server.get("/")[1]
    server.send(signal.SIGTERM)
    until(lambda: server.get("/health/ready")[0] == 503, "readiness fails")

    os.kill(json.loads(first)["pid"], signal.SIGKILL)
    until(lambda: _answers(server) not in (None, first), "another worker answers")


@pytest.mark.parametrize("spoken", [True, False], ids=["kept alive", "silent from the start"])
def test_an_idle_connection_does_not_hold_the_stop(serve, spoken):
    server = serve(GUNICORN_KEEPALIVE="600", GUNICORN_GRACEFUL_TIMEOUT="600")
    connection = server.connect()
    if spoken:
        connection.request("GET", "/")
        assert connection.getresponse().read()
    else:
        assert server.get("/")[0] == 200
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 15
    connection.close()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT], ids=["Ctrl-C", "SIGQUIT"])
def test_a_quick_stop_waits_for_no_request(serve, until, signum):
    server = serve(GUNICORN_GRACEFUL_TIMEOUT="600")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.get, "/slow")
        until((server.folder / "entered").exists, "the view runs")
        server.send(signum)
        assert server.wait() == 0
        with pytest.raises((OSError, http.client.HTTPException)):
            answer.result(30)
    assert "Traceback" not in server.log()


@pytest.mark.engine("gunicorn")
def test_sigterm_while_the_app_is_loading_ends_the_start(serve, until):
    source = "from pathlib import Path\nimport time\nPath('loading').touch()\ntime.sleep(600)\n"
    server = serve(source, listens=False)
    until((server.folder / "loading").exists, "the app is loading")
    assert server.stop() == 128 + signal.SIGTERM
    assert "Traceback" not in server.log()


@pytest.mark.engine("gunicorn")
def test_ctrl_c_while_a_process_is_forked_is_not_lost(serve, until, tmp_path):
    # What is raised there Python can only report.
    slow = "import os, time\nos.register_at_fork(after_in_parent=lambda: time.sleep(2))\n"
    (tmp_path / "sitecustomize.py").write_text(slow)
    source = "from pathlib import Path\nimport time\nPath('loading').touch()\ntime.sleep(600)\n"
    server = serve(source, listens=False, PYTHONPATH=str(tmp_path))
    until((server.folder / "loading").exists, "the app is loading")
    server.send(signal.SIGINT)
    assert server.wait() == 128 + signal.SIGINT


@pytest.mark.engine("gunicorn")
def test_ctrl_c_while_the_app_is_loading_ends_the_start_without_a_traceback(serve, until):
    source = "from pathlib import Path\nimport time\nPath('loading').touch()\ntime.sleep(600)\n"
    server = serve(source, listens=False)
    until((server.folder / "loading").exists, "the app is loading")
    server.send(signal.SIGINT)
    assert server.wait() == 128 + signal.SIGINT
    assert "Traceback" not in server.log()


BOOTING = """
from pathlib import Path
import os, time
if Path("loaded").exists():
    Path(f"booting-{os.getpid()}").touch()
    time.sleep(600)
Path("loaded").touch()
from flask import Flask
app = Flask(__name__)
"""


@pytest.mark.parametrize(
    "signum",
    [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM],
    ids=["Ctrl-C", "SIGQUIT", "SIGTERM"],
)
@pytest.mark.engine("gunicorn")
def test_a_stop_of_the_group_while_workers_load_the_app_is_quiet_and_quick(serve, until, signum):
    server = serve(BOOTING, WEB_CONCURRENCY="2", GUNICORN_GRACEFUL_TIMEOUT="600")
    # Both: one that is just being forked hears a signal only once it has handlers of its own.
    until(lambda: len([*server.folder.glob("booting-*")]) == 2, "both workers load the app")
    os.killpg(server.process.pid, signum)
    assert server.wait() == 0
    assert "Traceback" not in server.log()
    assert "cannot be loaded" not in server.log()
    assert "killed" not in server.log()


def test_ctrl_c_in_a_terminal_is_quiet(serve, until):
    server = serve(WEB_CONCURRENCY="2")
    until(lambda: server.get()[0] == 200, "it serves")
    os.killpg(server.process.pid, signal.SIGINT)
    assert server.wait() == 0
    assert "race condition" not in server.log()
    assert "Traceback" not in server.log()


def test_sigterm_to_the_whole_group_leaves_the_workers_to_the_master(serve, until):
    server = serve(STOP_DELAY_S="60")
    first = server.get("/")[1]
    os.killpg(server.process.pid, signal.SIGTERM)
    until(lambda: server.get("/health/ready")[0] == 503, "readiness fails")
    assert {server.get("/")[1] for _ in range(5)} == {first}
    server.send(signal.SIGINT)
    assert server.wait() == 0
    assert server.log().count("Booting worker") == 1


def test_requests_that_outlast_the_graceful_timeout_are_counted_in_the_log(serve, until):
    server = serve(GUNICORN_GRACEFUL_TIMEOUT="1")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.get, "/slow")
        until((server.folder / "entered").exists, "the view runs")
        assert server.stop() == 0
        with pytest.raises((OSError, http.client.HTTPException)):
            answer.result(30)
    assert "GUNICORN_GRACEFUL_TIMEOUT (1 s) is over: requests cut off: 1." in server.log(), (
        server.log()
    )
    assert "SIGKILL" not in server.log()


def test_a_half_sent_request_at_the_end_of_the_graceful_timeout_is_counted_too(serve):
    server = serve(GUNICORN_GRACEFUL_TIMEOUT="1", HTTP_READ_TIMEOUT_S="600")
    assert server.get()[0] == 200
    with socket.create_connection((server.host, server.port)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        assert server.get()[0] == 200  # the same loop has read the half before
        assert server.stop() == 0
    assert "requests cut off: 1." in server.log()
    assert "memory" not in server.log()


def test_a_worker_that_hears_nothing_is_killed_with_the_reason(serve, until):
    server = serve(GUNICORN_GRACEFUL_TIMEOUT="1", STOP_DELAY_S="0")
    worker = json.loads(server.get()[1])["pid"]
    os.kill(worker, signal.SIGSTOP)
    assert server.stop() == 0
    assert f"Worker (pid:{worker}) did not end in time: killed." in server.log()
    assert "memory" not in server.log()


def _answers(server):
    try:
        return server.get("/")[1]
    except OSError:
        return None


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
