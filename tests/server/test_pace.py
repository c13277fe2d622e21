"""How long a client may take."""

import socket
import time

import pytest
from gunicorn.http.errors import NoMoreData

from carboy.server.pace import Pace, PacedUnreader, TooSlow


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_each_byte_earns_time():
    assert Pace(10, 100).allowed_s(0) == 10
    assert Pace(10, 100).allowed_s(500) == 15


def test_who_keeps_pace_is_read(pair):
    ours, theirs = pair
    unreader = PacedUnreader(ours, Pace(20, 100))
    unreader.begin(b"ab", 0)
    theirs.send(b"cdef")
    assert unreader.read(5) == b"abcde"
    assert unreader.read(1) == b"f"
    assert ours.gettimeout() is None


def test_who_does_not_is_gone_for_the_server_and_late_for_the_app(pair):
    ours, _theirs = pair
    unreader = PacedUnreader(ours, Pace(0.05, 1000))
    unreader.begin(b"ab", 0)
    with pytest.raises(TooSlow, match="2 bytes came") as caught:
        unreader.read(3)
    assert isinstance(caught.value, NoMoreData)
    assert isinstance(caught.value, TimeoutError)
    assert ours.gettimeout() is None


def test_time_spent_before_counts_and_what_is_there_is_still_taken(pair):
    ours, theirs = pair
    unreader = PacedUnreader(ours, Pace(60, 1_000_000))
    unreader.begin(b"", 1000)
    theirs.send(b"here")
    assert unreader.read(4) == b"here"
    begun = time.monotonic()
    with pytest.raises(TooSlow):
        unreader.read(1)
    assert time.monotonic() - begun < 30


def test_a_shorter_limit_of_the_server_holds(pair):
    ours, _theirs = pair
    ours.settimeout(0.01)
    unreader = PacedUnreader(ours, Pace(600, 1))
    unreader.begin(b"", 0)
    with pytest.raises(TimeoutError):
        unreader.read(1)
    assert ours.gettimeout() == 0.01


def test_the_next_request_starts_anew(pair):
    ours, theirs = pair
    unreader = PacedUnreader(ours, Pace(60, 1))
    unreader.begin(b"", 1000)
    unreader.begin(b"", 0)
    theirs.send(b"x")
    theirs.shutdown(socket.SHUT_WR)
    assert unreader.read(2) == b"x"
