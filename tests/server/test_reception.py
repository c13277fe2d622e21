"""Clients that are slow, odd or gone do not stop the others."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import shlex
import socket
import ssl
import struct
import time
from contextlib import ExitStack

import pytest

BODY_APP = """
from flask import Flask, request

from carboy import Blueprint, Carboy
from marshmallow import Schema, fields

app = Flask(__name__)
Carboy(app)
api = Blueprint("api", __name__)

class Note(Schema):
    text = fields.String(required=True)

@api.post("/notes")
@api.input(Note)
def note(data):
    return data

@api.post("/length")
def length():
    return {"length": len(request.get_data())}

@api.post("/unread")
def unread():
    return {"read": False}

@app.get("/broken")
def broken():
    def parts():
        yield "begun"
        raise RuntimeError("in the middle")
    return parts()

app.register_blueprint(api)
"""
HEAD = b"POST /notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: local",
    "one byte of a body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "one chunk": CHUNKED + b"1\r\n{\r\n",
    "half a chunk": CHUNKED + b"5\r\n{",
}


class Client:
    """A connection on which anything may be sent."""

    def __init__(self, server):
        self.socket = socket.create_connection((server.host, server.port), timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data, *, end=False):
        self.socket.sendall(data)
        if end:
            self.socket.shutdown(socket.SHUT_WR)
        return self

    def rest(self):
        """Read until the server closes."""
        received = b""
        while data := self.socket.recv(65536):
            received += data
        return received

    def answer(self):
        """Read one answer; give its status and what JSON it holds."""
        file = self.socket.makefile("rb")
        status = int(file.readline().split()[1])
        length = 0
        while (line := file.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        text = file.read(length)
        return status, json.loads(text) if text.startswith(b"{") else text


@pytest.fixture(scope="module")
def started(serve_once):
    return serve_once(BODY_APP)


@pytest.fixture
def shared(started):
    """Give a server with the usual settings, which the test neither stops nor harms."""
    started.forget()
    return started


@pytest.fixture(scope="module")
def started_in_a_hurry(serve_once):
    return serve_once(BODY_APP, HTTP_READ_TIMEOUT_S="1", GUNICORN_KEEPALIVE="0")


@pytest.fixture
def hasty(started_in_a_hurry):
    """Give a server that waits a second for a request, shared like the other."""
    started_in_a_hurry.forget()
    return started_in_a_hurry


@pytest.fixture(scope="module")
def patient(serve_once):
    """Give a server with two threads that waits for ever, shared like the other."""
    return serve_once(BODY_APP, GUNICORN_THREADS="2", HTTP_READ_TIMEOUT_S="600")


@pytest.fixture
def connect():
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(Client(server))


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_clients_that_wait_take_no_thread(patient, connect, sent):
    for _ in range(8):
        connect(patient).send(sent)
    for _ in range(3):  # also after the poller has seen all of them
        assert patient.get("/health")[0] == 200


def test_large_bodies_that_stall_are_cut_and_free_their_threads(serve, connect):
    server = serve(
        BODY_APP, GUNICORN_THREADS="2", HTTP_READ_TIMEOUT_S="0.5", HTTP_READ_BYTES_PER_S="1000000"
    )
    head = HEAD.replace(b"/notes", b"/length") + b"Content-Length: 1000000\r\n\r\n"
    clients = [connect(server).send(head + b"x" * 100_000) for _ in range(8)]
    assert server.get("/health")[0] == 200
    statuses = [client.answer()[0] for client in clients]
    assert statuses == [408] * 8
    assert "Traceback" not in server.log()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(SLOW["one byte of a body"], 408, "request_timeout", id="one byte of a body"),
        pytest.param(SLOW["one chunk"], 408, "request_timeout", id="one chunk"),
    ],
)
def test_a_request_that_takes_too_long_is_refused_and_the_connection_closed(
    hasty, connect, sent, status, code
):
    client = connect(hasty).send(sent)
    got, said = client.answer()
    assert (got, said["code"]) == (status, code)
    assert client.rest() == b""
    assert "Traceback" not in hasty.log()


def test_half_a_head_that_takes_too_long_is_refused_or_dropped(hasty, connect, engine):
    received = connect(hasty).send(SLOW["half a head"]).rest()
    assert received[:12] == (b"HTTP/1.1 408" if engine == "gunicorn" else b"")
    assert "Traceback" not in hasty.log()


@pytest.mark.parametrize(
    ("begun", "told"),
    [
        pytest.param(b"", {"gunicorn": b"HTTP/1.1 408", "granian": b""}, id="a head"),
        pytest.param(CHUNKED + b"ffff\r\n",
                     dict.fromkeys(("gunicorn", "granian"), b"HTTP/1.1 408"), id="a body"),
    ],
)  # fmt: skip
def test_dribbling_gains_no_time(hasty, connect, engine, begun, told):
    client = connect(hasty).send(begun)
    client.socket.settimeout(0.05)
    deadline = time.monotonic() + 30
    received = None
    while received is None and time.monotonic() < deadline:
        try:
            client.send(b"X")
            received = client.socket.recv(1000)
        except TimeoutError:
            continue
        except ConnectionError:
            received = b""
    assert received is not None
    assert received[:12] == told[engine]


# granian mostly does so as well, but may listen on for as long as the client goes on.
@pytest.mark.engine("gunicorn")
def test_who_is_cut_off_and_goes_on_sending_is_closed_all_the_same(hasty, connect, until):
    client = connect(hasty).send(SLOW["one byte of a body"])
    assert client.answer()[0] == 408

    def refused():
        try:
            client.send(b"x")
        except ConnectionError:
            return True
        return False

    assert until(refused, "the server closes")


def test_a_client_that_resets_the_connection_is_forgotten(serve, connect):
    server = serve(BODY_APP, GUNICORN_THREADS="1")
    for _ in range(4):
        for sent in SLOW.values():
            client = connect(server).send(sent)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
    assert server.get("/health")[0] == 200
    assert server.stop() == 0
    assert "Traceback" not in server.log()


def test_an_answer_that_breaks_off_ends_its_connection_only(serve, connect):
    server = serve(BODY_APP)
    client = connect(server).send(b"GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = client.rest()
    assert b"begun" in received
    assert not received.endswith(b"0\r\n\r\n")
    assert server.get("/health")[0] == 200
    assert server.stop() == 0


@pytest.mark.engine("gunicorn")
def test_over_tls_gunicorn_receives_by_itself(serve, tmp_path):
    certificate, key = make_certificate(tmp_path)
    server = serve(
        BODY_APP, GUNICORN_CMD_ARGS=shlex.join(["--certfile", certificate, "--keyfile", key])
    )
    trust = ssl.create_default_context(cafile=certificate)
    for _ in range(2):
        connection = http.client.HTTPSConnection("localhost", server.port, context=trust)
        connection.request("POST", "/length", body=b"x" * 1000)
        assert json.loads(connection.getresponse().read())["data"] == {"length": 1000}
        connection.close()
    assert server.stop() == 0


def make_certificate(folder):
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(hasty, connect):
    assert connect(hasty).rest() == b""


def test_a_view_that_needs_no_body_answers_although_it_never_came(serve, connect):
    # Long enough for a busy machine to call the view, short enough to wait for the close.
    client = connect(serve(BODY_APP, HTTP_READ_TIMEOUT_S="3")).send(
        b"POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    )
    assert client.answer()[0] == 200
    assert client.rest() == b""


def test_who_does_not_close_after_an_answer_holds_nobody_up(shared, connect):
    begun = time.monotonic()
    for _ in range(10):
        client = connect(shared)
        client.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert client.rest().endswith(b"OK")
    # Waiting for each of them to close would be two seconds a client.
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"zz\r\n", id="a size that is no number"),
        pytest.param(b"-2\r\n{}\r\n0\r\n\r\n", id="a negative size"),
        pytest.param(b"2\r\n{}0\r\n\r\n", id="no end of line after a chunk"),
        pytest.param(b"2;a\nb\r\n{}\r\n0\r\n\r\n", id="a line feed in an extension"),
        pytest.param(b"2\r\n{}\r\n0\r\nX y: 1\r\n\r\n", id="a trailer with a space in its name"),
        pytest.param(b"2\r\n{}\r\n0\r\nno colon\r\n\r\n", id="a trailer that is none"),
    ],
)
def test_a_malformed_chunk_is_a_bad_request_and_one_line_of_the_log(shared, connect, until, body):
    client = connect(shared).send(CHUNKED + body)
    status, said = client.answer()
    assert (status, said["status"], said["code"]) == (400, "fail", "bad_request")
    assert client.rest() == b""
    until(lambda: " 400 POST " in shared.log(), "the request is logged")
    lines = shared.log().splitlines()
    assert "Traceback" not in shared.log()
    assert len([line for line in lines if "could not be read" in line]) == 1


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(HEAD + b'Content-Length: 5000\r\n\r\n{"text": "complete"}', id="a length"),
        pytest.param(CHUNKED + b'14\r\n{"text": "complete"}\r\n', id="chunks"),
        pytest.param(
            HEAD + b'Content-Length: 200000\r\n\r\n{"text": "' + b"x" * 99_000 + b'"}',
            id="a length beyond what is held",
        ),
    ],
)
def test_a_body_that_ends_early_is_refused_although_what_came_is_json(shared, connect, sent):
    status, said = connect(shared).send(sent, end=True).answer()
    assert (status, said["code"]) == (400, "bad_request")


def test_half_a_head_and_an_end_are_closed(shared, connect):
    assert connect(shared).send(SLOW["half a head"], end=True).rest() == b""
    assert connect(shared).send(b"", end=True).rest() == b""
    assert "Traceback" not in shared.log()


NOTE = HEAD + b'Content-Length: 13\r\n\r\n{"text": "a"}'


@pytest.mark.parametrize(
    ("sent", "texts"),
    [
        pytest.param(NOTE * 3, "aaa", id="pipelined"),
        pytest.param(NOTE + CHUNKED + b'd\r\n{"text": "b"}\r\n0\r\n\r\n' + NOTE, "aba",
                     id="pipelined, one of them in chunks"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pieces", [1, 7], ids=["at once", "in pieces"])
def test_requests_on_one_connection_are_answered_in_turn(shared, connect, sent, texts, pieces):
    client = connect(shared)
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    step = -(-len(sent) // pieces)
    for start in range(0, len(sent), step):
        client.send(sent[start : start + step])
    received = b""
    while received.count(b'"text":') < len(texts):
        data = client.socket.recv(65536)
        assert data
        received += data
    found = [part.split(b'"')[1].decode() for part in received.split(b'"text":')[1:]]
    assert "".join(found) == texts


@pytest.mark.parametrize("size", [0, 1, 32_767, 32_768, 32_769, 65_537, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_of_any_size_arrives_whole(shared, size, chunked):
    connection = shared.connect()
    body = b"x" * size
    pieces = iter([body[start : start + 70_000] for start in range(0, size, 70_000)])
    connection.request("POST", "/length", body=pieces if chunked else body, encode_chunked=chunked,
                       headers={"Transfer-Encoding": "chunked"} if chunked else {})  # fmt: skip
    assert json.loads(connection.getresponse().read())["data"] == {"length": size}
    connection.close()


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(shared, connect):
    client = connect(shared)
    client.send(HEAD + b"Content-Length: 13\r\nExpect: 100-continue\r\n\r\n")
    assert client.socket.recv(100).startswith(b"HTTP/1.1 100 ")
    client.send(b'{"text": "a"}')
    assert client.answer()[1]["data"] == {"text": "a"}


def test_lines_without_a_carriage_return_hold_nobody_up(serve, connect, engine):
    server = serve(BODY_APP, HTTP_READ_TIMEOUT_S="600")
    status, _ = connect(server).send(b"GET / HTTP/1.1\nHost: localhost\n\n").answer()
    # RFC 9112, section 2.2: a recipient may take a single LF for the end of a line.
    assert status == {"gunicorn": 400, "granian": 404}[engine]
