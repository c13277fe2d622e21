"""What a run ran on."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from carboy.compiled import is_compiled
from peers.roster import PEERS, THREADS

_BESIDE = ("granian", "gunicorn", "uvicorn", "sqlalchemy", "psycopg", "django", "flask", "orjson")


def about(peers: Sequence[str], rounds: int, seconds: int) -> dict[str, str]:
    """State machine, versions and how it is measured."""
    packages = dict.fromkeys([*(PEERS[name].package for name in peers), *_BESIDE])
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} × {_processor()}, {_memory_gib()} GiB, {platform.system()} "
        f"{platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()} "
        f"of {sys.base_prefix}, {platform.python_compiler()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in packages),
        "carboy": "compiled" if is_compiled() else "not compiled: this machine has no C compiler",
        "load": f"{_wrk()}, 16 connections kept alive (4 for the long table), one thread",
        "services": f"one worker process, {THREADS} threads (WSGI on granian: 1), "
        f"{THREADS} connections to the database",
        "rounds": f"{rounds} rounds of {seconds} s",
    }


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        told = ""
    names = re.findall(r"^model name\s*: (.*)$", told, re.MULTILINE)
    return names[0] if names else platform.machine()


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _wrk() -> str:
    if not shutil.which("wrk"):
        return "no wrk"
    # It shows its version beside its usage and exits with 1.
    shown = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)  # noqa: S607
    return " ".join(shown.stdout.split()[:2]) or "wrk"
