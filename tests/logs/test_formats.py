"""How log records are written."""

import logging
import sys

import orjson
import pytest

from carboy.logs import make_formatter


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(float("nan"), id="not a number"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param("\ud800", id="half a character"),
        pytest.param(2**200, id="a large number"),
        pytest.param(object(), id="any object"),
        pytest.param({1: {2: (3, {"x"})}}, id="nested, with keys of other types"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param("\u2028\x85\n", id="line ends of all kinds"),
    ],
)
def test_json_is_strict_whatever_is_logged(formatted, value):
    line = formatted("json", "%s", "\u2028" if value == "\ud800" else value, extra={"value": value})
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert "value" in orjson.loads(line)


def test_a_cycle_is_logged_all_the_same(formatted):
    cycle = []
    cycle.append(cycle)
    assert orjson.loads(formatted("json", "odd", extra={"value": cycle}))["value"] == "[[...]]"


def test_text_shows_tracebacks_without_local_variables(formatted):
    def sign_in(password):
        return {}[len(password)]

    try:
        sign_in("hunter2".upper())
    except KeyError:
        written = formatted("text", "failed", exc_info=sys.exc_info(), colour=True)
    assert "KeyError: 7" in written
    assert "HUNTER2" not in written


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_what_another_handler_formatted_first_is_not_said_twice(log_format):
    record = logging.LogRecord("shop", logging.INFO, __file__, 1, "in %s", ("view",), None)
    logging.Formatter("%(asctime)s %(message)s").format(record)
    written = make_formatter(log_format, colour=False).format(record)
    assert written.count("in view") == 1
    assert "message" not in written
    assert "asctime" not in written
