"""Where clients wait: nobody is forgotten there, and nobody is let in when it is over."""

import threading
import time
from contextlib import suppress

import pytest

from carboy.server.gunicorn import watch
from carboy.server.gunicorn.lobby import Lobby
from carboy.server.pace import Pace


@pytest.fixture(params=[watch.Epoll, watch.Poll])
def lobby(request, cfg, monkeypatch):
    monkeypatch.setattr(watch, "made", request.param)
    made = Lobby(cfg, [], Pace(1, 1))
    made.begin()
    yield made
    made.close()


@pytest.fixture
def take(lobby):
    """Take connections as a thread does, which nobody waits for in vain."""

    def taken():
        found = []

        def work():
            while not found:
                found.extend(lobby.take(64))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(20)
        return found

    return taken


def enter(lobby, connection):
    lobby.open.add(connection)
    lobby._watch.add(connection.fd)
    lobby.keep(connection, is_last=False)


def test_who_takes_nothing_is_waited_for_no_longer_than_others(lobby, take, connection):
    enter(lobby, connection)
    with suppress(BlockingIOError):
        while True:
            connection.sock.send(b"x" * 65536)
    connection.deadline = time.monotonic() - 1
    lobby.look_after()
    assert take() == [connection]
    assert connection.is_overdue


def test_who_is_called_comes_in_turn(lobby, take, connection):
    lobby.open.add(connection)
    lobby.call(connection)
    lobby.call(connection)
    assert take() == [connection]
    assert take() == [connection]


def test_who_came_to_a_number_that_another_had_is_not_forgotten(lobby, take, connection):
    enter(lobby, connection)

    class Waiting(dict):
        def copy(self):  # what the look saw is gone when it acts
            late = type(connection).__new__(type(connection))
            late.deadline = 0
            return {connection.fd: late}

    lobby._waiting = Waiting(lobby._waiting)
    lobby.look_after()
    assert take() == [connection]
    assert not connection.is_overdue


def test_closing_what_is_closed_leaves_the_next_with_its_number_alone(
    lobby, take, connection, pair
):
    enter(lobby, connection)
    lobby._watch.forget(connection.fd)
    former = type(connection)(None, pair[1], None, None, 0)
    former.fd = connection.fd
    former.sock.close()
    lobby._watch.add(connection.fd)
    lobby.drop(former)
    lobby.wait(connection)
    assert take() == [connection]  # of which the other end is closed
