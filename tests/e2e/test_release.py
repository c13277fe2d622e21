"""Releases and stops under load: no request is lost."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import pytest

pytestmark = pytest.mark.e2e

PATIENCE_S = 60.0
# Between two requests of a caller: the load is to find gaps, not to use up the machine.
PAUSE_S = 0.02


class Load:
    """Callers on kept connections and on new ones, reading and writing, until told to stop.

    A request is lost when it was sent and no answer came, or one of a server's errors. A refused
    connection is none: nothing was sent.

    :param host: address of nginx.
    :param port: of nginx.
    """

    def __init__(self, host: str, port: int) -> None:
        self.key = f"load-{uuid.uuid4().hex[:8]}-"
        self.outcomes: Counter[str] = Counter()
        self.written: set[str] = set()
        self.slowest_s = 0.0
        self._address = (host, port)
        self._numbers = itertools.count(1)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._callers: list[Future[None]] = []

    def __enter__(self) -> Self:
        callers = [self._keeping, self._keeping, self._keeping, self._anew, self._anew]
        self._pool = ThreadPoolExecutor(len(callers))
        self._callers = [self._pool.submit(caller) for caller in callers]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._pool.shutdown()
        for caller in self._callers:
            caller.result()

    @property
    def answered(self) -> int:
        """Requests that got the answer they should."""
        return self.outcomes["answered"]

    @property
    def lost(self) -> dict[str, int]:
        """What became of the others."""
        return {
            outcome: number
            for outcome, number in self.outcomes.items()
            if outcome not in ("answered", "refused")
        }

    def wait_for(self, more: int) -> None:
        """Wait until so many more requests were answered."""
        wanted, until = self.answered + more, time.monotonic() + PATIENCE_S
        while self.answered < wanted:
            assert time.monotonic() < until, f"no {more} answers in {PATIENCE_S:.0f} s"
            time.sleep(0.02)

    def _keeping(self) -> None:
        """Send one request after another over one connection, as long as it is kept open."""
        while not self._over.is_set():
            connection = self._connected()
            while connection is not None and not self._over.is_set():
                if not self._ask(connection):
                    break
            if connection is not None:
                connection.close()

    def _anew(self) -> None:
        """Send every request over a connection of its own."""
        while not self._over.is_set():
            connection = self._connected()
            if connection is not None:
                self._ask(connection)
                connection.close()

    def _connected(self) -> http.client.HTTPConnection | None:
        connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE_S)
        try:
            connection.connect()
        except OSError:
            self._count("refused")
            self._over.wait(0.05)
            return None
        return connection

    def _ask(self, connection: http.client.HTTPConnection) -> bool:
        """Send a request and note the outcome; tell whether the connection is kept."""
        number = next(self._numbers)
        method, path, form = self._request(number)
        headers = {"Host": "localhost", "Content-Type": "application/json"}
        begun = time.monotonic()
        try:
            connection.request(method, path, json.dumps(form) if form else None, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._count(f"{method} {path}: {error!r}")
            return False
        took_s = time.monotonic() - begun
        if answer.status in (200, 201):
            if answer.status == 201:
                self.written.add(form["username"])
            self._count("answered", took_s)
        else:
            self._count(f"{method} {path}: {answer.status} {said[:200]!r}", took_s)
        self._over.wait(PAUSE_S)
        return not answer.will_close

    def _request(self, number: int) -> tuple[str, str, dict[str, str]]:
        if number % 25 == 0:  # costly: a password is hashed
            name = f"{self.key}{number}"
            form = {"username": name, "email": f"{name}@example.com", "password": "correct horse"}
            return "POST", "/api/v1/users", form
        if number % 2:
            return "GET", "/api/v1/custom", {}
        return "POST", "/api/v1/custom", {"name": "Ann"}

    def _count(self, outcome: str, took_s: float = 0.0) -> None:
        with self._lock:
            self.outcomes[outcome] += 1
            self.slowest_s = max(self.slowest_s, took_s)


def test_a_release_replaces_every_replica_without_losing_a_request(stack, figure):
    before = stack.containers("web")
    source = stack.folder / "wsgi.py"
    source.write_text(source.read_text() + "\n# The next release.\n")
    with Load("127.0.0.1", stack.port) as load:
        load.wait_for(200)
        begun = time.monotonic()
        stack.run("deploy/release.sh")
        took_s = time.monotonic() - begun
        load.wait_for(200)
    after = stack.containers("web")
    figure(
        f"release of 2 replicas: {took_s:.0f} s, {load.answered} requests answered, "
        f"{sum(load.lost.values())} lost, slowest {load.slowest_s:.2f} s"
    )
    assert load.lost == {}
    assert len(after) == len(before) == 2
    assert not set(after) & set(before)
    image = stack.inspect(stack.image)["Id"]
    assert {stack.inspect(container)["Image"] for container in after} == {image}
    kept = stack.sql(f"SELECT username FROM users WHERE username LIKE '{load.key}%'").split()
    assert load.written
    assert set(kept) == load.written


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param("raise RuntimeError('broken on purpose')", id="it cannot be built"),
        pytest.param(
            "import sys\nif 'run' in sys.argv: raise RuntimeError('broken on purpose')",
            id="it does not start",
        ),
    ],
)
def test_a_release_that_cannot_start_changes_nothing(stack, broken):
    before, image = stack.containers("web"), stack.inspect(stack.image)["Id"]
    source = stack.folder / "wsgi.py"
    text = source.read_text()
    source.write_text(f"{text}\n{broken}\n")
    try:
        with Load("127.0.0.1", stack.port) as load:
            load.wait_for(100)
            said = stack.run("deploy/release.sh", status=1)
            load.wait_for(100)
    finally:
        source.write_text(text)
    assert "broken on purpose" in said
    assert load.lost == {}
    assert stack.containers("web") == before
    assert stack.inspect(stack.image)["Id"] == image


def test_a_release_can_be_taken_back(stack):
    image = stack.inspect(stack.image)["Id"]
    earlier = stack.inspect(f"{stack.name}:previous")["Id"]
    assert earlier != image
    stack.run("deploy/release.sh", "--back")
    assert {stack.inspect(container)["Image"] for container in stack.containers("web")} == {earlier}
    assert stack.request("GET", "/health/ready").status == 200


def test_a_replica_that_is_stopped_by_hand_takes_no_request_with_it(stack):
    stopped = stack.containers("web")[0]
    with Load("127.0.0.1", stack.port) as load:
        load.wait_for(100)
        stack.docker("stop", stopped)
        load.wait_for(100)
        stack.docker("start", stopped)
        # The other one answers meanwhile, and whoever is stopped while it starts says so.
        until = time.monotonic() + PATIENCE_S
        while stack.inspect(stopped)["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < until
            load.wait_for(20)
        load.wait_for(100)
    assert load.lost == {}


def test_the_whole_stack_stops_without_losing_a_request(stack, figure):
    # Not through the published port: its proxy accepts connections that nginx no longer does.
    networks = stack.inspect(stack.containers("nginx")[0])["NetworkSettings"]["Networks"]
    (address,) = [network["IPAddress"] for network in networks.values()]
    with Load(address, 8080) as load:
        load.wait_for(200)
        stack.compose("stop")
    figure(f"stop of the stack: {load.answered} requests answered, {sum(load.lost.values())} lost")
    assert load.lost == {}
    assert load.outcomes["refused"] > 0
    for service in ("nginx", "web"):
        for container in stack.containers(service):
            state = stack.inspect(container)["State"]
            assert (state["Status"], state["ExitCode"]) == ("exited", 0)
    stack.start()
