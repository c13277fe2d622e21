"""A service whose clock the test turns."""

from types import SimpleNamespace

import flask
import pytest

from carboy import Carboy
from carboy.backing.counters import Circuit
from carboy.backing.counters.memory import MemoryCounters


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_app(tmp_path, clock):
    def make(**settings):
        app = flask.Flask("service", instance_path=str(tmp_path))
        Carboy(app, {"APP_ENV": "Testing", **settings})
        app.extensions["carboy.limits"].counters = Circuit(MemoryCounters(clock))
        return app

    return make


@pytest.fixture
def service(make_app):
    app = make_app()

    def get(path="/", method="GET", client="192.0.2.1", **more):
        return app.test_client().open(
            path, method=method, environ_base={"REMOTE_ADDR": client}, **more
        )

    return SimpleNamespace(app=app, get=get)


class Broken:
    """Counters that do not answer."""

    faults = (OSError,)

    def take(self, windows):
        raise OSError("away")

    levels = give_back = forget = take


@pytest.fixture
def break_counters():
    def break_counters(app):
        app.extensions["carboy.limits"].counters = Circuit(Broken())

    return break_counters
