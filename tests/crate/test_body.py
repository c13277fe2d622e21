"""Bodies are held to their limit."""

import io
import json

import flask
import pytest

from carboy.crate.body import LimitedInput
from carboy.errors import ContentTooLarge

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
    answer = get(make_crate(echo, MAX_CONTENT_LENGTH=10), method="POST", CONTENT_LENGTH=length)
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


def test_a_body_shorter_than_announced_reaches_the_app_as_it_is(make_crate, get):
    answer = get(make_crate(echo), method="POST", body=b"abc", CONTENT_LENGTH="10")
    assert (answer.status, answer.body) == (200, b"abc")


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(LimitedInput.read, id="all at once"),
        pytest.param(lambda body: body.read(None), id="all at once, by None"),
        pytest.param(lambda body: b"".join(iter(lambda: body.read(3), b"")), id="in pieces"),
        pytest.param(lambda body: b"".join(iter(body.readline, b"")), id="line by line"),
        pytest.param(lambda body: b"".join(iter(lambda: body.readline(2), b"")), id="part lines"),
        pytest.param(lambda body: b"".join(body.readlines()), id="all lines"),
        pytest.param(b"".join, id="by iteration"),
    ],
)
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
