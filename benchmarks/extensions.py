# ruff: noqa: INP001 - a script, not a package
"""Flask with the extensions that services usually have, wired by hand: for ``crate.py``.

What they do is what the crate does: CORS by Flask-CORS, metrics by prometheus_flask_exporter,
security headers by Flask-Talisman, a request id, and one line of JSON for each request by
structlog. They are no dependencies of the project, so they are installed below ``build/``.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request

EXTENSIONS = ("flask-cors==6.0.5", "flask-talisman==1.1.0", "prometheus-flask-exporter==0.23.2")
FOLDER = Path(__file__).parents[1] / "build" / "extensions"


def install() -> None:
    """Install the extensions unless they are there; Flask and the rest are the project's own."""
    if not (FOLDER / "installed").exists():
        roots = Path(sys.prefix), *Path(__file__).parents[1].glob(".venv*")
        tools = sorted(tool for root in roots for tool in root.glob("uv-*/bin/uv"))
        pip = [sys.executable, "-m", "pip", "install"]
        if tools:
            pip = [str(tools[-1]), "pip", "install", "--python", sys.executable]
        command = [*pip, "--quiet", "--no-deps", "--target", str(FOLDER), *EXTENSIONS]
        subprocess.run(command, check=True)  # noqa: S603 - what it runs is written above
        (FOLDER / "installed").touch()
    sys.path.append(str(FOLDER))
    if importlib.util.find_spec("flask_cors") is None:
        raise SystemExit(f"The extensions are not in {FOLDER}; remove it and try again.")


def one_view(kind: type[Flask] = Flask) -> Flask:
    """Make an app with one JSON view and nothing else."""
    app = kind("service")

    @app.get("/api/v1/products/<int:number>")
    def product(number: int) -> dict[str, Any]:
        del number
        return {"status": "success", "data": {"hello": "world"}}

    return app


def by_hand(origin: str) -> Flask:
    """Make the same app with what it takes to operate it, from extensions."""
    import structlog
    from flask_cors import CORS
    from flask_talisman import Talisman
    from prometheus_flask_exporter import PrometheusMetrics

    log = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
    )
    app = one_view()
    CORS(app, origins=[origin])
    Talisman(app, force_https=False, session_cookie_secure=False)
    PrometheusMetrics(app, group_by="url_rule")

    @app.get("/health")
    def health() -> str:
        return "OK"

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = request.headers.get("X-Request-ID") or uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def log_request(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        log.info(
            "request",
            client=request.remote_addr,
            method=request.method,
            path=request.path,
            route=request.url_rule.rule if request.url_rule else "",
            status=response.status_code,
            duration_ms=round((time.perf_counter() - g.started) * 1000, 3),
            bytes=response.content_length,
            user_agent=request.user_agent.string,
        )
        structlog.contextvars.clear_contextvars()
        return response

    return app


def shown(found: dict[str, float], crate_us: float, names: Iterable[str]) -> None:
    """Print how the extensions compare with the crate."""
    alone, extended, fast = (found[name] for name in names)
    print()  # noqa: T201 - the purpose of a benchmark
    for name, took in zip(names, (alone, extended, fast), strict=True):
        print(f"{name:44}{took:8.2f}{took - alone:8.2f}")  # noqa: T201
    ratio = (extended - alone) / crate_us
    print(f"\nThe extensions add {ratio:.1f} times what the crate adds ({crate_us:.2f} µs).")  # noqa: T201
