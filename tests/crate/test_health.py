"""Alive and ready: what a probe is told."""

import json
import logging
import threading

import pytest

from carboy.crate.health import Readiness
from carboy.logs import current_ids

DEADLINE_S = 20


def broken():
    raise ConnectionError("db.internal:5432 refused")


def ready(get, crate):
    answer = get(crate, "/health/ready")
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_alive_whatever_the_checks_say(make_crate, get, path):
    answer = get(make_crate(checks={"database": broken}), path)
    assert (answer.status, answer.body) == (200, b"OK")
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "PROPFIND"])
def test_endpoints_are_for_reading(make_crate, get, path, method):
    answer = get(make_crate(), path, method)
    assert (answer.status, answer["Allow"]) == (405, "GET, HEAD")
    assert json.loads(answer.body)["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
def test_head_has_the_headers_and_no_body(make_crate, get, path):
    answer = get(make_crate(), path, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer["Content-Length"]) > 0


def test_ready_lists_every_check(make_crate, get):
    checks = {}
    crate = make_crate(checks=checks, HEALTH_CACHE_S=0)
    assert ready(get, crate) == (200, {"status": "ready", "checks": {}})
    checks["database"] = lambda: None
    checks["queue"] = broken
    status, told = ready(get, crate)
    assert (status, told["status"]) == (503, "not ready")
    assert told["checks"]["database"]["state"] == "ok"
    assert told["checks"]["database"]["milliseconds"] >= 0
    assert told["checks"]["queue"]["state"] == "failed"
    del checks["queue"]
    assert ready(get, crate)[0] == 200


@pytest.mark.parametrize(
    ("profile", "shown"), [("Development", True), ("Testing", False), ("Production", False)]
)
def test_the_reason_is_for_developers(make_crate, get, caplog, profile, shown):
    _, told = ready(get, make_crate(profile=profile, checks={"database": broken}))
    reason = "ConnectionError: db.internal:5432 refused"
    assert told["checks"]["database"].get("reason") == (reason if shown else None)
    assert "db.internal:5432 refused" in caplog.text


def test_only_changes_are_logged(make_crate, get, caplog):
    caplog.set_level(logging.INFO, logger="carboy.health")
    checks = {"database": broken}
    crate = make_crate(checks=checks, HEALTH_CACHE_S=0)
    for _ in range(3):
        ready(get, crate)
    checks["database"] = lambda: None
    for _ in range(3):
        ready(get, crate)
    assert [record.getMessage() for record in caplog.records if record.name == "carboy.health"] == [
        "Readiness check database failed.",
        "Readiness check database is ok again.",
    ]


def test_a_check_that_leaves_by_exit_has_failed(make_crate, get):
    def leave():
        raise SystemExit(3)

    assert ready(get, make_crate(checks={"odd": leave}))[1]["checks"]["odd"]["state"] == "failed"


def test_a_stuck_check_is_reported_and_not_started_again(make_crate, get, caplog):
    release, started = threading.Event(), []

    def stuck():
        started.append(threading.current_thread())
        release.wait(DEADLINE_S)

    crate = make_crate(checks={"stuck": stuck, "fine": lambda: None},
                       HEALTH_TIMEOUT_S=0.05, HEALTH_CACHE_S=0)  # fmt: skip
    try:
        for _ in range(3):
            status, told = ready(get, crate)
            assert status == 503
            assert told["checks"]["stuck"]["state"] == "timed out"
            assert told["checks"]["stuck"]["milliseconds"] >= 50
            assert told["checks"]["fine"]["state"] == "ok"
        assert len(started) == 1
        assert caplog.text.count("got no answer in 0.05 s") == 1
    finally:
        release.set()
    started[0].join(DEADLINE_S)
    assert not started[0].is_alive()
    again = Readiness({"stuck": stuck}, DEADLINE_S, 0)
    assert again.outcomes()["stuck"].state == "ok"
    assert ready(get, crate)[0] == 200
    assert len(started) == 3


def test_checks_run_at_the_same_time(make_crate, get):
    together = threading.Barrier(3, timeout=DEADLINE_S)
    checks = dict.fromkeys("abc", together.wait)
    assert ready(get, make_crate(checks=checks, HEALTH_TIMEOUT_S=DEADLINE_S))[0] == 200


def test_outcomes_are_reused_for_a_while():
    calls = []
    kept = Readiness({"counted": lambda: calls.append(1)}, 1, 60)
    assert kept.outcomes() is kept.outcomes()
    assert len(calls) == 1
    fresh = Readiness({"counted": lambda: calls.append(1)}, 1, 0)
    assert fresh.outcomes() is not fresh.outcomes()
    assert len(calls) == 3


def test_many_probes_at_once_run_the_checks_once():
    calls, inside, go = [], threading.Event(), threading.Event()

    def counted():
        calls.append(1)
        inside.set()
        go.wait(DEADLINE_S)

    readiness = Readiness({"counted": counted}, DEADLINE_S, 60)
    found = []
    probes = [threading.Thread(target=lambda: found.append(readiness.outcomes())) for _ in range(8)]
    for probe in probes:
        probe.start()
    assert inside.wait(DEADLINE_S)
    go.set()
    for probe in probes:
        probe.join(DEADLINE_S)
    assert len(found) == 8
    assert len(calls) == 1


@pytest.mark.parametrize("answer", [True, 1, "yes"])
def test_a_stop_is_announced(make_crate, get, answer):
    calls = []
    crate = make_crate(checks={"database": lambda: calls.append(1)})
    crate.stopping = lambda: answer
    assert ready(get, crate) == (503, {"status": "stopping", "checks": {}})
    assert get(crate, "/health/live").status == 200
    assert get(crate, "/").status == 200
    assert not calls


def test_log_records_of_a_check_carry_the_request(make_crate, get):
    seen = []
    crate = make_crate(checks={"database": lambda: seen.append(current_ids.get().request_id)})
    get(crate, "/health/ready", HTTP_X_REQUEST_ID="probe-1")
    assert seen == ["probe-1"]


def test_a_path_left_to_the_app(make_crate, get):
    crate = make_crate()
    crate.release("/health/ready")
    assert get(crate, "/health/ready").body == b"hello"
    assert get(crate, "/health").body == b"OK"


@pytest.mark.parametrize("answer", [False, 0, None])
def test_whoever_asks_for_no_stop_may_say_so_in_any_way(make_crate, get, answer):
    crate = make_crate()
    crate.stopping = lambda: answer
    assert ready(get, crate)[0] == 200
