"""One line per request, for programs and for people."""

import contextlib
import io
import json
import logging
import re
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from random import Random

import orjson
import pytest

from carboy.crate import Exchange, access_line, access_log, access_record
from carboy.crate.access_line import about_answer, about_method
from carboy.crate.exchange import decoded
from carboy.logs import make_formatter
from carboy.logs.handler import Output

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


@contextlib.contextmanager
def alone():
    """Let Carboy's own handler be the only one, as in a service; pytest adds its own."""
    root = logging.root
    handler = Output(sys.__stderr__)
    handler.setFormatter(make_formatter("json", colour=False))
    handlers, root.handlers, level = root.handlers, [handler], root.level
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)


def differences(module, monkeypatch, capfd, environ, went):
    """Write the same requests directly and by records; give what is not alike or not true."""

    def emit(self, record):
        went["by a record"] += 1
        logging.StreamHandler.emit(self, record)

    random, logger = Random(2), logging.getLogger("carboy.access")
    monkeypatch.setattr(Output, "emit", emit, raising=False)
    log = module.AccessLog()
    texts = ["", "-", "/caf\u00e9", "plain", "x" * 5000, *HOSTILE.values()]
    for _ in range(400):
        exchange = Exchange(environ("/", REMOTE_ADDR=random.choice(texts[:3])), 0)
        exchange.path, exchange.method = random.choice(texts), random.choice(texts[:4])
        exchange.route, exchange.trace_id = random.choice(texts[:4]), random.choice(["", TRACE])
        exchange.status, exchange.bytes_sent = (
            random.choice([200, 404, 500]),
            random.randrange(9**9),
        )
        agent = random.choice(texts).encode().decode("latin-1") if random.random() < 0.5 else "a/1"
        took = random.choice([random.randrange(10**7), random.randrange(10**12), 499, 500, 999_500])
        now = random.choice([1.8e9, 1.8e9 + 0.999]) + random.random() * random.choice([1e-3, 1, 90])
        monkeypatch.setattr(time, "time", lambda now=now: now)
        parts = about_method(exchange.method), about_answer(exchange.route, exchange.status)
        log.write(exchange, {"HTTP_USER_AGENT": agent}, took, *parts)
        written = capfd.readouterr().err
        went["all"] += 1
        logger.addFilter(bool)
        log.write(exchange, {"HTTP_USER_AGENT": agent}, took, *parts)
        logger.removeFilter(bool)
        recorded = capfd.readouterr().err
        said = json.loads(written)
        when = datetime.fromtimestamp(int(now * 1000) / 1000, UTC).isoformat(
            timespec="milliseconds"
        )
        true = (when.replace("+00:00", "Z"), exchange.path, exchange.status, exchange.bytes_sent,
                exchange.client, round(took / 1e6 + 1e-10, 3), decoded(agent))  # fmt: skip
        fields = ("time", "path", "status", "bytes", "client", "duration_ms", "user_agent")
        if written != recorded or true != tuple(said[field] for field in fields):
            yield written, recorded, true


def test_direct_lines_are_those_of_records(monkeypatch, capfd, environ):
    went = Counter()
    with alone():
        assert list(differences(access_log, monkeypatch, capfd, environ, went)) == []
    # Each is written by a record once, and those that are too long are twice.
    too_long = went["by a record"] - went["all"]
    assert 0 < too_long < went["all"] / 4, went


@pytest.mark.parametrize(
    ("module", "pattern", "replacement"),
    [
        pytest.param(access_line, r"\}\}\}\\n'", "}}}'", id="no end of the line"),
        pytest.param(access_log, r"else decoded\(sent\)", "else sent", id="Latin-1 is UTF-8"),
        pytest.param(access_log, r"self\._agents\[agent\]", 'self._agents[""]',
                     id="who has no name"),
        pytest.param(access_log, r"\+ 500\)", ")", id="half a microsecond is none"),
        pytest.param(access_line, r"0\.0 <= past < 1\.0", "past < 1.0 and second",
                     id="time never goes back"),
        pytest.param(access_line, r"past < 1\.0", "past", id="the first second is for ever"),
        pytest.param(access_line, r"int\(past \* 1000\)", "int(past * 100)", id="hundredths"),
        pytest.param(access_line, r"duration_us % 1000", "duration_us % 999", id="odd thousandths"),
        pytest.param(access_record, r"else \"\",", 'else "-",', id="a dash is a trace"),
        pytest.param(access_line, r"_quoted\(path\)", "repr(path)", id="Python's quotes"),
        pytest.param(access_log, r"duration_us / _US_PER_MS", "duration_us // _US_PER_MS",
                     id="records know whole milliseconds"),
    ],
)  # fmt: skip
def test_a_mistake_in_direct_lines_is_noticed(  # noqa: PLR0917 - fixtures and parameters
    monkeypatch, capfd, environ, mutant, module, pattern, replacement
):
    wrong = mutant(module, pattern, replacement)
    changed = mutant(access_log, "^", "")
    for name in ("AccessLog", "AccessRecord", "line_of"):
        vars(changed)[name] = vars(wrong).get(name, vars(changed)[name])
    try:
        with alone():
            found = next(differences(changed, monkeypatch, capfd, environ, Counter()), None)
    except (IndexError, ValueError):
        return
    assert found is not None


def test_what_is_remembered_of_clients_is_bounded(environ, capfd):
    log = access_log.AccessLog()
    with alone():
        for number in range(access_log._REMEMBERED_MAX + 9):
            for agent in (f"a/{number}", "x" * 600 + str(number)):
                log.write(Exchange(environ(), 0), {"HTTP_USER_AGENT": agent}, 1, "", "")
    assert len(log._agents) == access_log._REMEMBERED_MAX
    assert max(map(len, log._agents)) < 20
    assert capfd.readouterr().err.count("\n") > access_log._REMEMBERED_MAX
