"""Each socket is named once, to one thread, on every system."""

import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from carboy.server.gunicorn import watch

KINDS = [
    pytest.param(watch.Poll, id="poll"),
    pytest.param(watch.Epoll, id="epoll",
                 marks=pytest.mark.skipif(not hasattr(select, "epoll"), reason="Linux has it")),
]  # fmt: skip


@pytest.fixture(params=KINDS)
def watched(request):
    made = request.param()
    yield made
    made.close()


def test_what_can_be_read_is_named_once_until_it_is_expected_again(watched, pair):
    ours, theirs = pair
    bell, rings = socket.socketpair()
    with bell, rings:
        watched.add(ours.fileno())
        theirs.send(b"a")
        assert watched.take(9) == [(ours.fileno(), False)]
        watched.add(bell.fileno())
        rings.send(b"a")
        assert named(watched) == [bell.fileno()]
        watched.expect(ours.fileno())
        assert named(watched) == [ours.fileno()]
        watched.expect(bell.fileno())
        watched.expect_on(ours.fileno(), write=True)
        assert sorted([*named(watched), *named(watched)]) == sorted([bell.fileno(), ours.fileno()])


def named(watched):
    """Wait for one; a look may be in vain."""
    found = []
    while not found:
        found = [fd for fd, _ in watched.take(1)]
    return found


def test_what_is_forgotten_is_not_named(watched, pair):
    ours, theirs = pair
    watched.add(ours.fileno())
    watched.add(theirs.fileno())
    theirs.send(b"a")
    ours.send(b"a")
    watched.forget(ours.fileno())
    assert named(watched) == [theirs.fileno()]


def test_who_waits_hears_of_what_is_added_meanwhile(watched, pair):
    ours, theirs = pair
    idle, _other = socket.socketpair()
    with idle, _other, ThreadPoolExecutor(1) as pool:
        watched.add(idle.fileno())
        waiting = pool.submit(named, watched)
        time.sleep(0.05)
        watched.add(ours.fileno())
        theirs.send(b"a")
        assert waiting.result(20) == [ours.fileno()]


def test_no_two_threads_get_the_same(watched):  # noqa: C901 - threads and what they share
    pairs = [socket.socketpair() for _ in range(20)]
    taken, lock, enough = [], threading.Lock(), threading.Semaphore(0)

    def take():
        while True:
            for fd, _ in watched.take(3):
                if fd == last.fileno():
                    watched.expect(fd)
                    return
                with lock:
                    taken.append(fd)
                enough.release()

    last, bell = socket.socketpair()
    with ThreadPoolExecutor(4) as pool:
        threads = [pool.submit(take) for _ in range(4)]
        for round_ in range(30):
            for ours, theirs in pairs:
                (watched.add if round_ == 0 else watched.expect)(ours.fileno())
                if round_ == 0:
                    theirs.send(b"a")
            for _ in pairs:
                assert enough.acquire(timeout=20)
        watched.add(last.fileno())
        bell.send(b"a")
        for thread in threads:
            thread.result(20)
    for fd in {ours.fileno() for ours, _ in pairs}:
        assert taken.count(fd) == 30
    for one in (last, bell, *(end for pair in pairs for end in pair)):
        one.close()


def test_the_best_of_the_system_is_made(monkeypatch):
    made = watch.made()
    assert type(made) is (watch.Epoll if hasattr(select, "epoll") else watch.Poll)
    made.close()
    monkeypatch.delattr(select, "epoll", raising=False)
    made = watch.made()
    assert type(made) is watch.Poll
    made.close()
