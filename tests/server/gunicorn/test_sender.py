"""Answers that are there already are sent at the pace of their clients."""

import contextlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from carboy.logs import Lines
from carboy.server.gunicorn import sender
from carboy.server.gunicorn.lobby import Lobby
from carboy.server.gunicorn.sender import Sender
from carboy.server.pace import Pace

LARGE = bytes(5_000_000)


@pytest.fixture
def lobby(cfg, connection):
    made = Lobby(cfg, [], Pace(60, 1))
    made.begin()
    made.enter(connection)
    yield made
    made.close()


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def sending(lobby, lines):
    return Sender(lobby, lines)


def taken(client, size):
    """Take so much, as the client."""
    found = b""
    while len(found) < size:
        found += client.recv(size - len(found))
    return found


def wait(lobby):
    found = []
    while not found:
        found = lobby.take(9)
    return found[0]


def test_what_fits_is_gone_at_once(sending, lobby, connection, pair):
    sending.send(connection, b"all", is_last=False)
    assert taken(pair[1], 3) == b"all"
    assert (connection.rest, lobby.held_bytes(), lobby.begun()) == (None, 0, 0)


def test_what_does_not_waits_without_a_thread(sending, lobby, connection, pair):
    sending.send(connection, LARGE, is_last=True)
    assert 0 < len(connection.rest) < len(LARGE)
    assert lobby.held_bytes() == len(LARGE)
    with ThreadPoolExecutor(1) as pool:
        client = pool.submit(taken, pair[1], len(LARGE))
        while connection.rest is not None:
            assert wait(lobby) is connection
            sending.go_on(connection, connection.rest)
        assert client.result(20) == LARGE
    assert connection.lingers
    assert lobby.held_bytes() == 0


def test_beyond_a_bound_a_thread_waits(sending, lobby, connection, pair, monkeypatch):
    monkeypatch.setattr(sender, "_HELD_BYTES_MAX", 4_000_000)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(sending.send, connection, LARGE, is_last=False)
        time.sleep(0.1)
        assert not sent.done()
        assert taken(pair[1], len(LARGE)) == LARGE
        sent.result(20)
    assert connection.rest is None
    assert connection.sock.gettimeout() == 0
    pair[1].send(b"next")
    assert wait(lobby) is connection


def test_who_takes_nothing_is_cut_off(sending, lobby, connection, caplog):
    caplog.set_level("INFO", "gunicorn.error")
    sending.send(connection, LARGE, is_last=False)
    connection.is_overdue = True
    sending.go_on(connection, connection.rest)
    assert lobby.open == set()
    assert "took nothing" in caplog.text


def test_who_takes_something_late_is_not(sending, lobby, connection, pair):
    sending.send(connection, LARGE, is_last=False)
    taken(pair[1], 50_000)
    connection.is_overdue = True
    sending.go_on(connection, connection.rest)
    assert not connection.is_overdue
    assert lobby.open == {connection}


def test_who_takes_nothing_holds_a_thread_no_longer(sending, lobby, connection, monkeypatch):
    monkeypatch.setattr(sender, "_HELD_BYTES_MAX", 0)
    monkeypatch.setattr(sender, "_TIMEOUT_S", 0.05)
    sending.send(connection, LARGE, is_last=False)
    assert lobby.open == set()


@pytest.mark.parametrize("size", [3, len(LARGE)])
def test_who_has_gone_is_dropped(sending, lobby, connection, pair, size):
    pair[1].close()
    sending.send(connection, LARGE[:size], is_last=False)
    assert lobby.open == set()


def test_short_answers_are_gathered(sending, connection, pair):
    sending.gather(connection, b"one", is_last=False)
    pair[1].settimeout(0)
    with pytest.raises(BlockingIOError):
        pair[1].recv(1)
    sending.send_gathered()
    assert pair[1].recv(9) == b"one"


def test_none_waits_for_long(sending, connection, pair, monkeypatch):
    monkeypatch.setattr(sender, "_GATHERED_S", 0.01)
    sending.gather(connection, b"one", is_last=False)
    sending.send_due()
    assert sending.has_gathered()
    time.sleep(0.02)
    sending.send_due()
    assert pair[1].recv(9) == b"one"
    assert not sending.has_gathered()


def test_no_thread_waits_to_send_what_was_gathered(sending, lobby, connection, pair, monkeypatch):
    monkeypatch.setattr(sender, "_HELD_BYTES_MAX", 0)
    pair[0].settimeout(0)
    filled = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            filled += pair[0].send(bytes(1000))
    sending.gather(connection, b"short", is_last=False)
    sending.send_gathered()
    assert connection.rest is not None
    assert taken(pair[1], filled) == bytes(filled)
    assert wait(lobby) is connection
    sending.go_on(connection, connection.rest)
    assert pair[1].recv(9) == b"short"


def test_large_ones_are_not_gathered(sending, connection, pair):
    sending.gather(connection, bytes(20_000), is_last=False)
    assert taken(pair[1], 20_000) == bytes(20_000)


def test_one_that_fails_takes_none_along(sending, connection, pair, caplog):
    broken = Mock(**{"fileno.return_value": -1, "send.side_effect": ValueError("a defect")})
    other = type(connection)(None, broken, None, None, 0.0)
    sending.gather(other, b"one", is_last=False)
    sending.gather(connection, b"two", is_last=False)
    sending.send_gathered()
    assert pair[1].recv(9) == b"two"
    assert "a defect" in caplog.text
    broken.close.assert_called_once_with()


def test_no_answer_is_sent_before_its_line(sending, lines, connection, pair):
    read, write = os.pipe()
    pair[1].settimeout(0)
    lines.add(write, "gathered\n")
    sending.gather(connection, b"one", is_last=False)
    os.set_blocking(read, False)
    with pytest.raises(BlockingIOError):
        os.read(read, 9)
    connection.sock = Mock(wraps=pair[0])
    connection.sock.send.side_effect = lambda data: (seen.append(os.read(read, 99)), len(data))[1]
    seen = []
    sending.send_gathered()
    lines.add(write, "sent\n")
    sending.send(connection, b"two", is_last=False)
    assert seen == [b"gathered\n", b"sent\n"]
    os.close(read)
    os.close(write)
