"""Connections are kept until the worker or the server ends."""

from types import SimpleNamespace

import pytest

from carboy.server.gunicorn.keeping import Keeping
from carboy.server.phase import Phase, SharedPhase


@pytest.fixture
def worker():
    return SimpleNamespace(nr=0, max_requests=3, alive=True)


def make(worker, phase=None, *, kept=True):
    retired = []
    keeping = Keeping(
        worker, phase or SharedPhase(), kept=kept, retire=lambda: retired.append(worker.nr)
    )
    return keeping, retired


def test_each_request_counts_and_with_the_last_the_worker_retires_once(worker):
    keeping, retired = make(worker)
    assert [keeping.count(), keeping.count()] == [True, True]
    assert retired == []
    keeping.count()
    worker.alive = False
    assert keeping.count() is False
    assert retired == [3]
    assert worker.nr == 4


def test_no_connection_is_kept_at_a_stop(worker):
    phase = SharedPhase()
    keeping, _ = make(worker, phase)
    assert keeping.count() is True
    phase.enter(Phase.STOPPING)
    assert keeping.count() is False


def test_no_connection_is_kept_where_none_shall_be(worker):
    assert make(worker, kept=False)[0].count() is False
