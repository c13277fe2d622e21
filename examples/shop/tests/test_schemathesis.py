"""The shop behind a real server, held against its OpenAPI document by schemathesis.

Left out unless asked for by ``make contract``: it takes about half a minute.
"""

import subprocess
import sys
from pathlib import Path

import pytest

CONFIGURATION = Path(__file__).resolve().parent.parent / "schemathesis.toml"
LIMIT_S = 180


@pytest.mark.contract
def test_schemathesis_finds_nothing(server_url, tmp_path):
    command = Path(sys.executable).with_name("schemathesis")
    document = f"{server_url}/openapi.json"
    run = subprocess.run(
        [
            command,
            "--config-file",
            CONFIGURATION,
            "run",
            "--no-color",
            document,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "No issues found" in run.stdout
