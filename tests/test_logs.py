"""How log records are written, and what they know."""

import json
import logging
import os
import subprocess
import sys

import orjson
import pytest

from carboy.crate import Exchange
from carboy.logs import (
    SelfWritten,
    coloured,
    configure,
    current_ids,
    make_formatter,
    mark_records,
    printable,
)

PROGRAM = """
import logging
from carboy import Settings
from carboy.logs import configure
settings = Settings.load(dotenv=None)
print(configure(settings), configure(settings), flush=True)
"""


def logged(code, **environ):
    """Run code in a fresh process and give what it wrote to standard error."""
    kept = {"PATH": os.environ["PATH"]}
    run = subprocess.run([sys.executable, "-c", PROGRAM + code], env=kept | environ,
                         capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    assert run.stdout == "True False\n"
    return run.stderr


def formatted(log_format, message, *args, colour=False, **rest):
    record = logging.getLogger("shop").makeRecord(
        "shop", logging.WARNING, __file__, 1, message, args, rest.pop("exc_info", None), **rest
    )
    return make_formatter(log_format, colour=colour).format(record)


@pytest.fixture
def ids():
    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_X_REQUEST_ID": "id-1"}
    exchange = Exchange(environ, 0)
    current_ids.set(exchange)
    yield exchange
    current_ids.set(None)


class TestConfigure:
    def test_json(self):
        text = logged("logging.getLogger('shop').info('sold %d', 7, extra={'sku': 'a'})",
                      LOG_FORMAT="json")  # fmt: skip
        said = json.loads(text)
        assert said.pop("time").endswith("Z")
        assert said == {"event": "sold 7", "level": "info", "logger": "shop", "sku": "a"}

    def test_text_without_a_terminal_has_no_colours(self):
        text = logged("logging.getLogger('shop').warning('sold %d', 7)")
        assert "\x1b" not in text
        assert "sold 7" in text
        assert "[warning" in text

    @pytest.mark.parametrize(("level", "lines"), [("DEBUG", 3), ("INFO", 2), ("ERROR", 1)])
    def test_the_level(self, level, lines):
        code = "log = logging.getLogger('shop'); log.debug('a'); log.info('b'); log.error('c')"
        assert len(logged(code, LOG_LEVEL=level).splitlines()) == lines

    def test_a_traceback_is_one_line_of_json(self):
        code = "\ntry: 1 / 0\nexcept ZeroDivisionError: logging.exception('failed')"
        text = logged(code, LOG_FORMAT="json")
        assert text.count("\n") == 1
        assert "ZeroDivisionError" in json.loads(text)["exception"]

    @pytest.mark.parametrize("log_format", ["json", "text"])
    def test_structlog_writes_the_same_lines(self, log_format):
        code = "import structlog; structlog.get_logger('shop').info('sold', sku='a')"
        text = logged(code, LOG_FORMAT=log_format)
        if log_format == "json":
            said = json.loads(text)
            assert (said["event"], said["sku"], said["logger"]) == ("sold", "a", "shop")
        else:
            assert "sold" in text
            assert "sku=a" in text

    def test_structlog_configured_by_the_project_is_left_alone(self):
        text = logged("", LOG_FORMAT="json")
        assert text == ""
        program = (
            "import structlog\n"
            "structlog.configure(processors=[structlog.processors.KeyValueRenderer()])\n"
            + PROGRAM
            + "structlog.get_logger().info('own')"
        )
        run = subprocess.run([sys.executable, "-c", program], env={"PATH": os.environ["PATH"]},
                             capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
        assert run.stdout == "True False\nevent='own'\n"

    def test_whoever_configured_logging_is_left_alone(self):
        from carboy import Testing

        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        assert handlers, "pytest has handlers of its own"
        assert configure(Testing.load(environ={}, LOG_LEVEL="DEBUG")) is False
        assert (root.handlers, root.level) == (handlers, level)


class TestIds:
    def test_every_record_knows_its_request(self, ids):
        mark_records()
        record = logging.getLogger("shop").makeRecord("shop", 20, "f", 1, "m", (), None)
        assert (record.request_id, record.trace_id) == ("id-1", "-")
        ids.traceparent()
        record = logging.getLogger("shop").makeRecord("shop", 20, "f", 1, "m", (), None)
        assert record.trace_id == ids.trace_id

    def test_json_has_them_only_within_a_request(self, ids):
        mark_records()
        ids.traceparent()
        said = json.loads(formatted("json", "within"))
        assert (said["request_id"], said["trace_id"]) == ("id-1", ids.trace_id)
        current_ids.set(None)
        assert "request_id" not in json.loads(formatted("json", "outside"))

    def test_text_has_them(self, ids):
        mark_records()
        assert "request_id=id-1" in formatted("text", "within")

    def test_marking_twice_changes_nothing(self):
        mark_records()
        factory = logging.getLogRecordFactory()
        mark_records()
        assert logging.getLogRecordFactory() is factory

    def test_the_former_factory_goes_on_working(self, monkeypatch):
        def own(*args, **kwargs):
            record = logging.LogRecord(*args, **kwargs)
            record.own = "kept"
            return record

        former = logging.getLogRecordFactory()
        logging.setLogRecordFactory(own)
        try:
            mark_records()
            record = logging.getLogger("shop").makeRecord("shop", 20, "f", 1, "m", (), None)
        finally:
            logging.setLogRecordFactory(former)
        assert (record.own, record.request_id) == ("kept", "-")


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
def test_json_is_strict_whatever_is_logged(value):
    line = formatted("json", "%s", "\u2028" if value == "\ud800" else value, extra={"value": value})
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert "value" in orjson.loads(line)


def test_a_cycle_is_logged_all_the_same():
    cycle = []
    cycle.append(cycle)
    assert orjson.loads(formatted("json", "odd", extra={"value": cycle}))["value"] == "[[...]]"


@pytest.mark.parametrize("colour", [True, False])
def test_text_cannot_be_forged(colour):
    written = formatted("text", "user %s", "eve\n12:00:00 [info] all is well\x1b[2J", colour=colour)
    assert "\n    12:00:00" in written
    assert "\x1b[2J" not in written


def test_text_shows_tracebacks_without_local_variables():
    def sign_in(password):
        return {}[len(password)]

    try:
        sign_in("hunter2".upper())
    except KeyError:
        written = formatted("text", "failed", exc_info=sys.exc_info(), colour=True)
    assert "KeyError: 7" in written
    assert "HUNTER2" not in written


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain ä 漢", "plain ä 漢"),
        ("\r\n\t\0", r"\r\n\t\x00"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b\x85", r"\x9b\x85"),
        ("\u2028\u2029\u202e", r"\u2028\u2029\u202e"),
    ],
)
def test_printable(text, escaped):
    assert printable(text) == escaped


class Stream:
    def __init__(self, terminal):
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environ", "shown"),
    [
        pytest.param(True, {}, True, id="a terminal"),
        pytest.param(False, {}, False, id="a file"),
        pytest.param(True, {"NO_COLOR": "1"}, False, id="NO_COLOR"),
        pytest.param(True, {"NO_COLOR": ""}, True, id="an empty NO_COLOR says nothing"),
        pytest.param(True, {"TERM": "dumb"}, False, id="a dumb terminal"),
    ],
)
def test_colours(monkeypatch, terminal, environ, shown):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert coloured(Stream(terminal)) is shown


def test_a_record_may_write_itself():
    class Own(SelfWritten):
        def as_json(self):
            return "{}"

        def as_text(self, *, colour):
            return f"colour: {colour}"

    record = Own("shop", 20, "f", 1, "m", (), None)
    assert make_formatter("json", colour=False).format(record) == "{}"
    assert make_formatter("text", colour=True).format(record) == "colour: True"
    silent = SelfWritten("shop", 20, "f", 1, "m", (), None)
    for write in (silent.as_json, lambda: silent.as_text(colour=False)):
        with pytest.raises(NotImplementedError):
            write()
