"""One line per request, for programs and for people."""

import io
import json
import logging
import re

import orjson
import pytest

from carboy.logs import make_formatter

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def line(make_crate, get, access):
    """Send a request and give its line as the formatter of an output writes it."""

    def make(log_format="json", *, colour=False, **request):
        get(make_crate(**request.pop("settings", {})), **request)
        return make_formatter(log_format, colour=colour).format(access()[-1])

    return make


def test_the_fields(line):
    said = json.loads(
        line(path="/caf\xc3\xa9", method="POST", QUERY_STRING="token=secret",
             HTTP_X_REQUEST_ID="id-1", HTTP_TRACEPARENT=f"00-{TRACE}-00f067aa0ba902b7-01",
             HTTP_USER_AGENT="curl/8 \xc3\xa9")
    )  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said.pop("time"))
    assert 0 <= said.pop("duration_ms") < 10_000
    assert said == {
        "level": "info",
        "logger": "carboy.access",
        "event": "request",
        "request_id": "id-1",
        "trace_id": TRACE,
        "client": "192.0.2.1",
        "method": "POST",
        "path": "/café",
        "route": "/hello/<name>",
        "status": 200,
        "bytes": 5,
        "user_agent": "curl/8 é",
    }


HOSTILE = {
    "a forged line": 'x\r\n{"level":"error"}',
    "an escape sequence": "\x1b[2J\x1b]0;title\x07",
    "a C1 control": "\xc2\x9b2J",
    "a line separator": "\xe2\x80\xa8",
    "a turned writing direction": "\xe2\x80\xae",
    "quotes and backslashes": '"\\"\\u0000',
    "bytes that are no UTF-8": "\xff\xfe\x80",
    "half a surrogate pair": "\xed\xa0\x80",
    "NUL and DEL": "\x00\x7f",
}


@pytest.mark.parametrize("colour", [False, True], ids=["plain", "coloured"])
@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("field", ["path", "method", "HTTP_USER_AGENT", "REMOTE_ADDR"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_caller_cannot_break_out_of_its_line(line, field, text, log_format, colour):
    given = f"/{text}" if field == "path" else text
    written = line(log_format, colour=colour, **{field: given})
    plain = re.sub(r"\x1b\[(3\d|0)m", "", written, count=2) if colour else written
    if log_format == "json":
        assert orjson.loads(written)["status"] == 200
        assert written.replace("\x7f", "").isprintable()
        assert written.isascii()
    else:
        assert plain.isprintable()


def test_no_trace_is_null(line):
    assert json.loads(line())["trace_id"] is None


def test_text_tells_the_trace(line):
    written = line("text", HTTP_TRACEPARENT=f"00-{TRACE}-00f067aa0ba902b7-01")
    assert f"trace {TRACE}]" in written
    assert re.match(r"\d\d:\d\d:\d\d 200 GET / \d+\.\d ms 5 B from 192\.0\.2\.1 by /hello", written)


@pytest.mark.parametrize(
    ("host", "code"), [pytest.param("localhost", "32", id="200 is green"),
                       pytest.param("evil.example", "33", id="400 is yellow")],
)  # fmt: skip
def test_the_status_is_coloured(line, host, code):
    assert f"\x1b[{code}m" in line("text", colour=True, HTTP_HOST=host)


def test_handlers_of_the_project_get_an_ordinary_record(make_crate, get):
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    handler.setFormatter(logging.Formatter("%(levelname)s %(request_id)s %(message)s %(status)d"))
    logger = logging.getLogger("carboy.access")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        get(make_crate(), "/a\x1bb", HTTP_X_REQUEST_ID="id-2")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert re.fullmatch(r"INFO id-2 GET /a\\x1bb 200 \d\.\d ms 5 B 192\.0\.2\.1 200\n",
                        sink.getvalue())  # fmt: skip


@pytest.mark.parametrize(
    ("level", "enabled", "lines"),
    [
        pytest.param(logging.INFO, True, 1, id="on"),
        pytest.param(logging.WARNING, True, 0, id="below the level"),
        pytest.param(logging.INFO, False, 0, id="switched off"),
    ],
)
def test_when_it_is_written(make_crate, get, caplog, access, level, enabled, lines):  # noqa: PLR0917 - fixtures and parameters
    caplog.set_level(level, logger="carboy.access")
    get(make_crate(ACCESS_LOG=enabled))
    assert len(access()) == lines


def test_a_record_has_every_attribute_of_one(make_crate, get, access):
    get(make_crate())
    ordinary = logging.LogRecord("n", logging.INFO, "p", 1, "m", None, None)
    assert vars(ordinary).keys() <= vars(access()[0]).keys()
    assert "threadName" in str(vars(access()[0]).keys())
