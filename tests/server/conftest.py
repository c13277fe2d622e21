"""A real server in a process of its own, on a free port, with a deadline for everything."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from carboy.settings import Settings

DEADLINE_S = 30.0
ENGINES = ("gunicorn", "granian")

APP = """
import os
import time
from pathlib import Path

from flask import Flask, request

from carboy import Carboy

app = Flask(__name__)
Carboy(app)

@app.get("/")
def index():
    return {"pid": os.getpid(), "scheme": request.scheme, "address": request.remote_addr}

@app.get("/slow")
def slow():
    Path("entered").touch()
    while not Path("finish").exists():
        time.sleep(0.01)
    return "finished"
"""


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait until *condition* gives something true, and give it."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    pytest.fail(f"waited {DEADLINE_S:.0f} s in vain until {what}")


def clean_environment(**given: str) -> dict[str, str]:
    """Give this process's environment without anything that is a setting."""
    settings = {
        variable
        for name, (_, declared) in Settings.declarations().items()
        for variable in (declared.env or (name,))
    }
    drop = {*settings, "FLASK_APP", "PROMETHEUS_MULTIPROC_DIR", "GUNICORN_CMD_ARGS", "COLUMNS"}
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **given}


class Server:
    """One running server."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self.folder = folder
        self._stderr = folder / "stderr.txt"
        with self._stderr.open("w") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        self.host, self.port = "127.0.0.1", 0
        self._told = 0

    def wait_for_port(self) -> None:
        line = self.process.stdout.readline()
        found = re.fullmatch(r"Listening at http://(.+):(\d+)\n", line)
        assert found, f"{line!r}\n{self.log()}"
        self.host, self.port = found[1].strip("[]"), int(found[2])

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=DEADLINE_S)
        connection.connect()
        return connection

    def get(self, path: str = "/", **headers: str) -> tuple[int, str, Any]:
        connection = self.connect()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def send(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    def wait(self) -> int:
        return self.process.wait(DEADLINE_S)

    def stop(self) -> int:
        self.send(signal.SIGTERM)
        return self.wait()

    def log(self) -> str:
        return self._stderr.read_text()[self._told :]

    def forget(self) -> None:
        """Leave out what the log has so far."""
        self._told += len(self.log())

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # the quick stop, also during a delay
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        self.process.stdout.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hold every law of a running server on both, unless a test is marked for one."""
    if "engine" in metafunc.fixturenames:
        named = metafunc.definition.get_closest_marker("engine")
        engines = named.args if named else ENGINES
        metafunc.parametrize("engine", engines, scope="session")


@pytest.fixture
def serve(tmp_path, engine) -> Iterator[Callable[..., Server]]:
    """Start `carboy run` in an empty folder with an app in wsgi.py."""
    yield from _starting(lambda: tmp_path, engine)


@pytest.fixture(scope="module")
def serve_once(tmp_path_factory, engine) -> Iterator[Callable[..., Server]]:
    """Start a server that all tests of a module use, and none of them stops or harms."""
    yield from _starting(lambda: tmp_path_factory.mktemp("server"), engine)


def _starting(folder: Callable[[], Path], engine: str) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(
        source: str = APP,
        *arguments: str,
        command: tuple[str, ...] = ("-m", "carboy", "run"),
        listens: bool = True,
        **settings: str,
    ) -> Server:
        place = folder()
        (place / "wsgi.py").write_text(source)
        environment = clean_environment(
            **{
                "HTTP_PORT": "0",
                "WEB_CONCURRENCY": "1",
                "HTTP_HOST": "127.0.0.1",
                "SERVER": engine,
                **settings,
            }
        )
        server = Server(place, [sys.executable, *command, *arguments], environment)
        servers.append(server)
        if listens:
            server.wait_for_port()
        return server

    yield start
    for server in servers:
        server.end()


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], Any], str], Any]:
    return until
