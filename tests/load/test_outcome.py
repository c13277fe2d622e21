"""Judging figures by limits."""

import json

import pytest

from carboy.load import Figures, Limits, Outcome


def outcome(**total):
    figures = Figures(**{"requests": 1000, **total})
    return Outcome("http://127.0.0.1", 1, 1.0, figures, routes=[figures])


@pytest.mark.parametrize(("limits", "total", "broken"), [
    pytest.param(Limits(), {"failed": 1000, "p99_ms": 1e9}, [], id="nothing is stated"),
    pytest.param(Limits(max_p99_ms=100), {"p99_ms": 100.0}, [], id="p99 just kept"),
    pytest.param(Limits(max_p99_ms=100), {"p99_ms": 100.1}, ["max-p99"], id="p99 broken"),
    pytest.param(Limits(max_error_rate_percent=1), {"failed": 10}, [], id="errors just kept"),
    pytest.param(Limits(max_error_rate_percent=1), {"failed": 11}, ["max-error-rate"],
                 id="too many errors"),
    pytest.param(Limits(max_error_rate_percent=0), {"failed": 0}, [], id="none allowed, none"),
    pytest.param(Limits(max_error_rate_percent=0), {"failed": 1}, ["max-error-rate"],
                 id="none allowed, one"),
    pytest.param(Limits(1, 0), {"failed": 1, "p99_ms": 2.0}, ["max-error-rate", "max-p99"],
                 id="both"),
])  # fmt: skip
def test_a_limit_is_judged_by_all_requests(limits, total, broken):
    assert [found.limit for found in outcome(**total).broken(limits)] == broken


def test_a_broken_limit_names_what_was_measured_and_what_is_allowed():
    found = outcome(failed=102).broken(Limits(max_error_rate_percent=5))[0]
    assert found.message == (
        "10.2 % of the requests failed (102 of 1000); --max-error-rate allows 5 %."
    )
    assert (found.allowed, found.measured) == (5, 10.2)


def test_programs_read_plain_json():
    made = json.loads(json.dumps(outcome(failed=100).as_json(Limits(max_p99_ms=1))))
    assert made["total"]["error_rate_percent"] == 10.0
    assert made["routes"][0]["error_rate_percent"] == 10.0
    assert made["broken"] == []
    assert "route" not in made["total"]


def test_no_request_is_no_error():
    assert Figures().error_rate_percent == 0.0
