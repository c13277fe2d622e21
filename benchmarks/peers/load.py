"""Load from wrk."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peers.running import Service
from peers.scenarios import Request

_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Cell:
    """What one service did with one scenario for some seconds.

    :param per_s: requests answered a second.
    :param cpu_us: microseconds of a processor that the service's processes used per request.
    :param failed: answers that are none of 2xx or 3xx, and connections that broke.
    """

    requests: int
    failed: int
    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def missing() -> str:
    """Say what to do when there is no wrk; empty: it is there."""
    if shutil.which("wrk"):
        return ""
    return "wrk is not installed. On Debian and Ubuntu: apt install wrk"


def put(service: Service, requests: Sequence[Request], seconds: int, connections: int) -> Cell:
    """Put load on a service from kept-alive connections and say what came of it."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        for request in requests:
            file.write(b"%d\n%s" % (len(request.raw), request.raw))
        file.flush()
        before = service.cpu_s()
        done = subprocess.run(  # noqa: S603 - constants and numbers
            [
                *("wrk", "--threads", "1", "--connections", str(connections)),
                *("--duration", f"{seconds}s", "--timeout", "10s", "--script", str(_SCRIPT)),
                *(f"http://127.0.0.1:{service.port}", "--", file.name),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
        )
        used = service.cpu_s() - before
    told = json.loads(done.stdout.splitlines()[-1])
    return Cell(
        requests=told["requests"],
        failed=told["failed"] if told["requests"] else 1,
        per_s=told["requests"] / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_us=used / max(1, told["requests"]) * 1e6,
    )
