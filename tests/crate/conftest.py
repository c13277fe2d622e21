"""A crate around a small WSGI app, called as a server calls it."""

import io
import logging
import re
import types
from dataclasses import dataclass, field
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from carboy import Development, Production, Testing
from carboy.crate import Crate

KEY = "sKq2-9f_ZxW7pLr4TnVb8Ym1CdHgJe5u"
PROFILES = {"Production": Production, "Development": Development, "Testing": Testing}


@dataclass
class Received:
    status: int
    headers: list
    body: bytes
    environ: dict = field(repr=False)

    def __getitem__(self, name):
        """Give the values of a header, joined."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def names(self):
        return [name.lower() for name, _ in self.headers]


def make_environ(path="/", method="GET", *, body=b"", **environ):
    made = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "localhost",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    if body and "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        made["CONTENT_LENGTH"] = str(len(body))
    setup_testing_defaults(made)
    return {name: value for name, value in made.items() if value is not None}


def call(app, path="/", method="GET", *, body=b"", **environ):
    """Send one request and read the answer to its end, as a server does."""
    made = make_environ(path, method, body=body, **environ)
    started = []
    written = []

    def start_response(status, headers, exc_info=None):
        assert not started or exc_info
        started[:] = [status, headers]
        return written.append

    result = app(made, start_response)
    try:
        sent = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    status, headers = started
    return Received(int(status[:3]), headers, b"".join(written) + sent, made)


def hello(environ, start_response):
    environ["carboy.route"] = "/hello/<name>"
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"hello"]


@pytest.fixture
def make_crate(tmp_path):
    def make(app=hello, *, profile="Testing", checks=None, propagate=False, **settings):
        if profile == "Production":
            settings = {"SECRET_KEY": KEY, "TRUSTED_HOSTS": "localhost", **settings}
        return Crate(
            app,
            PROFILES[profile].load(environ={}, dotenv=None, **settings),
            instance_path=tmp_path,
            checks={} if checks is None else checks,
            propagate=lambda: propagate,
        )

    return make


@pytest.fixture
def get():
    return call


@pytest.fixture
def mutant():
    """Make a copy of a module in which a mistake was made."""

    def make(module, pattern, replacement):
        # Also where it runs as machine code.
        source = Path(module.__file__).with_name(f"{module.__name__.rpartition('.')[2]}.py")
        text, times = re.subn(pattern, replacement, source.read_text())
        assert times, "the pattern is not in the module"
        made = types.ModuleType(module.__name__)
        made.__file__ = str(source)
        exec(compile(text, source, "exec"), vars(made))
        return made

    return make


@pytest.fixture
def environ():
    return make_environ


@pytest.fixture
def access(caplog):
    """The records of the access log, in order."""
    caplog.set_level(logging.INFO, logger="carboy.access")
    return lambda: [record for record in caplog.records if record.name == "carboy.access"]
