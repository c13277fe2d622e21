import socket

import pytest
from gunicorn.config import Config

from carboy.server.gunicorn.connection import Connection
from carboy.server.options import options
from carboy.settings import Settings

CLIENT = ("192.0.2.7", 4711)
SERVER = ("127.0.0.1", 8080)


@pytest.fixture
def cfg():
    """Give gunicorn's options as `carboy run` sets them."""
    made = Config()
    for name, value in options(Settings.load(environ={}, dotenv=None)).items():
        made.set(name, value)
    return made


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def connection(cfg, pair):
    return Connection(cfg, pair[0], CLIENT, SERVER, 0.0)
