"""Workers that are replaced, for whatever reason, lose nothing and are missed by nobody."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections import Counter
from contextlib import contextmanager

import pytest

CRASHING = """
import os
from pathlib import Path

from flask import Flask

if Path("loaded").exists():
    os.abort()
Path("loaded").touch()
app = Flask(__name__)
"""


@contextmanager
def kept_alive_clients(server, until):
    """Ask without a pause on connections that are kept; give what came of it."""
    seen, done = Counter(), threading.Event()

    def ask():
        connection = server.connect()
        while not done.is_set():
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                worker = json.loads(answer.read())["pid"]
                seen["answered"] += 1
                seen[f"worker {worker}"] += 1
                if answer.will_close:
                    connection.close()
                    connection = server.connect()
            except (OSError, http.client.HTTPException) as error:
                seen[f"lost: {error!r}"] += 1
                connection.close()
                connection = server.connect()
        connection.close()

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        until(lambda: seen["answered"] > 50, "the load runs")
        yield seen
    finally:
        done.set()
        for client in clients:
            client.join(30)


def workers(seen):
    return {key for key in seen if key.startswith("worker")}


def lost(seen):
    return {key: count for key, count in seen.items() if key.startswith("lost")}


def test_a_reload_under_load_loses_no_request_of_a_kept_connection(serve, until):
    server = serve(WEB_CONCURRENCY="2", ACCESS_LOG="no")
    with kept_alive_clients(server, until) as seen:
        before = workers(seen)
        server.send(signal.SIGHUP)
        until(lambda: server.log().count("Worker exiting") >= 2, "the old workers have left")
        answered = seen["answered"]
        until(lambda: seen["answered"] > answered + 50, "the new ones answer")
    assert lost(seen) == {}
    assert workers(seen) - before


def test_recycling_under_load_loses_no_request_of_a_kept_connection(serve, until):
    server = serve(WEB_CONCURRENCY="2", ACCESS_LOG="no", GUNICORN_MAX_REQUESTS="300")
    with kept_alive_clients(server, until) as seen:
        until(lambda: len(workers(seen)) >= 4, "workers were replaced twice")
    assert lost(seen) == {}


def test_a_worker_that_is_killed_is_replaced_and_that_is_told(serve, until):
    server = serve(WEB_CONCURRENCY="2")
    killed = json.loads(server.get()[1])["pid"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: f"Worker (pid:{killed}) was sent SIGKILL!" in server.log(), "it is told")
    until(lambda: server.log().count("Booting worker") == 3, "another one starts")
    assert server.get()[0] == 200


def test_a_worker_that_hangs_is_replaced(serve, until):
    server = serve(GUNICORN_TIMEOUT="2")
    hung = json.loads(server.get()[1])["pid"]
    os.kill(hung, signal.SIGSTOP)
    until(lambda: f"WORKER TIMEOUT (pid:{hung})" in server.log(), "it is missed")
    until(lambda: json.loads(server.get()[1])["pid"] != hung, "another one answers")


@pytest.mark.engine("granian")
def test_workers_that_crash_one_after_the_other_end_the_server(serve):
    server = serve(CRASHING, listens=False)
    assert server.wait() == 1
    assert "Workers crash one after the other: 10 in a row" in server.log()


@pytest.mark.engine("granian")
def test_clients_that_do_not_read_a_large_answer_hold_no_thread(serve):
    server = serve(
        "from carboy import Carboy, Flask\napp = Flask(__name__)\nCarboy(app)\n"
        "app.get('/large')(lambda: b'x' * 20_000_000)\n",
        GUNICORN_THREADS="2",
    )
    clients = [server.connect() for _ in range(8)]
    for client in clients:
        client.request("GET", "/large")
    assert server.get("/health")[0] == 200
    assert [len(client.getresponse().read()) for client in clients] == [20_000_000] * 8
    for client in clients:
        client.close()
    assert server.stop() == 0
