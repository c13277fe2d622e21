"""What the crate knows of a request, and the ids it gives to it."""

import re

import pytest

from carboy.crate import Exchange

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("abc-123_~.Z", True, id="a well-formed id is kept"),
        pytest.param("a" * 128, True, id="the longest id is kept"),
        pytest.param("a" * 129, False, id="a longer one is replaced"),
        pytest.param("", False, id="an empty one is replaced"),
        pytest.param("a b", False, id="a space is not accepted"),
        pytest.param("a\n", False, id="a line feed at the end is not accepted"),
        pytest.param("ä", False, id="letters beyond ASCII are not accepted"),
        pytest.param(None, False, id="one is made where none came"),
    ],
)
def test_the_request_id(make_crate, get, given, kept):
    answer = get(make_crate(), HTTP_X_REQUEST_ID=given)
    made = answer["X-Request-ID"]
    assert made == given if kept else re.fullmatch("[0-9a-f]{32}", made)
    assert answer.environ["HTTP_X_REQUEST_ID"] == made
    assert answer.environ["carboy.exchange"].request_id == made


def test_made_ids_differ(make_crate, get):
    crate = make_crate()
    assert len({get(crate)["X-Request-ID"] for _ in range(50)}) == 50


def test_the_apps_own_id_is_not_doubled(make_crate, get):
    def app(environ, start_response):
        start_response("200 OK", [("X-Request-Id", "own")])
        return [b""]

    assert get(make_crate(app))["X-Request-ID"] == "own"


@pytest.mark.parametrize(
    ("header", "valid"),
    [
        pytest.param(f"00-{TRACE}-{PARENT}-01", True, id="version 00"),
        pytest.param(f"00-{TRACE}-{PARENT}-00", True, id="not sampled"),
        pytest.param(f"cc-{TRACE}-{PARENT}-01-later", True, id="a later version with more"),
        pytest.param(f"cc-{TRACE}-{PARENT}-01", True, id="a later version without more"),
        pytest.param(f"cc-{TRACE}-{PARENT}-01.later", False, id="more without a dash"),
        pytest.param(f"00-{TRACE}-{PARENT}-01-more", False, id="version 00 has no more"),
        pytest.param(f"ff-{TRACE}-{PARENT}-01", False, id="version ff is forbidden"),
        pytest.param(f"00-{'0' * 32}-{PARENT}-01", False, id="an all-zero trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", False, id="an all-zero parent"),
        pytest.param(f"00-{TRACE.upper()}-{PARENT}-01", False, id="upper case"),
        pytest.param(f"00-{TRACE}-{PARENT}", False, id="no flags"),
        pytest.param(f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01", False, id="two of them"),
        pytest.param(f"00-{TRACE}-{PARENT}-01\n", False, id="a line feed at the end"),
        pytest.param("nonsense", False, id="nonsense"),
    ],
)
def test_a_trace_is_continued_when_its_header_is_valid(environ, header, valid):
    exchange = Exchange(environ(HTTP_TRACEPARENT=header), 0)
    assert exchange.trace_id == (TRACE if valid else "")


@pytest.mark.parametrize(
    ("flags", "passed_on"), [("01", "01"), ("00", "00"), ("ff", "01"), ("02", "00")]
)
def test_calls_go_on_under_a_fresh_parent(environ, flags, passed_on):
    exchange = Exchange(environ(HTTP_TRACEPARENT=f"00-{TRACE}-{PARENT}-{flags}"), 0)
    version, trace, parent, given = exchange.traceparent().split("-")
    assert (version, trace, given) == ("00", TRACE, passed_on)
    assert re.fullmatch("[0-9a-f]{16}", parent)
    assert parent != PARENT


def test_a_trace_is_begun_where_none_came(environ):
    exchange = Exchange(environ(), 0)
    first, second = exchange.traceparent(), exchange.traceparent()
    assert exchange.trace_id in first
    assert exchange.trace_id in second
    assert first != second


def test_what_it_knows(environ):
    exchange = Exchange(environ("/caf\xc3\xa9", "PUT", SCRIPT_NAME="/shop"), 7)
    assert (exchange.method, exchange.path) == ("PUT", "/shop/café")
    assert (exchange.client, exchange.scheme, exchange.host) == ("192.0.2.1", "http", "localhost")
    assert (exchange.started_ns, exchange.status, exchange.bytes_sent) == (7, 0, 0)


def test_a_path_in_no_known_encoding_is_still_text(environ):
    assert Exchange(environ("/\xff"), 0).path == "/\ufffd"
