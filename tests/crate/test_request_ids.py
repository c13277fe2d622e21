"""Ids made for many requests at once still differ everywhere."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from carboy.crate import request_ids
from carboy.crate.request_ids import new_id


def test_they_are_128_bits_of_the_operating_system(monkeypatch):
    monkeypatch.setattr(request_ids, "_ready", [])
    monkeypatch.setattr(request_ids.os, "urandom", lambda size: bytes(range(256)) * (size // 256))
    made = {new_id() for _ in range(16)}
    assert made == {bytes(range(n, n + 16)).hex() for n in range(0, 256, 16)}


def test_no_two_threads_get_the_same():
    with ThreadPoolExecutor(8) as threads:
        made = [id_ for part in threads.map(lambda _: [new_id() for _ in range(1000)], range(16))
                for id_ in part]  # fmt: skip
    assert len(set(made)) == len(made)
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_process_that_was_forked_gives_none_that_its_parent_gives():
    new_id()
    assert request_ids._ready, "some wait for their requests"
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, " ".join(new_id() for _ in range(20)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as told:
        theirs = set(told.read().split())
    assert len(theirs) == 20
    assert theirs.isdisjoint(new_id() for _ in range(300))
