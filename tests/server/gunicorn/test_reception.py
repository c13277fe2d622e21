"""What a worker of gunicorn does by itself: threads that take requests in turn."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

APP = """
import os
import select
import threading
import time
from pathlib import Path

from flask import Flask, Response, request

from carboy import Carboy

app = Flask(__name__)
Carboy(app)
together = threading.Barrier(3)

@app.get("/")
def index():
    return {"thread": threading.current_thread().name, "process": os.getpid()}

@app.get("/together")
def all_at_once():
    together.wait(20)
    return "together"

@app.get("/large")
def large():
    return "x" * 5_000_000

@app.get("/hinted")
def hinted():
    request.environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
    return "hinted"

@app.get("/behind")
def behind():
    def parts():
        yield b"answer"
        app.extensions["done"] = "after the last part"
    answer = Response(parts(), headers={"Content-Length": "6"})
    @answer.call_on_close
    def close():
        Path("closing").touch()
        while not Path("go").exists():
            time.sleep(0.01)
        Path("done").write_text(app.extensions["done"])
    return answer

@app.get("/broken")
def broken():
    def parts():
        yield "begun"
        raise ValueError("in the middle")
    return Response(parts())

@app.get("/stuck")
def stuck():
    threading.Event().wait(60)
"""
WITHOUT_EPOLL = APP + "\ndel select.epoll\n"
ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

pytestmark = pytest.mark.engine("gunicorn")


@pytest.fixture(params=[APP, WITHOUT_EPOLL], ids=["as usual", "without epoll"])
def app(request):
    return request.param


@pytest.fixture
def connect():
    with ExitStack() as stack:

        def connected(server):
            address = (server.host, server.port)
            return stack.enter_context(socket.create_connection(address, timeout=20))

        yield connected


def answer(client):
    """Read one answer, of a length that it names."""
    file = client.makefile("rb")
    status, length = int(file.readline().split()[1]), 0
    while (line := file.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, file.read(length)


def test_one_thread_takes_all_requests_while_it_keeps_up(serve, connect):
    server = serve(APP, GUNICORN_THREADS="8")
    client, threads = connect(server), set()
    for _ in range(300):
        client.sendall(ASK)
        threads.add(json.loads(answer(client)[1])["thread"])
    assert len(threads) < 4


def test_requests_that_wait_for_each_other_are_taken_by_several(serve, app):
    server = serve(app, GUNICORN_THREADS="3")
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(server.get, "/together") for _ in range(3)]
        assert [found.result(30)[1] for found in answers] == ["together"] * 3


def test_many_clients_with_many_requests_each_get_their_answers(serve, app, connect):
    server = serve(app, GUNICORN_THREADS="3", ACCESS_LOG="no")
    clients = [connect(server) for _ in range(40)]

    def talk(client):
        found = []
        for _ in range(25):
            client.sendall(ASK)
            found.append(answer(client)[0])
        return found

    with ThreadPoolExecutor(8) as pool:
        assert {status for found in pool.map(talk, clients) for status in found} == {200}
    assert server.stop() == 0


def test_clients_that_do_not_take_their_answers_hold_no_thread(serve, app, connect):
    server = serve(app, GUNICORN_THREADS="2")
    clients = [connect(server) for _ in range(6)]
    for client in clients:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(0.3)
    for _ in range(3):
        assert server.get("/health")[0] == 200
    for client in clients:
        assert answer(client) == (200, b"x" * 5_000_000)
        client.sendall(ASK)  # the connection goes on
        assert answer(client)[0] == 200


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel does it")
def test_a_client_that_takes_nothing_of_a_stream_holds_no_thread_for_ever(serve, connect):
    quickly = "\nimport carboy.server.gunicorn.lobby\ncarboy.server.gunicorn.lobby._STALLED_S = 1\n"
    server = serve(APP + quickly, GUNICORN_THREADS="1")
    connect(server).sendall(b"GET /large HTTP/1.0\r\nHost: localhost\r\n\r\n")  # in gunicorn's way
    time.sleep(0.2)
    assert server.get("/")[0] == 200


def test_a_stop_waits_for_answers_that_are_being_taken(serve, connect, until):
    server = serve(APP)
    client = connect(server)
    client.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    until(lambda: " 200 GET /large" in server.log(), "the answer is begun")
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(server.stop)
        until(lambda: "Handling signal: term" in server.log(), "the stop began")
        time.sleep(1)
        assert answer(client) == (200, b"x" * 5_000_000)
        assert stopped.result(30) == 0


def test_who_comes_when_all_places_are_taken_waits_for_one(serve, app, connect):
    server = serve(
        app, GUNICORN_THREADS="1", GUNICORN_KEEPALIVE="600",
        GUNICORN_CMD_ARGS="--worker-connections 3",
    )  # fmt: skip
    kept = [connect(server) for _ in range(2)]
    for client in kept:
        client.sendall(ASK)
        assert answer(client)[0] == 200
    third, fourth = connect(server), connect(server)
    fourth.sendall(ASK)
    fourth.settimeout(0.5)
    with pytest.raises(TimeoutError):
        fourth.recv(1)
    fourth.settimeout(20)
    third.close()
    assert answer(fourth)[0] == 200


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(ASK, id="ordinary"),
        pytest.param(ASK.replace(b"GET", b"HEAD"), id="without a body"),
        pytest.param(ASK * 2, id="by gunicorn"),
    ],
)
def test_connections_beyond_those_that_are_kept_end_with_their_answer(serve, connect, asked):
    server = serve(
        APP, GUNICORN_THREADS="1", GUNICORN_KEEPALIVE="600",
        GUNICORN_CMD_ARGS="--worker-connections 3",
    )  # fmt: skip
    for client in (connect(server), connect(server)):
        client.sendall(ASK)
        assert answer(client)[0] == 200
    client = connect(server)
    client.sendall(asked)
    received = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"\r\nConnection: close\r\n" in received


def test_pipelined_requests_beyond_counting_are_answered_one_by_one(serve, connect):
    client = connect(serve(APP, ACCESS_LOG="no"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(client.sendall, ASK * 3000)
        file, found = client.makefile("rb"), 0
        while found < 3000:
            found += file.readline().startswith(b"HTTP/1.1 200 ")


def test_hints_are_sent_before_the_answer(serve, connect):
    client = connect(serve(APP))
    client.sendall(b"GET /hinted HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 103 ")
    assert received.endswith(b"hinted")


def test_what_an_app_does_behind_its_answer_keeps_the_stop_waiting_and_no_client(serve, until):
    server = serve(APP)
    assert server.get("/behind")[1] == "answer"
    until((server.folder / "closing").exists, "the app is busy behind its answer")
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(server.stop)
        until(lambda: "Handling signal: term" in server.log(), "the stop began")
        time.sleep(1.5)
        (server.folder / "go").touch()
        assert stopped.result(30) == 0
    assert (server.folder / "done").read_text() == "after the last part"


def test_a_connection_with_hints_waits_without_a_thread(serve, app, connect):
    server = serve(app, GUNICORN_THREADS="1", GUNICORN_KEEPALIVE="1")
    client = connect(server)
    client.sendall(b"GET /hinted HTTP/1.1\r\nHost: localhost\r\n\r\n")
    file = client.makefile("rb")
    while not file.readline().startswith(b"HTTP/1.1 200 "):
        pass
    time.sleep(2)
    assert server.get("/")[0] == 200
    assert file.read().endswith(b"hinted")  # and it is closed


@pytest.mark.parametrize(
    ("threads", "slow", "rest_s"),
    [
        # Threads that had nothing to do for long wait for clients, too.
        pytest.param(3, 0, 0.05, id="behind it"),
        pytest.param(3, 2, 60, id="around it"),
        pytest.param(3, 5, 60, id="before it"),
        pytest.param(1, 5, 60, id="before it, with no other thread"),
    ],
)
def test_what_came_with_a_slow_request_is_answered_meanwhile(  # noqa: PLR0917
    serve, app, connect, threads, slow, rest_s
):
    app = app.replace("from flask import Flask,", "from carboy import Flask\nfrom flask import")
    app += f"\nimport carboy.server.crew\ncarboy.server.crew._REST_S = {rest_s}\n"
    # A machine may be so slow that no answer waits for another.
    app += "import carboy.server.gunicorn.sender as sender\nsender._GATHERED_S = 60\n"
    server = serve(app, GUNICORN_THREADS=str(threads), GUNICORN_KEEPALIVE="60")
    clients = [connect(server) for _ in range(6)]
    for client in clients:
        client.sendall(ASK)
        process = json.loads(answer(client)[1])["process"]
    time.sleep(2)
    os.kill(process, signal.SIGSTOP)
    try:
        for number, client in enumerate(clients):
            stuck = b"GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n"
            client.sendall(stuck if number == slow else ASK)
    finally:
        os.kill(process, signal.SIGCONT)
    del clients[slow]
    for client in clients:
        assert answer(client)[0] == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_answer_that_breaks_in_the_middle_ends_its_connection(serve, connect, version):
    server = serve(APP)
    client = connect(server)
    client.sendall(f"GET /broken HTTP/{version}\r\nHost: localhost\r\n\r\n".encode())
    received = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"begun" in received
    assert not received.endswith(b"0\r\n\r\n")
    client.close()
    assert server.stop() == 0
    assert "in the middle" in server.log()
    assert "A connection failed" not in server.log()


def test_a_refused_connection_of_the_app_is_not_taken_for_a_client_that_has_gone(serve):
    # Beneath Flask, which would answer it.
    raising = """
def refused(environ, start_response):
    raise ConnectionRefusedError("by another service")
app.wsgi_app = refused
"""
    server = serve(APP + raising)
    assert server.get("/")[0] == 500
    assert "by another service" in server.log()


@pytest.mark.parametrize(
    "arguments", ["--limit-request-fields 3", "--header-map refuse", "--limit-request-line 64"]
)
def test_with_another_http_all_is_read_by_gunicorn(serve, connect, arguments):
    server = serve(APP, GUNICORN_CMD_ARGS=arguments)
    client = connect(server)
    client.sendall(b"GET /" + b"a" * 70 + b" HTTP/1.1\r\nHost: a\r\nX_A: b\r\nB: c\r\nD: e\r\n\r\n")
    assert answer(client)[0] in (400, 414, 431)
    assert server.get("/")[0] == 200


def test_a_stop_gives_up_on_a_view_that_does_not_end(serve, connect, until):
    server = serve(APP, GUNICORN_GRACEFUL_TIMEOUT="1")
    client = connect(server)
    client.sendall(b"GET /stuck HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(0.2)
    assert server.stop() == 0
    assert "requests cut off: 1" in server.log()
