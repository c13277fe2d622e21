"""When a request is complete enough for a thread."""

import pytest

from carboy.server.arrival import HELD_BYTES_MAX, Arrival

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.example\r\n%s\r\n\r\n"
CHUNKED = POST % b"Transfer-Encoding: chunked"


def cut(data, *places):
    return [data[a:b] for a, b in zip((0, *places), (*places, len(data)), strict=True)]


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(GET, id="no body"),
        pytest.param(POST % b"Content-Length: 5" + b"a\r\nbc", id="a length"),
        pytest.param(POST % b"content-LENGTH:5 " + b"abcde", id="a length, oddly written"),
        pytest.param(POST % b"Content-Length: 0", id="an empty body"),
        pytest.param(CHUNKED + b"0\r\n\r\n", id="no chunk"),
        pytest.param(CHUNKED + b"3\r\nabc\r\n00A;x=y\r\n0123456789\r\n0\r\n\r\n", id="chunks"),
        pytest.param(CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\n\r\n", id="chunks that look like an end"),
        pytest.param(CHUNKED + b"1\r\na\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n", id="trailers"),
    ],
)
def test_a_request_is_ready_with_its_last_byte_however_it_is_cut(request_bytes):
    size = len(request_bytes)
    for place in range(1, size):
        arrival = Arrival(0)
        first, rest = cut(request_bytes, place)
        arrival.add(first, 1)
        assert not arrival.is_ready(), first
        arrival.add(rest, 2)
        assert arrival.is_ready(), first
    arrival = Arrival(0)
    seen = []
    for place in range(size):
        arrival.add(request_bytes[place : place + 1], place)
        seen.append(arrival.is_ready())
    assert seen == [False] * (size - 1) + [True]
    assert arrival.data == request_bytes
    assert Arrival(0, request_bytes + GET[:9]).is_ready()


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", id="lines without a carriage return"),
        pytest.param(b"x" * HELD_BYTES_MAX, id="a head without an end"),
        pytest.param(POST % b"Content-Length: 5\r\nExpect: 100-continue", id="Expect"),
        pytest.param(POST % b"Content-Length: five", id="a malformed length"),
        pytest.param(POST % (b"Content-Length: " + b"9" * 30), id="an endless length"),
        pytest.param(POST % b"Content-Length: 999999" + b"x" * HELD_BYTES_MAX, id="a large body"),
        pytest.param(CHUNKED + b"zz\r\n", id="a malformed chunk size"),
        pytest.param(CHUNKED + b"zz", id="a malformed chunk size, begun"),
        pytest.param(CHUNKED + b"-2\r\n", id="a negative chunk size"),
        pytest.param(CHUNKED + b"2;a\nb\r\n", id="a line feed in a chunk extension"),
        pytest.param(CHUNKED + b"2\r\nabcd", id="no end of line after a chunk"),
        pytest.param(CHUNKED + b"0\r\nX: 1\n", id="a line feed in a trailer"),
        pytest.param(CHUNKED + b"FFFFF\r\n" + b"x" * HELD_BYTES_MAX, id="a large chunk"),
    ],
)
def test_what_a_thread_has_to_judge_is_ready_at_once(begun):
    assert Arrival(0, begun).is_ready()
    arrival = Arrival(0)
    seen = []
    for place in range(0, len(begun), 7):
        arrival.add(begun[place : place + 7], 1)
        seen.append(arrival.is_ready())
    assert any(seen)


def test_the_time_runs_from_the_first_byte():
    arrival = Arrival(1)
    assert arrival.began == 1
    arrival.add(b"G", 5)
    arrival.add(b"ET", 9)
    assert arrival.began == 5


@pytest.mark.parametrize(("data", "has_head"), [(b"", False), (GET[:-1], False), (GET, True)])
def test_whether_the_head_is_there(data, has_head):
    assert Arrival(0, data).has_head() is has_head
