# ruff: noqa: INP001 - a script, not a package
"""What the crate adds to one request: ``python benchmarks/crate.py``.

A trivial WSGI application is called bare and in its crate, in rounds that alternate so
that a noisy machine disturbs both alike. Printed are medians in microseconds. "Everything"
has trusted proxies, a host list, CORS, metrics and a JSON access log written to a file.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from carboy import Production
from carboy.crate import Crate
from carboy.logs import make_formatter

ROUNDS = 60
BODY = b'{"status": "success", "data": {"hello": "world"}}'
SETTINGS: dict[str, Any] = {
    "SECRET_KEY": "sKq2-9f_ZxW7pLr4TnVb8Ym1CdHgJe5u",
    "TRUSTED_HOSTS": "api.example.com",
}
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
    "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "wsgi.url_scheme": "http",
    "wsgi.input_terminated": True,
}
CASES: dict[str, dict[str, Any]] = {
    "bare crate (no access log, no metrics)": {"ACCESS_LOG": False, "METRICS": False},
    "+ metrics": {"ACCESS_LOG": False},
    "+ access log (the default)": {},
    "everything (+ proxy, CORS)": {
        "TRUSTED_PROXIES": 1,
        "CORS_ORIGINS": "https://app.example.com",
    },
}


def trivial(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with a constant."""
    environ["carboy.route"] = "/api/v1/products/<int:id>"
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
    )
    return [BODY]


def one_round(app: Callable[..., Iterable[bytes]], requests: int) -> float:
    """Call *app* and give the microseconds of one request."""

    def start_response(_status: str, _headers: Any, _exc_info: Any = None) -> None:
        return None

    began = time.perf_counter()
    for _ in range(requests):
        body = app(ENVIRON.copy(), start_response)
        for _chunk in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return (time.perf_counter() - began) / requests * 1e6


def main() -> None:
    """Measure every case and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000, help="requests in a round")
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as sink:  # noqa: PTH123
        handler = logging.StreamHandler(sink)
        handler.setFormatter(make_formatter("json", colour=False))
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        apps: dict[str, Callable[..., Iterable[bytes]]] = {"the application alone": trivial}
        for name, rest in CASES.items():
            settings = Production.load(environ={}, **SETTINGS, **rest)
            apps[name] = Crate(trivial, settings, instance_path=Path(folder), checks={})
        times: dict[str, list[float]] = {name: [] for name in apps}
        gc.disable()
        for _ in range(ROUNDS):
            for name, app in apps.items():
                times[name].append(one_round(app, requests))
            gc.collect()
    alone = statistics.median(times["the application alone"])
    print(f"{'':40}{'µs':>8}{'added':>8}")  # noqa: T201 - the purpose of a benchmark
    for name, measured in times.items():
        middle = statistics.median(measured)
        print(f"{name:40}{middle:8.2f}{middle - alone:8.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
