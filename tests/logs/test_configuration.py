"""Where log records go, and from which level on."""

import json
import logging
import os
import subprocess
import sys

import pytest

from carboy.logs import coloured, configure

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

    def test_warnings_are_lines_of_the_log(self):
        said = json.loads(logged("import warnings; warnings.warn('old\\nway')", LOG_FORMAT="json"))
        assert said["logger"] == "py.warnings"
        assert said["level"] == "warning"
        assert "old\nway" in said["event"]

    REQUEST = """
log = logging.getLogger("werkzeug")
head = '127.0.0.1 - - [01/Mar/2026 09:00:00] '
log.info('%s - - [%s] %s\\n', '127.0.0.1', '01/Mar/2026 09:00:00', '"GET / HTTP/1.1" 200 -')
log.info(head + '"\\x1b[33mGET /x HTTP/1.1\\x1b[0m" 404 -')
log.info(head + '"GET / HTTP/1.1" 200 -')
log.info('\\x1b[33mPress CTRL+C to quit\\x1b[0m')
log.error(head + '"GET / HTTP/1.1" 500 -')
"""

    def test_requests_are_left_to_the_access_log(self):
        events = [
            json.loads(line)["event"]
            for line in logged(self.REQUEST, LOG_FORMAT="json").splitlines()
        ]
        assert [event[:20] for event in events] == ["Press CTRL+C to quit", "127.0.0.1 - - [01/Ma"]

    def test_without_an_access_log_werkzeugs_stays(self):
        assert len(logged(self.REQUEST, ACCESS_LOG="no", LOG_FORMAT="json").splitlines()) == 5

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


SERVED = """
import logging, logging.config
from flask import Flask
from carboy import Carboy
app = Flask(__name__)
Carboy(app, {"APP_ENV": "Testing"})
server = logging.getLogger("gunicorn.error")
other = logging.getLogger("other")
CONFIG
app.test_client().get("/")
print(logging.getLogger("carboy.access").disabled, server.disabled, other.disabled)
"""
EVERY = """logging.config.dictConfig({"version": 1, "root": {"level": "INFO", "handlers": ["all"]},
    "handlers": {"all": {"class": "logging.StreamHandler"}}})"""


@pytest.mark.parametrize(
    ("config", "disabled", "written"),
    [
        pytest.param(EVERY, "False False True", True, id="dictConfig: enabled again"),
        pytest.param('logging.getLogger("carboy.access").disabled = True', "True False False",
                     False, id="one logger, on purpose: stays disabled"),
    ],
)  # fmt: skip
def test_loggers_that_were_disabled_silently(tmp_path, config, disabled, written):
    run = subprocess.run([sys.executable, "-c", SERVED.replace("CONFIG", config)],
                         env={"PATH": os.environ["PATH"], "LOG_LEVEL": "INFO"}, cwd=tmp_path,
                         capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    assert run.stdout == f"{disabled}\n"
    assert ("GET / 404" in run.stderr) is written


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
