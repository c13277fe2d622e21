"""Figures, against what they are by definition."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carboy.load.recorder import ERRORS_MAX, OTHER, ROUTES_MAX, Recorder, percentile


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.sampled_from([50, 95, 99, 100, 1]))
def test_a_percentile_is_the_smallest_time_that_so_many_do_not_exceed(times, percent):
    found = percentile(sorted(times), percent)
    assert found in times
    assert sum(time <= found for time in times) * 100 >= percent * len(times)
    smaller = [time for time in times if time < found]
    assert len(smaller) * 100 < percent * len(times)


def test_percentiles_are_exact_where_locust_rounds():
    recorder = Recorder()
    times = [random.uniform(500, 600) for _ in range(999)]
    for time in times:
        recorder.add("GET", "/", time)
    assert recorder.summary()["total"]["p50_ms"] == round(statistics.median(times), 3)


def test_figures_of_routes_and_of_all():
    now = [100.0]
    recorder = Recorder(lambda: now[0])
    for number in range(1, 101):
        now[0] += 0.05
        recorder.add("GET", "/a", float(number), "HTTP 500" if number % 10 == 0 else None)
    recorder.add("POST", "/a", 1000.0)
    made = recorder.summary()
    assert made["duration_s"] == 5.0
    assert [(row["method"], row["route"]) for row in made["routes"]] == [
        ("GET", "/a"), ("POST", "/a"),
    ]  # fmt: skip
    assert made["routes"][0] == {
        "method": "GET", "route": "/a", "requests": 100, "failed": 10, "requests_per_s": 20.0,
        "p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0, "max_ms": 100.0,
    }  # fmt: skip
    assert made["total"]["requests"] == 101
    assert made["total"]["max_ms"] == 1000.0
    assert made["errors"] == [
        {"method": "GET", "route": "/a", "error": "HTTP 500", "count": 10}
    ]  # fmt: skip


def test_errors_come_by_how_often_they_came():
    recorder = Recorder()
    for error, times in (("HTTP 404", 2), ("HTTP 500", 5), ("TimeoutError", 3)):
        for _ in range(times):
            recorder.add("GET", "/", 1.0, error)
    found = [(row["error"], row["count"]) for row in recorder.summary()["errors"]]
    assert found == [("HTTP 500", 5), ("TimeoutError", 3), ("HTTP 404", 2)]


def test_ever_new_routes_and_errors_end_in_a_row_of_their_own():
    recorder = Recorder()
    for number in range(ROUTES_MAX + 50):
        recorder.add("GET", f"/{number}", 1.0)
    for number in range(ERRORS_MAX + 50):
        recorder.add("GET", "/0", 1.0, f"reason {number}")
    made = recorder.summary()
    rows = {row["route"]: row["requests"] for row in made["routes"]}
    assert len(rows) == ROUTES_MAX + 1
    assert rows[OTHER] == 50
    errors = {row["error"]: row["count"] for row in made["errors"]}
    assert len(errors) == ERRORS_MAX + 1
    assert errors[OTHER] == 50
    assert recorder.requests == made["total"]["requests"] == ROUTES_MAX + 50 + ERRORS_MAX + 50


def test_what_is_forgotten_is_gone():
    recorder = Recorder()
    recorder.add("GET", "/", 1.0, "HTTP 500")
    recorder.clear()
    assert (recorder.requests, recorder.failed) == (0, 0)
    assert recorder.summary()["total"] == {}


@pytest.mark.parametrize("known", [True, False])
def test_a_route_is_named_other_only_when_there_are_too_many(known):
    recorder = Recorder()
    for number in range(ROUTES_MAX):
        recorder.add("GET", f"/{number}", 1.0)
    assert recorder.named("GET", "/7" if known else "/new") == ("/7" if known else OTHER)
