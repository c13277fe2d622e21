"""The benchmark's own service of Carboy, held to its answers as `make bench` holds all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_the_service_that_is_measured_answers_as_its_peers_must():
    run = subprocess.run(
        [
            *(sys.executable, "-m", "peers", "--check", "--peers", "carboy"),
            *("--databases", "sqlite"),
        ],
        env={**os.environ, "PYTHONPATH": str(BENCHMARKS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Carboy, everything on" in run.stdout


def test_an_answer_that_differs_ends_the_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from peers.check import Check, Different  # found once the folder is on the path

    service = SimpleNamespace(peer=SimpleNamespace(title="Nobody"))

    class Database:
        def restore(self):
            """Leave everything as it is."""

    check = Check(service, Database())
    monkeypatch.setattr("peers.check.ask", lambda *_: (200, "application/json", b'{"message": 1}'))
    with pytest.raises(Different, match=r"Nobody, json: .*Hello, World!"):
        check.run(["json"])
