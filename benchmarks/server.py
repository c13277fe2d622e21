# ruff: noqa: INP001, S603, S607 - a script, not a package, that starts what it measures
"""gunicorn and granian under ``carboy run``, side by side: ``python benchmarks/server.py``.

Speed is measured with wrk, in rounds that alternate: requests a second, and CPU time of the
server's processes for each, which a noisy machine disturbs less. First with an app that does
nothing, also on both as they come with commands of their own; then with everything on. Then
400 clients that stop in the middle of a request, or of an answer, while others ask; then what
clients lose that keep their connections open, when the server is stopped, reloaded, recycled, or
loses a worker.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SERVERS = ("gunicorn", "granian")
CLIENTS = 8
STUCK = 400
DEADLINE_S = 30
APP = """
import os
from carboy import Carboy, Flask

app = Flask(__name__)
Carboy(app)
LARGE = b"x" * 10_000_000

@app.get("/")
def index():
    return {"message": "Hello, World!"}

@app.get("/pid")
def pid():
    return str(os.getpid())

@app.get("/large")
def large():
    return LARGE
"""
# In the place of an app, for the price of the server alone.
NOTHING = """
from flask import Flask

BODY = b'{"message":"Hello, World!"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]

class Nothing(Flask):
    def __call__(self, environ, start_response):
        start_response("200 OK", HEADERS.copy())
        return [BODY]

app = Nothing(__name__)
"""
# In the place of a server, for the price of the sockets alone.
LOOP = r"""
import select, socket, sys

port = socket.create_server(("127.0.0.1", int(sys.argv[1])))
poll, clients = select.epoll(), {}
poll.register(port.fileno(), select.EPOLLIN)
while True:
    for fd, _ in poll.poll():
        if fd == port.fileno():
            client, _ = port.accept()
            clients[client.fileno()] = client
            poll.register(client.fileno(), select.EPOLLIN)
            continue
        try:
            asked = clients[fd].recv(65536)
        except OSError:
            asked = b""
        if asked:
            clients[fd].send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello")
        else:
            clients.pop(fd).close()
"""
FLOOR = "recv and send"
_ON = ("--workers", "1", "--log-level", "warning")
COMMANDS = {
    "gunicorn's own": (
        "gunicorn", "--bind", "127.0.0.1:{port}", *_ON, "--worker-class", "gthread",
        "--threads", "4", "--keep-alive", "75", "--no-control-socket", "wsgi:app",
    ),
    "granian's own": (
        "granian", "--host", "127.0.0.1", "--port", "{port}", *_ON, "--interface", "wsgi",
        "--blocking-threads", "1", "--no-ws", "wsgi:app",
    ),
    FLOOR: (Path(sys.executable).name, "-c", LOOP, "{port}"),
}  # fmt: skip
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: local"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"
UNREAD = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Served:
    """A running server."""

    def __init__(self, folder: Path, server: str, **settings: str) -> None:
        environ = {
            **os.environ, "SERVER": server, "HTTP_PORT": "0", "LOG_LEVEL": "WARNING",
            "ACCESS_LOG": "no", **settings,
        }  # fmt: skip
        command = [sys.executable, "-m", "carboy", "run"]
        if server in COMMANDS:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self.port = probe.getsockname()[1]
            program, *arguments = COMMANDS[server]
            arguments = [argument.replace("{port}", str(self.port)) for argument in arguments]
            command = [str(Path(sys.executable).with_name(program)), *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environ,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        if server in COMMANDS:
            self._wait()
        else:
            told = self.process.stdout.readline() if self.process.stdout else ""
            self.port = int(told.rpartition(":")[2])
        for _ in range(int(settings.get("WEB_CONCURRENCY", "1"))):
            self.ask(self.connect())

    def _wait(self) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return self.connect().close()
            time.sleep(0.1)
        return None

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        connection.connect()
        return connection

    def ask(self, connection: http.client.HTTPConnection, path: str = "/") -> tuple[str, bool]:
        """Ask once; give the text, and whether the connection ends with it."""
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != http.HTTPStatus.OK:
            raise SystemExit(f"{answer.status} {text}")
        return text, answer.will_close

    def cpu_s(self) -> float:
        """CPU time so far, of the master and its workers."""
        return sum(_cpu_s(pid) for pid in (self.process.pid, *_children(self.process.pid)))

    def end(self) -> None:
        """Stop it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(DEADLINE_S)
        if self.process.stdout:
            self.process.stdout.close()


@contextlib.contextmanager
def served(server: str, source: str = APP, **settings: str) -> Iterator[Served]:
    """Run a server for the time of the block."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "wsgi.py").write_text(source)
        running = Served(Path(folder), server, **settings)
        try:
            yield running
        finally:
            running.end()


def speed(
    servers: Sequence[str], workers: int, rounds: int, seconds: int, source: str = APP
) -> dict[str, list[float]]:
    """Give requests a second and CPU µs a request of each server, medians over *rounds*."""
    found: dict[str, list[tuple[float, float]]] = {server: [] for server in servers}
    with contextlib.ExitStack() as stack:
        running = {
            server: stack.enter_context(served(server, source, WEB_CONCURRENCY=str(workers)))
            for server in servers
        }
        for turn in range(rounds):
            for server in servers if turn % 2 else reversed(servers):
                found[server].append(_loaded(running[server], workers, seconds))
    return {
        server: [statistics.median(column) for column in zip(*rows, strict=True)]
        for server, rows in found.items()
    }


def _loaded(server: Served, workers: int, seconds: int) -> tuple[float, float]:
    before = server.cpu_s()
    url = f"http://127.0.0.1:{server.port}/"
    told = subprocess.run(
        ["wrk", "-t1", f"-c{CLIENTS * workers}", f"-d{seconds}", url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(told)
    requests = int(re.search(r"(\d+) requests in", told)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]
    return rate, (server.cpu_s() - before) / requests * 1e6


def patience(server: str, sent: bytes) -> str:
    """Give the median and longest time of an answer while others are stuck, in ms."""
    with served(server, WEB_CONCURRENCY="1") as running, contextlib.ExitStack() as stack:
        for _ in range(STUCK):
            stuck = stack.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            stuck.sendall(sent)
        times = []
        for _ in range(20):
            begun = time.perf_counter()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
                running.ask(connection)
                connection.close()
            except TimeoutError:
                return "none in 5 s"
            times.append((time.perf_counter() - begun) * 1000)
    return f"{statistics.median(times):.0f}, {max(times):.0f} at worst"


def losses(server: str, harm: Callable[[Served], object], **settings: str) -> str:
    """Count what clients with kept-alive connections lose while *harm* is done."""
    seen: Counter[str] = Counter()
    done = threading.Event()
    with served(server, WEB_CONCURRENCY="2", **settings) as running:
        clients = [
            threading.Thread(target=_insist, args=(running, done, seen)) for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        time.sleep(1)
        harm(running)
        time.sleep(1)
        done.set()
        for client in clients:
            client.join()
    return f"{seen['lost']} of {seen['answered']}"


def _insist(server: Served, done: threading.Event, seen: Counter[str]) -> None:
    connection = None
    while not done.is_set():
        try:
            connection = connection or server.connect()
        except OSError:  # refused: nothing was accepted, so nothing is lost
            done.wait(0.01)
            continue
        try:
            _, ends = server.ask(connection)
            seen["answered"] += 1
        except (OSError, http.client.HTTPException):
            seen["lost"] += 1
            ends = True
        if ends:
            connection.close()
            connection = None
    if connection:
        connection.close()


def _stop(server: Served) -> None:
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(DEADLINE_S)


def _reload(server: Served) -> None:
    before = set(_children(server.process.pid))
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + DEADLINE_S
    while before & set(_children(server.process.pid)) and time.monotonic() < deadline:
        time.sleep(0.1)


def _kill(server: Served) -> None:
    os.kill(int(server.ask(server.connect(), "/pid")[0]), signal.SIGKILL)
    time.sleep(3)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows(rounds: int, seconds: int) -> Iterator[tuple[str, list[str]]]:
    """Measure one thing after the other; give what it is and a cell for each server."""
    alone = speed((*SERVERS, *COMMANDS), 1, rounds, seconds, NOTHING)
    yield f"{FLOOR}, in a loop: CPU µs/request", [f"{alone[FLOOR][1]:.1f}", ""]
    for names in (SERVERS, [name for name in COMMANDS if name != FLOOR]):
        what = "an app that does nothing" + ("" if names is SERVERS else ", by its own command")
        yield f"{what}: CPU µs/request", [f"{alone[name][1]:.1f}" for name in names]
    for workers in (1, 2):
        found = speed(SERVERS, workers, rounds, seconds)
        yield f"requests/s, {workers} worker(s)", [f"{found[name][0]:,.0f}" for name in SERVERS]
        yield f"CPU µs/request, {workers} worker(s)", [f"{found[name][1]:.1f}" for name in SERVERS]
    for stuck, sent in (
        ("half a head", HALF_A_HEAD),
        ("half a body", HALF_A_BODY),
        ("answer not read", UNREAD),
    ):
        yield f"{STUCK} times {stuck}: ms of others", [patience(name, sent) for name in SERVERS]
    yield "lost at a stop", [losses(name, _stop) for name in SERVERS]
    yield "lost at a reload", [losses(name, _reload) for name in SERVERS]
    recycled = {"GUNICORN_MAX_REQUESTS": "500", "GUNICORN_MAX_REQUESTS_JITTER": "200"}
    waiting: Callable[[Served], object] = lambda _: time.sleep(8)  # noqa: E731 - one line says it
    yield "lost while workers are recycled", [losses(n, waiting, **recycled) for n in SERVERS]
    yield "lost with a killed worker", [losses(name, _kill) for name in SERVERS]


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of load (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each (default 2)")
    given = parser.parse_args()
    sys.stdout.write(f"| | {' | '.join(SERVERS)} |\n|---|---|---|\n")
    for what, cells in rows(given.rounds, given.seconds):
        sys.stdout.write(f"| {what} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
