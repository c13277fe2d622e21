# ruff: noqa: INP001 - for the scripts beside it
"""What scripts that measure in this process share: one request as a function, and its time."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

from flask import Flask

Call = Callable[[], Any]


def caller(app: Flask, path: str, body: bytes = b"", expected: str = "200 OK") -> Call:
    """Make a function that sends one request, past the crate.

    :param body: JSON to send; without one it is a GET.
    :param expected: status of the answer; any other ends the script.
    """
    method = "POST" if body else "GET"
    environ = app.test_request_context(
        path, method=method, data=body, content_type="application/json" if body else None
    ).request.environ
    statuses: list[str] = []

    def start(status: str, headers: object, exc_info: object = None) -> Any:
        del headers, exc_info
        statuses.append(status)

    def call() -> None:
        given = {key: value for key, value in environ.items() if not key.startswith("werkzeug.")}
        given["wsgi.input"] = io.BytesIO(body)
        b"".join(type(app).wsgi_app(app, given, start))
        if statuses.pop() != expected:
            raise RuntimeError(f"{path} did not answer {expected}.")

    return call


def one_round(call: Call, times: int) -> float:
    """Call *times* times and give the microseconds of processor time of one."""
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times * 1e6
