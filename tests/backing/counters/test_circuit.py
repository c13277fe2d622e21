"""A place that does not answer costs little, and is found again."""

import logging
import socket

import pytest

from carboy.backing.counters import Circuit, CountersDown, Window
from carboy.backing.counters.redis import RedisCounters

FIVE = Window("five", 5, 86_400)
METHODS = ("take", "levels", "give_back", "forget")


@pytest.fixture
def silent():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


class Asked:
    """Counts how often the counters behind it are asked."""

    def __init__(self, counters):
        self.faults = counters.faults
        self.times = 0
        self._counters = counters

    def take(self, windows):
        self.times += 1
        return self._counters.take(windows)

    levels = give_back = forget = take


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_that_the_place_is_down(silent, method):
    circuit = Circuit(RedisCounters(silent, timeout_s=0.05))
    with pytest.raises(CountersDown):
        getattr(circuit, method)([FIVE])


def test_a_silent_server_is_waited_for_once(silent, clock, caplog):
    asked = Asked(RedisCounters(silent, timeout_s=0.05))
    circuit = Circuit(asked, pause_s=2, log_every_s=60, clock=clock)
    with caplog.at_level(logging.WARNING, "carboy.limits"):
        for _ in range(100):
            with pytest.raises(CountersDown):
                circuit.take([FIVE])
        assert asked.times == 1
        clock.now += 3
        for _ in range(100):
            with pytest.raises(CountersDown):
                circuit.take([FIVE])
        assert asked.times == 2
        assert len(caplog.records) == 1, "one line a minute"
        clock.now += 60
        with pytest.raises(CountersDown):
            circuit.take([FIVE])
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "do not answer" in caplog.text


def test_a_server_that_comes_back_is_used_again(own_redis, clock, caplog):
    circuit = Circuit(RedisCounters(own_redis.url), clock=clock)
    assert circuit.take([FIVE])[0]
    own_redis.end()
    with pytest.raises(CountersDown):
        circuit.take([FIVE])
    own_redis.start()
    with pytest.raises(CountersDown):
        circuit.take([FIVE])
    clock.now += 3
    assert circuit.take([FIVE])[0]
    assert circuit.levels([FIVE])[0].taken == 1, "it kept nothing"
    assert "answer again" in caplog.text


def test_a_restart_between_two_requests_is_not_noticed(own_redis):
    circuit = Circuit(RedisCounters(own_redis.url))
    assert circuit.take([FIVE])[0]
    own_redis.end()
    own_redis.start()
    assert circuit.take([FIVE])[0]
