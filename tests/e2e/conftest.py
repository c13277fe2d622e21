"""A generated project in containers of its own: built, started, and removed at the end."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TARGETS = "compose,heroku,cloudrun,kubernetes,github,gitlab"
LIMIT_S = 240
_FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for figure in terminalreporter.config.stash[_FIGURES]:
        terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def figure(pytestconfig) -> Callable[[str], None]:
    """Note what was measured; it is printed at the end."""
    return pytestconfig.stash[_FIGURES].append


class Stack:
    """The containers of one project.

    :param folder: the project.
    :param port: where nginx is to listen on this machine.
    :param variables: further ones for compose.
    """

    def __init__(self, folder: Path, port: int, **variables: str) -> None:
        self.folder = folder
        self.name = folder.name
        self.image = f"{self.name}:local"
        self.port = port
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COMPOSE")},
            "PUBLISH": f"127.0.0.1:{port}",
            **variables,
        }

    def beside(self, port: int, **variables: str) -> Stack:
        """Give the same project with other variables."""
        return Stack(self.folder, port, **variables)

    def run(self, *command: str, status: int | None = 0, limit_s: int = LIMIT_S) -> str:
        """Run a command in the project; give what it printed, errors behind the output."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        said = done.stdout + done.stderr
        assert status is None or done.returncode == status, f"{command}: {done.returncode}\n{said}"
        return said

    def docker(self, *arguments: str, status: int | None = 0) -> str:
        return self.run("docker", *arguments, status=status)

    def compose(self, *arguments: str, status: int | None = 0) -> str:
        return self.run("docker", "compose", *arguments, status=status)

    def start(self) -> None:
        """Start what does not run, the steps that run once included; wait until all is healthy."""
        self.compose("up", "--detach", "--no-build", "--wait")

    def containers(self, service: str) -> list[str]:
        """Give the ids of a service's containers, also of those that have ended."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def inspect(self, container_or_image: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", container_or_image))
        return found[0]

    def logged(self, service: str) -> list[dict[str, Any]]:
        """Give the JSON lines that a service has logged."""
        text = self.compose("logs", "--no-color", "--no-log-prefix", service)
        lines = (line[line.find("{") :] for line in text.splitlines() if line.endswith("}"))
        return [json.loads(line) for line in lines]

    def sql(self, statement: str) -> str:
        """Ask PostgreSQL."""
        user = self.name.replace("-", "_")
        command = ("psql", "--no-psqlrc", "-tAU", user, "-d", user, "-c", statement)
        return self.compose("exec", "-T", "postgres", *command).strip()

    def request(
        self, method: str, path: str, body: Any = None, /, **headers: str
    ) -> http.client.HTTPResponse:
        """Send a request to nginx; the answer's body is its ``said``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            body, given["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            answer.said = answer.read()  # type: ignore[attr-defined]
        finally:
            connection.close()
        return answer

    def remove(self) -> None:
        """Leave nothing behind: containers, networks, volumes, images."""
        self.docker("rm", "--force", "--volumes", f"{self.name}-trial", status=None)
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "1", status=None)
        self.docker("image", "rm", self.image, f"{self.name}:previous", status=None)
        own = f"label=com.docker.compose.project={self.name}"
        self.docker("image", "prune", "--force", "--filter", own, status=None)


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip where no container can run."""
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    for command in (("docker", "version"), ("docker", "compose", "version")):
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if asked.returncode:
            pytest.skip(f"{' '.join(command)}: {asked.stderr.strip()}")


@pytest.fixture(scope="session")
def built(engine, tmp_path_factory) -> Iterator[Stack]:
    """Make a project with every target, by the command, and build its image unchanged."""
    folder = tmp_path_factory.mktemp("e2e") / f"e2e-{uuid.uuid4().hex[:8]}"
    made = subprocess.run(
        [sys.executable, "-m", "carboy", "new", folder.name, "--starter", "page",
         "--deploy", TARGETS, "--defaults"],
        cwd=folder.parent, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    # So that a pipeline whose time is up leaves no container behind.
    usual = signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM", 143))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        stack = Stack(folder, free.getsockname()[1])
    # As many callers as these tests are, from one address.
    (folder / "deploy/settings.env").write_text("RATE_LIMIT=1000000/minute\n")
    try:
        stack.run("deploy/prepare.sh")
        stack.compose("build", "web")
        yield stack
    finally:
        stack.remove()
        signal.signal(signal.SIGTERM, usual)


@pytest.fixture(scope="session")
def stack(built) -> Stack:
    """Give the project with everything running; a test that changes that changes it back."""
    built.start()
    return built
