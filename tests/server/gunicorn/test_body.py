"""Bodies that come while they are read."""

import time

import pytest

from carboy.server.gunicorn.body import Incoming, buffered
from carboy.server.pace import Pace, TooSlow

PATIENT = Pace(20, 1)


def test_what_has_come_comes_first_and_then_what_comes(pair):
    ours, theirs = pair
    body = buffered(Incoming(ours, b"one\ntw", 9, PATIENT, 0))
    theirs.send(b"o\nthree\n!")
    theirs.send(b"next request")
    assert body.readline() == b"one\n"
    assert body.read(5) == b"two\nt"
    assert list(body) == [b"hree\n", b"!"]
    assert body.read() == b""
    assert ours.recv(100) == b"next request"


def test_it_counts_what_is_missing(pair):
    ours, theirs = pair
    incoming = Incoming(ours, b"ab", 3, PATIENT, 0)
    theirs.send(b"c")
    assert incoming.read(2) == b"ab"
    assert incoming.missing == 3
    assert incoming.read(9) == b"c"
    assert incoming.missing == 2


def test_a_client_that_ends_early_ends_the_body(pair):
    ours, theirs = pair
    body = buffered(Incoming(ours, b"a", 100_000, PATIENT, 0))
    theirs.send(b"b" * 1000)
    theirs.close()
    assert body.read(100_001) == b"a" + b"b" * 1000


def test_who_does_not_keep_pace_is_late(pair):
    ours, theirs = pair
    body = buffered(Incoming(ours, b"ab", 100, Pace(0.05, 1000), 0))
    theirs.send(b"c")
    with pytest.raises(TooSlow, match="3 bytes came"):
        body.read(50)


def test_time_spent_before_counts_and_what_is_there_is_still_taken(pair):
    ours, theirs = pair
    incoming = Incoming(ours, b"", 9, Pace(60, 1_000_000), 1000)
    theirs.send(b"here")
    assert incoming.read(4) == b"here"
    begun = time.monotonic()
    with pytest.raises(TooSlow):
        incoming.read(1)
    assert time.monotonic() - begun < 30


def test_a_large_body_is_not_read_beyond_its_end(pair):
    ours, theirs = pair
    body = buffered(Incoming(ours, b"", 100_000, PATIENT, 0))
    theirs.send(b"x" * 100_000 + b"rest")
    assert body.read(100_000) == b"x" * 100_000
    assert ours.recv(10) == b"rest"
