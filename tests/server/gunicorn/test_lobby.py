"""Where clients wait: nobody is forgotten there, and nobody is let in when it is over."""

import socket
import threading
import time
from contextlib import suppress
from unittest.mock import Mock

import pytest

from carboy.server.gunicorn import watch
from carboy.server.gunicorn.lobby import Lobby
from carboy.server.pace import Pace

edges = pytest.mark.parametrize("lobby", [watch.Epoll], indirect=True)


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
    lobby.enter(connection)
    lobby.keep(connection, is_last=False)


def read(take, connection):
    """Take a connection and read all that is there, as a thread does."""
    assert take() == [connection]
    connection.is_drained = True
    return connection.sock.recv(9)


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
            return {connection.fd: type(connection)(None, connection.sock, None, None, 0.0)}

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


def test_what_comes_meanwhile_is_told_when_the_connection_is_back(lobby, take, connection, pair):
    enter(lobby, connection)
    pair[1].send(b"a")
    assert read(take, connection) == b"a"
    pair[1].send(b"b")
    lobby.take(9, wait=False)  # as another thread does
    lobby.wait(connection)
    assert read(take, connection) == b"b"


def test_the_end_that_came_with_a_request_is_told_behind_it(lobby, take, connection, pair):
    enter(lobby, connection)
    pair[1].send(b"a")
    pair[1].shutdown(socket.SHUT_WR)
    assert read(take, connection) == b"a"
    lobby.wait(connection)
    assert read(take, connection) == b""


def test_what_was_not_read_is_told_again(lobby, take, connection, pair):
    enter(lobby, connection)
    pair[1].send(b"ab")
    assert take() == [connection]
    assert connection.sock.recv(1) == b"a"
    lobby.wait(connection)
    assert read(take, connection) == b"b"


def test_a_wait_for_room_is_over_when_there_is(lobby, take, connection, pair):
    enter(lobby, connection)
    connection.sock.settimeout(0)
    filled = 0
    with suppress(BlockingIOError):
        while True:
            filled += connection.sock.send(bytes(1000))
    connection.is_drained = True
    lobby.wait(connection, write=True)
    while filled:
        filled -= len(pair[1].recv(65536))
    assert take() == [connection]
    pair[1].send(b"a")
    lobby.wait(connection)
    assert take() == [connection]


@edges
def test_news_of_what_is_back_before_it_is_seen_is_not_lost(lobby, connection, pair):
    enter(lobby, connection)

    class Late(dict):
        """The connection comes back behind the first look."""

        looks = 0

        def pop(self, fd, default):
            self.looks += fd == connection.fd
            return default if self.looks == 1 else super().pop(fd, default)

    lobby._waiting = Late(lobby._waiting)
    pair[1].send(b"a")
    assert lobby.take(9) == [connection]


@edges
def test_an_end_that_is_told_between_two_requests_is_told_behind_the_second(
    lobby, take, connection, pair
):
    enter(lobby, connection)
    pair[1].send(b"a")
    assert read(take, connection) == b"a"
    pair[1].send(b"b")
    pair[1].shutdown(socket.SHUT_WR)
    assert lobby.take(9, wait=False) == []  # by another thread
    for rest in (b"b", b""):
        connection.is_drained = True
        lobby.wait(connection)
        assert read(take, connection) == rest


@edges
def test_what_came_under_the_number_of_one_that_has_gone_is_not_lost(lobby, cfg, connection, pair):
    enter(lobby, connection)

    class Gone(dict):
        """Between two looks another thread drops the connection and lets the next one in."""

        looks = 0

        def pop(self, fd, default):
            self.looks += fd == connection.fd
            if self.looks != 1:
                return super().pop(fd, default)
            self[fd] = next_one
            return default

    next_one = type(connection)(cfg, connection.sock, None, None, 0)
    lobby._waiting = Gone()
    pair[1].send(b"a")
    assert lobby.take(9) == [next_one]


@edges
def test_nobody_is_told_of_what_is_read_by_other_means(lobby, take, connection, pair):
    enter(lobby, connection)
    lobby.pause(connection)
    pair[1].send(b"a")
    assert lobby.take(9, wait=False) == []
    lobby.wait(connection)
    assert take() == [connection]


def test_who_cannot_be_watched_is_let_go(cfg, monkeypatch, caplog):
    with socket.create_server(("127.0.0.1", 0)) as port:
        lobby = Lobby(cfg, [port], Pace(1, 1))
        monkeypatch.setattr(lobby._watch, "add_connection", Mock(side_effect=OSError("no more")))
        lobby.begin()
        with socket.create_connection(port.getsockname()) as client:
            client.settimeout(20)
            accepting = threading.Thread(target=lobby.stop_accepting, kwargs={"first_all": True})
            accepting.start()
            accepting.join(20)
            assert not accepting.is_alive()
            assert client.recv(1) == b""
        assert (lobby._by_fd, lobby._waiting, lobby.open) == ({}, {}, set())
        lobby.close()
    assert "no more" in caplog.text


def test_what_is_dropped_is_not_kept(lobby, connection):
    enter(lobby, connection)
    lobby.drop(connection)
    assert (lobby._by_fd, lobby.open) == ({}, set())
