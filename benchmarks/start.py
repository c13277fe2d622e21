# ruff: noqa: INP001, S603, T201 - a script that runs programs of its own and prints
"""What a start and a worker cost, beside FastAPI: ``make bench-start``.

The same API twice: a JSON route, a POST that is checked, schemas, an OpenAPI document; once without
a database and once with SQLAlchemy on SQLite. Both run from the environment that runs this, that of
``make bench``. Processes are fresh and take turns; printed are medians and Carboy's share.

*in process*: the interpreter starts, the app is imported, one GET is answered through WSGI or ASGI.
*served*: from starting the command to the first answer over HTTP; then requests, then memory of the
process that answers (its PSS: shared pages count in part) and of all processes of the service.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from carboy.compiled import is_compiled

sys.path.insert(0, str(Path(__file__).parent))
from start_apps import APPS, FIRST_ANSWER

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "start"
PYTHON = Path(sys.executable)
ROUNDS = int(os.environ.get("ROUNDS", "9"))
REQUESTS = 500
WAIT_S = 60
BODY = json.dumps({"name": "tea", "price": 2.5})
TICKS = os.sysconf("SC_CLK_TCK")
Figures = dict[str, float]


def prepare() -> None:
    """Write the apps, and make their database."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in APPS.items():
        (FOLDER / f"{name}.py").write_text(text)
    database = sqlite3.connect(FOLDER / "items.sqlite3")
    database.execute("DROP TABLE IF EXISTS items")
    database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name VARCHAR, price FLOAT)")
    database.execute("INSERT INTO items (name, price) VALUES ('tea', 2.5)")
    database.commit()
    database.close()


def environment(port: int = 0) -> dict[str, str]:
    """Give what both are started with."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {
        "APP_ENV": "Production",
        "SECRET_KEY": secrets.token_hex(32),
        "TRUSTED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{FOLDER}/items.sqlite3",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "LOG_LEVEL": "WARNING",
    }


def in_process(name: str) -> Figures:
    """Import an app and answer once, in a process of its own."""
    began = time.perf_counter()
    done = subprocess.run(
        [PYTHON, "-c", FIRST_ANSWER, name],
        cwd=FOLDER,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    cpu, modules, rss = map(float, done.stdout.split()[-3:])
    return {
        "in process: CPU ms": cpu * 1000,
        "in process: wall ms": (time.perf_counter() - began) * 1000,
        "in process: modules": modules,
        "in process: RSS MB": rss / 1024,
    }


def command(name: str, server: str, port: int) -> list[str]:
    """Give what starts a service."""
    if server == "uvicorn":
        return ["uvicorn", f"{name}:app", "--port", str(port), "--log-level", "warning"]
    return ["carboy", "run", f"{name}:app"]


@contextmanager
def served(name: str, server: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a service; end it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = command(name, server, port)
    process = subprocess.Popen(
        [PYTHON.parent / words[0], *words[1:]],
        cwd=FOLDER,
        env=environment(port) | {"SERVER": server},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def answers(port: int, method: str, path: str) -> bool:
    """Ask once; tell whether it was answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        body = BODY if method == "POST" else None
        connection.request(method, path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status in {200, 201}
    except OSError:
        return False
    finally:
        connection.close()


def family(pid: int) -> list[int]:
    """Give a process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def cpu_s(pid: int) -> float:
    """Give the CPU seconds of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def pss_mb(pid: int) -> float:
    """Give the share of memory of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def of_service(name: str, server: str) -> Figures:
    """Start a service, wait for its first answer, ask more, and weigh it."""
    began = time.perf_counter()
    with served(name, server) as (process, port):
        while not answers(port, "GET", "/hello"):
            if process.poll() is not None or time.perf_counter() - began > WAIT_S:
                raise SystemExit(f"{name} does not answer: {command(name, server, port)}")
            time.sleep(0.005)
        wall = time.perf_counter() - began
        before = {pid: cpu_s(pid) for pid in family(process.pid)}
        for number in range(REQUESTS):
            answers(
                port,
                "POST" if number % 5 == 0 else "GET",
                "/items" if number % 5 == 0 else "/hello",
            )
        answers(port, "GET", "/openapi.json")
        weights = {pid: pss_mb(pid) for pid in family(process.pid)}
        # The master has imported most, so what counts is who worked since.
        busiest = max(weights, key=lambda pid: cpu_s(pid) - before.get(pid, 0.0))
        return {
            "served: CPU ms": sum(before.values()) * 1000,
            "served: wall ms": wall * 1000,
            "served: worker PSS MB": weights[busiest],
            "served: all PSS MB": sum(weights.values()),
        }


def main() -> None:
    """Measure and print."""
    prepare()
    form = "compiled" if is_compiled() else "not compiled"
    print(f"Carboy {version('carboy')}, {form}; FastAPI {version('fastapi')}")
    print(f"CPython {platform.python_version()} of {sys.base_prefix}")
    for case in ("plain", "database"):
        contenders = {
            "carboy, gunicorn": (f"carboy_{case}", "gunicorn"),
            "carboy, granian": (f"carboy_{case}", "granian"),
            "fastapi, uvicorn": (f"fastapi_{case}", "uvicorn"),
        }
        found: dict[str, list[Figures]] = {label: [] for label in contenders}
        for _ in range(ROUNDS):
            for label, (name, server) in contenders.items():
                found[label].append(in_process(name) | of_service(name, server))
        print(f"\n{case}: medians of {ROUNDS} rounds; in brackets Carboy's share of FastAPI's")
        print(f"{'':24}" + "".join(f"{label:>24}" for label in contenders))
        for key in found["fastapi, uvicorn"][0]:
            middle = {
                label: statistics.median(one[key] for one in rounds)
                for label, rounds in found.items()
            }
            theirs = middle["fastapi, uvicorn"]
            cells = (
                f"{value:14.0f} ({value / theirs:5.2f} x)" + " "
                if label[0] == "c"
                else f"{value:14.0f}"
                for label, value in middle.items()
            )
            print(f"{key:24}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
