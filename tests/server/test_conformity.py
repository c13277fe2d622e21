"""What an app and a client may rely on (PEP 3333, RFC 9112), held on a running server."""

from __future__ import annotations

import json
import socket
import struct

import pytest

APP = """
import threading
import time
from pathlib import Path

from carboy import Carboy
from flask import Flask, Response, request

app = Flask(__name__)
Carboy(app)
closed = []

@app.route("/seen/<path:rest>", methods=["GET", "POST", "OPTIONS"])
def seen(rest):
    environ = {name: value for name, value in request.environ.items() if isinstance(value, str)}
    return {"rest": rest, "environ": environ, "multiprocess": request.is_multiprocess}

@app.get("/parts")
def parts():
    count = int(request.args["count"])
    def make():
        try:
            for number in range(count):
                yield str(number % 10) * 1000
        finally:
            closed.append("parts")
    return Response(make(), mimetype="text/plain")

@app.get("/closed")
def told_closed():
    return {"closed": len(closed)}

@app.get("/large")
def large():
    return b"x" * 3_000_000

@app.get("/nothing")
def nothing():
    return "", 204

@app.get("/pushed")
def pushed():
    def events():
        yield "data: 1\\n\\n"
        while not Path("go").exists():
            time.sleep(0.01)
        yield "data: 2\\n\\n"
    return Response(events(), mimetype="text/event-stream")

@app.get("/written")
def written():
    def old(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"one ")
        return [b"two ", b"three"]
    return old

@app.get("/exits")
def exits():
    raise SystemExit(3)

@app.post("/lines")
def lines():
    return {"lines": [len(line) for line in request.environ["wsgi.input"]]}

@app.post("/echo")
def echo():
    return Response(request.get_data(), mimetype="application/octet-stream")
"""


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once(APP)


def talk(server, sent, *, end=False):
    """Send bytes, and give what comes until the server closes."""
    with socket.create_connection((server.host, server.port), timeout=20) as client:
        client.sendall(sent)
        if end:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def ask(server, head, body=b""):
    """Send a request with its own head, and give status line, headers and body."""
    received = talk(server, head + b"\r\nConnection: close\r\n\r\n" + body)
    top, _, rest = received.partition(b"\r\n\r\n")
    status, *fields = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
    return status, headers, rest


def environ(server, head):
    return json.loads(ask(server, head)[2])["environ"]


@pytest.mark.parametrize(
    ("fields", "variable", "value"),
    [
        pytest.param(b"X-One: 1\r\nX-One: 2", "HTTP_X_ONE", "1,2", id="fields that come twice"),
        pytest.param(b"X_One: 1", "HTTP_X_ONE", None, id="underscores pass for nothing"),
        pytest.param(b"X-One: \xe4\xff", "HTTP_X_ONE", "\xe4\xff", id="bytes beyond ASCII"),
        pytest.param(b"X-One:", "HTTP_X_ONE", "", id="an empty field"),
        pytest.param(b"Content-Type: text/x", "CONTENT_TYPE", "text/x", id="the content type"),
        pytest.param(b"Proxy: x", "HTTP_PROXY", "x", id="a field that is a proxy's setting"),
    ],
)
def test_a_header_reaches_the_app(server, fields, variable, value):
    head = b"GET /seen/x HTTP/1.1\r\nHost: localhost\r\n" + fields
    assert environ(server, head).get(variable) == value


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        pytest.param(b"/seen/a%20b", "/seen/a b", "", id="an escaped space"),
        pytest.param(b"/seen/%C3%A4", "/seen/\xc3\xa4", "", id="UTF-8, as bytes"),
        pytest.param(b"/seen/%FF", "/seen/\xff", "", id="what is no UTF-8"),
        pytest.param(b"/seen/a%2Fb", "/seen/a/b", "", id="an escaped slash"),
        pytest.param(b"/seen/x?a=%20&b=?", "/seen/x", "a=%20&b=?", id="a query, as it is"),
        pytest.param(b"http://localhost/seen/x?q", "/seen/x", "q", id="an absolute form"),
    ],
)
def test_a_target_reaches_the_app(server, target, path, query):
    seen = environ(server, b"GET " + target + b" HTTP/1.1\r\nHost: localhost")
    assert (seen["PATH_INFO"], seen["QUERY_STRING"]) == (path, query)


def test_the_variables_of_a_server_are_there(server):
    seen = environ(server, b"GET /seen/x HTTP/1.1\r\nHost: localhost")
    assert seen["REMOTE_ADDR"] == "127.0.0.1"
    assert seen["REMOTE_PORT"].isdigit()
    assert seen["SERVER_PORT"] == str(server.port)
    assert seen["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert seen["wsgi.url_scheme"] == "http"
    assert (seen["SCRIPT_NAME"], seen["REQUEST_METHOD"]) == ("", "GET")


def test_http_1_0_is_answered_and_closed(server):
    received = talk(server, b"GET /seen/x HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert (
        json.loads(received.partition(b"\r\n\r\n")[2])["environ"]["SERVER_PROTOCOL"] == "HTTP/1.0"
    )


def test_head_has_the_length_and_no_body(server):
    status, headers, body = ask(server, b"HEAD /large HTTP/1.1\r\nHost: localhost")
    assert status.startswith("HTTP/1.1 200")
    assert (headers["content-length"], body) == ("3000000", b"")


def test_no_content_has_neither(server):
    status, headers, body = ask(server, b"GET /nothing HTTP/1.1\r\nHost: localhost")
    assert status.startswith("HTTP/1.1 204")
    assert body == b""
    assert "transfer-encoding" not in headers


@pytest.mark.parametrize("count", [0, 1, 2, 3000])
def test_a_stream_arrives_whole_and_is_closed(server, count):
    before = json.loads(server.get("/closed")[1])["closed"]
    status, text, _ = server.get(f"/parts?count={count}")
    assert (status, len(text)) == (200, count * 1000)
    assert json.loads(server.get("/closed")[1])["closed"] == before + 1


def test_the_first_part_of_a_stream_does_not_wait_for_the_second(server):
    connection = server.connect()
    connection.request("GET", "/pushed")
    answer = connection.getresponse()
    assert answer.readline() == b"data: 1\n"
    (server.folder / "go").touch()
    assert b"data: 2\n" in answer.read()
    connection.close()


def test_a_body_in_one_large_piece_arrives_whole(server):
    status, text, headers = server.get("/large")
    assert (status, len(text), headers["Content-Length"]) == (200, 3_000_000, "3000000")


def test_write_and_the_body_after_it_arrive_in_order(server):
    assert server.get("/written")[:2] == (200, "one two three")


@pytest.mark.engine("granian")
def test_a_view_that_exits_ends_its_request_only(server):
    status, _, _ = ask(server, b"GET /exits HTTP/1.1\r\nHost: localhost")
    assert status == "" or status.startswith("HTTP/1.1 500")
    assert server.get("/health")[0] == 200


def test_lines_of_a_body_can_be_read_one_by_one(server):
    body = b"a\nbb\n" + b"c" * 100_000 + b"\nlast"
    head = b"POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d" % len(body)
    assert json.loads(ask(server, head, body)[2]) == {"lines": [2, 3, 100_001, 4]}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(b"GET / HTTP/9.9\r\nHost: localhost", "505 400", id="an unknown version"),
        pytest.param(b"G@T / HTTP/1.1\r\nHost: localhost", "400", id="a malformed method"),
        pytest.param(b"GET / HTTP/1.1\r\nHost : localhost", "400", id="a space before the colon"),
        pytest.param(b"GET / HTTP/1.1\r\nno colon", "400", id="a field without a colon"),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2",
            "400", id="two lengths",
        ),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1",
            "400", id="a negative length",
        ),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip",
            "400 501", id="an unknown transfer coding",
        ),
    ],
)  # fmt: skip
def test_a_malformed_head_is_refused(server, head, status):
    assert ask(server, head)[0][9:12] in status.split()
    assert server.get("/health")[0] == 200


def test_a_length_beside_a_transfer_coding_never_hides_a_second_request(server):
    smuggled = (
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    received = talk(server, smuggled, end=True)
    assert received[9:12] == b"400" or b"connection: close" in received.lower()
    assert received.count(b"HTTP/1.1 200") <= 1


@pytest.mark.engine("granian")
def test_a_body_above_the_limit_is_refused_before_it_is_read(server):
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999"
    status, _, body = ask(server, head)
    assert status.startswith("HTTP/1.1 413")
    assert json.loads(body)["code"] == "content_too_large"


def test_a_client_that_vanishes_from_a_stream_ends_it(server, until):
    before = json.loads(server.get("/closed")[1])["closed"]
    client = socket.create_connection((server.host, server.port), timeout=20)
    client.sendall(b"GET /parts?count=100000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.recv(1000)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    until(
        lambda: json.loads(server.get("/closed")[1])["closed"] == before + 1,
        "the app's body is closed",
    )
