"""Bodies are held to their limit."""

import io
import json

import flask
import pytest
from werkzeug.wsgi import LimitedStream

from carboy.crate.body import AnnouncedInput, LimitedInput
from carboy.errors import ApiError, BadRequest, ContentTooLarge, Unavailable

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


@pytest.mark.parametrize(
    ("length", "status"),
    [
        pytest.param("10", 200, id="at the limit"),
        pytest.param("0", 200, id="empty"),
        pytest.param("", 200, id="not given"),
        pytest.param("11", 413, id="one byte above"),
        pytest.param("9" * 5000, 413, id="a number Python would not parse"),
        pytest.param("-1", 400, id="negative"),
        pytest.param("+5", 400, id="signed"),
        pytest.param("5, 5", 400, id="two lengths"),
        pytest.param("1e3", 400, id="not whole"),
        pytest.param("5_0", 400, id="underscores, which int() would take"),
        pytest.param("٣", 400, id="digits beyond ASCII"),
    ],
)
def test_the_announced_length(make_crate, get, length, status):
    sent = {"CONTENT_LENGTH": length, "body": b"x" * 10 if length == "10" else b""}
    answer = get(make_crate(echo, MAX_CONTENT_LENGTH=10), method="POST", **sent)
    assert answer.status == status


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("size", [0, 9, 10, 11, 200_000])
def test_a_body_without_a_length(make_crate, get, protocol, size):
    crate = make_crate(echo, MAX_CONTENT_LENGTH=10)
    coded = CHUNKED if protocol == "HTTP/1.1" else {"wsgi.input_terminated": True}
    sent = b"x" * size
    answer = get(crate, method="POST", SERVER_PROTOCOL=protocol,
                 **coded, **{"wsgi.input": io.BytesIO(sent)})  # fmt: skip
    assert answer.status == (200 if size <= 10 else 413)
    if size > 10:
        assert json.loads(answer.body)["code"] == "content_too_large"
    else:
        assert answer.body == sent


def test_a_length_does_not_vouch_for_a_chunked_body(make_crate, get):
    crate = make_crate(echo, MAX_CONTENT_LENGTH=10)
    sent = io.BytesIO(b"x" * 11)
    answer = get(crate, method="POST", CONTENT_LENGTH="5", **CHUNKED, **{"wsgi.input": sent})
    assert answer.status == 413


READERS = pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda body: body.read(), id="all at once"),
        pytest.param(lambda body: body.read(None), id="all at once, by None"),
        pytest.param(lambda body: b"".join(iter(lambda: body.read(3), b"")), id="in pieces"),
        pytest.param(lambda body: b"".join(iter(body.readline, b"")), id="line by line"),
        pytest.param(lambda body: b"".join(iter(lambda: body.readline(2), b"")), id="part lines"),
        pytest.param(lambda body: b"".join(body.readlines()), id="all lines"),
        pytest.param(b"".join, id="by iteration"),
        pytest.param(lambda body: io.BufferedReader(LimitedStream(body, 10**6, is_max=True)).read(),
                     id="by Werkzeug"),
    ],
)  # fmt: skip


class Trickle(io.BytesIO):
    """A connection that gives less at a time than it is asked for."""

    def read(self, size=-1):
        return super().read(min(size, 2))

    def readinto(self, buffer):
        return super().readinto(memoryview(buffer)[:2])


class Broken(io.BytesIO):
    """A server's input that fails with *error* after what it holds."""

    def __init__(self, held, error):
        super().__init__(held)
        self.error = error

    def read(self, size=-1):
        return super().read(size) or self.fail()

    def readline(self, size=-1):
        return super().readline(size) or self.fail()

    def readinto(self, buffer):
        return super().readinto(buffer) or self.fail()

    def fail(self):
        raise self.error


class MalformedChunk(Exception):
    """Like those of a server: no error that Python knows."""


@READERS
@pytest.mark.parametrize("kind", [io.BytesIO, Trickle])
def test_an_announced_body_is_read_to_its_length_and_no_further(read, kind):
    text = b"ab\ncde\n\nfghij"
    source = kind(text + b"GET / HTTP/1.1")
    assert read(AnnouncedInput(source, len(text))) == text
    assert source.tell() == len(text)


@READERS
@pytest.mark.parametrize("kind", [io.BytesIO, Trickle])
@pytest.mark.parametrize("text", [b"", b"{}", b"ab\n", b"ab\ncde\n\nfghij"])
def test_a_part_never_passes_for_the_whole(read, kind, text):
    body = AnnouncedInput(kind(text), len(text) + 1)
    with pytest.raises(BadRequest, match=f"ended after {len(text)} of {len(text) + 1} bytes"):
        read(body)
    with pytest.raises(BadRequest):
        read(body)


class Plain:
    """What PEP 3333 asks for, and no more."""

    def __init__(self, held):
        self.read = io.BytesIO(held).read


@pytest.mark.parametrize("kind", [io.BytesIO, Trickle, Plain])
def test_an_announced_body_is_read_into_a_buffer(kind):
    body, buffer, found = AnnouncedInput(kind(b"abcdef"), 7), bytearray(4), b""
    while len(found) < 6:
        size = body.readinto(buffer)
        found += buffer[:size]
    assert found == b"abcdef"
    with pytest.raises(BadRequest, match="after 6 of 7 bytes"):
        body.readinto(buffer)


def test_a_single_read_of_an_announced_body_gives_all_of_it():
    assert AnnouncedInput(Trickle(b"abcdef"), 6).read(5) == b"abcde"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(MalformedChunk("b'zz\\x1b'"), 400, id="a malformed chunk"),
        pytest.param(ConnectionResetError("reset"), 400, id="the client has gone"),
        pytest.param(ValueError("odd"), 400, id="anything else the server raises"),
        pytest.param(TimeoutError("10 s"), 408, id="too slow"),
        pytest.param(Unavailable("full"), 503, id="an error of a layer between"),
    ],
)
@pytest.mark.parametrize("framing", [CHUNKED, {"CONTENT_LENGTH": "10"}], ids=["chunked", "length"])
@pytest.mark.parametrize("wrapped", ["plain", "flask"])
def test_an_unreadable_body_is_the_requests_fault(  # noqa: PLR0917 - fixtures and parameters
    make_crate, get, caplog, error, status, framing, wrapped
):
    app = echo
    if wrapped == "flask":
        app = flask.Flask("reader")
        app.register_error_handler(ApiError, lambda error: ("", error.status))
        app.post("/")(lambda: (flask.request.get_data(), 200))
    caplog.set_level("INFO", logger="carboy.crate")
    crate = make_crate(app)
    answer = get(crate, method="POST", **framing, **{"wsgi.input": Broken(b"abc", error)})
    assert answer.status == status
    lines = [record for record in caplog.records if record.name == "carboy.crate"]
    assert len(lines) == (0 if status == 503 else 1)
    assert not [line for line in lines if line.exc_info or line.levelname != "INFO"]


@READERS
def test_however_it_is_read(read):
    text = b"ab\ncde\n\nfghij"
    assert read(LimitedInput(io.BytesIO(text), len(text))) == text
    source = io.BytesIO(text * 1000)
    limited = LimitedInput(source, len(text))
    with pytest.raises(ContentTooLarge):
        read(limited)
    assert source.tell() <= len(text) + 1
    with pytest.raises(ContentTooLarge):
        read(limited)


def test_readlines_takes_a_hint():
    assert LimitedInput(io.BytesIO(b"ab\ncd\nef\n"), 100).readlines(4) == [b"ab\n", b"cd\n"]


def test_a_body_whose_end_the_server_does_not_mark_is_not_touched(make_crate, get):
    source = io.BytesIO(b"x" * 20)
    crate = make_crate(MAX_CONTENT_LENGTH=10)
    answer = get(crate, method="POST", HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": source})
    assert answer.environ["wsgi.input"] is source


@pytest.mark.parametrize(
    ("size", "status"),
    [pytest.param(10, 200, id="at the limit"), pytest.param(11, 413, id="above: not cut short")],
)
def test_a_reader_with_the_same_limit_does_not_take_a_part_for_the_whole(
    make_crate, get, size, status
):
    app = flask.Flask("reader")
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.register_error_handler(ContentTooLarge, lambda error: ("", error.status))

    @app.post("/")
    def length():
        return str(len(flask.request.get_data()))

    sent = io.BytesIO(b"x" * size)
    crate = make_crate(app, MAX_CONTENT_LENGTH=10)
    answer = get(crate, method="POST", **CHUNKED, **{"wsgi.input": sent})
    assert (answer.status, answer.body) == (status, b"10" if status == 200 else b"")
