import errno
import socket

import pytest

from carboy.errors import CarboyError
from carboy.server.listening import address, bind, refusal, turn_newcomers_away


@pytest.mark.parametrize(
    ("number", "named"),
    [
        pytest.param(errno.EADDRINUSE, "HTTP_PORT=81 carboy run", id="in use: another port"),
        pytest.param(errno.EACCES, "HTTP_PORT=8080 carboy run", id="privileged: one above 1023"),
        pytest.param(errno.EADDRNOTAVAIL, "HTTP_HOST=127.0.0.1", id="no address of this machine"),
        pytest.param(errno.ENOBUFS, "Check HTTP_HOST and HTTP_PORT", id="anything else: both"),
    ],
)
def test_a_refused_port_names_the_remedy(monkeypatch, number, named):
    monkeypatch.delenv("PORT", raising=False)
    text = str(refusal(OSError(number, "the reason"), "10.0.0.1", 80))
    assert named in text
    assert "10.0.0.1" in text
    assert "\n" not in text


def test_the_variable_that_decides_is_the_one_named(monkeypatch):
    monkeypatch.setenv("PORT", "65535")
    text = str(refusal(OSError(errno.EADDRINUSE, ""), "::", 65535))
    assert "PORT=8080 carboy run" in text.replace("HTTP_PORT", "another")


def test_a_name_that_is_no_address_is_refused():
    with pytest.raises(CarboyError, match="no address of this machine"):
        bind("no.such.host.invalid", 0)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(CarboyError, match="no address of this machine"):
        bind("192.0.2.1", 0)


def test_callers_are_refused_until_the_socket_listens():
    with bind("127.0.0.1", 0) as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(port.getsockname(), timeout=5)


def test_connections_that_began_are_accepted_and_no_other_begins():
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname(), timeout=5) as early:
            if not turn_newcomers_away(listener):
                pytest.skip("this system has no socket filters")
            with pytest.raises(TimeoutError):
                socket.create_connection(listener.getsockname(), timeout=0.2)
            accepted, _ = listener.accept()
            with accepted:
                early.sendall(b"still here")
                assert accepted.recv(20) == b"still here"


def test_a_system_without_filters_is_no_error(monkeypatch):
    closed = socket.socket()
    closed.close()
    assert turn_newcomers_away(closed) is False
    monkeypatch.setattr("sys.platform", "darwin")
    assert turn_newcomers_away(closed) is False


@pytest.mark.parametrize(
    ("host", "written"),
    [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("[::1]", "[::1]:80")],
    ids=["IPv4", "IPv6", "IPv6 in brackets"],
)
def test_an_address_is_written_as_in_a_url(host, written):
    assert address(host, 80) == written
