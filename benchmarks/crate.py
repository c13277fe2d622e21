# ruff: noqa: INP001 - a script, not a package
"""What the crate adds to one request: ``python benchmarks/crate.py``.

A trivial WSGI application is called bare and in its crate, with one concern more each time, in
rounds that alternate so that a noisy machine disturbs all alike. Printed are medians of the
CPU time of one request, in microseconds. The access log goes to standard error, as under
``carboy run``, which is the null device here: what a line costs in a file is shown apart.

With ``--extensions``, a stock Flask app with the usual extensions takes part in the same rounds:
``extensions.py`` beside this says which, and installs them into ``build/``. With ``--shared``,
metrics are shared between processes as under ``carboy run``.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import extensions

ROUNDS = 60
BODY = b'{"status": "success", "data": {"hello": "world"}}'
ORIGIN = "https://app.example.com"
ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/api/v1/products/7",
    "QUERY_STRING": "",
    "SERVER_NAME": "0.0.0.0",  # noqa: S104 - a value, nothing listens
    "SERVER_PORT": "8080",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "10.0.0.2",
    "HTTP_HOST": "api.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "HTTP_ACCEPT": "application/json",
    "HTTP_ORIGIN": ORIGIN,
    "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(),
    "wsgi.errors": io.StringIO(),
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
}
SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "sKq2-9f_ZxW7pLr4TnVb8Ym1CdHgJe5u",
    "TRUSTED_HOSTS": "api.example.com",
    "ACCESS_LOG": False,
    "METRICS": False,
}
ALONE = "the application alone"
WRITING = "the application, which writes a line of that length"
LINE = b"x" * 460 + b"\n"
EVERYTHING = "+ access log: everything"
FLASK = (
    "flask.Flask, one JSON view",
    "flask.Flask with the usual extensions",
    "carboy.Flask in its crate, everything on",
)
CONCERNS: dict[str, dict[str, Any]] = {
    "request id, host, limits, headers, health": {},
    "+ CORS": {"CORS_ORIGINS": ORIGIN},
    "+ a trusted proxy": {"TRUSTED_PROXIES": 1},
    "+ metrics": {"METRICS": True},
    EVERYTHING: {"ACCESS_LOG": True},
}

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def trivial(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with a constant."""
    environ["carboy.route"] = "/api/v1/products/<int:number>"
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
    )
    return [BODY]


def writing_to(file: int) -> App:
    """Do what no access log can do without: let the system write a line."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        os.write(file, LINE)
        return trivial(environ, start_response)

    return app


def one_round(app: App, requests: int) -> float:
    """Call *app* and give the microseconds of one request."""

    def start_response(_status: str, _headers: Any, _exc_info: Any = None) -> None:
        return None

    began = time.process_time()
    for _ in range(requests):
        body = app(ENVIRON.copy(), start_response)
        for _chunk in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return (time.process_time() - began) / requests * 1e6


def crates(folder: Path) -> Iterator[tuple[str, App]]:
    """Surround the application with more and more."""
    from carboy import Production, logs
    from carboy.crate import Crate

    settings = dict(SETTINGS)
    for name, more in CONCERNS.items():
        settings |= more
        loaded = Production.load(environ={}, **settings)
        logs.configure(loaded)
        yield name, Crate(trivial, loaded, instance_path=folder, checks={})


def flasks(folder: Path) -> Iterator[tuple[str, App]]:
    """Make one Flask app in three ways: alone, with extensions, Carboy's."""
    from carboy import Carboy, Flask, Production

    extensions.install()
    everything = {name: value for more in CONCERNS.values() for name, value in more.items()}
    ours = extensions.one_view(Flask)
    ours.instance_path = str(folder)
    Carboy(ours, Production.load(environ={}, **(SETTINGS | everything)))
    apps = (extensions.one_view(), extensions.by_hand(ORIGIN), ours)
    yield from zip(FLASK, apps, strict=True)


@contextlib.contextmanager
def without_errors() -> Iterator[None]:
    """Send standard error where it costs the system least; what a file costs is shown apart."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def measured(apps: dict[str, App], requests: int, rounds: int) -> dict[str, float]:
    """Give the median of every app."""
    times: dict[str, list[float]] = {name: [] for name in apps}
    gc.disable()
    for _ in range(rounds):
        for name, app in apps.items():
            times[name].append(one_round(app, requests if name not in FLASK else requests // 10))
        gc.collect()
    return {name: statistics.median(found) for name, found in times.items()}


def shown(found: dict[str, float]) -> None:
    """Print what each concern costs."""
    print(f"{'CPU time of one request':44}{'µs':>8}{'added':>8}{'by this':>9}")  # noqa: T201 - the purpose of a benchmark
    before = found[ALONE]
    for name in (ALONE, *CONCERNS):
        took = found[name]
        print(f"{name:44}{took:8.2f}{took - found[ALONE]:8.2f}{took - before:9.2f}")  # noqa: T201
        before = took
    print(f"A line in a file costs the system {found[WRITING] - found[ALONE]:.2f} µs.")  # noqa: T201


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="requests in a round")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--shared", action="store_true", help="metrics of several processes")
    parser.add_argument("--extensions", action="store_true", help="compare with the usual ones")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, without_errors():
        folder = Path(name)
        line = os.open(folder / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        if asked.shared:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = name
        apps: dict[str, App] = {ALONE: trivial, WRITING: writing_to(line), **dict(crates(folder))}
        if asked.extensions:
            apps.update(flasks(folder))
        found = measured(apps, asked.requests, asked.rounds)
    shown(found)
    if asked.extensions:
        extensions.shown(found, found[EVERYTHING] - found[ALONE], FLASK)


if __name__ == "__main__":
    sys.exit(main())
