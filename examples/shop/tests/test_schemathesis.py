"""The shop behind a real server, held against its OpenAPI document by schemathesis.

Left out unless asked for by ``make contract``: it takes some minutes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carboy.testing import fresh_database

from .conftest import HERE, flask, served, shop_on

CONFIGURATION = HERE / "schemathesis.toml"
LIMIT_S = 420
PASSWORD = "correct horse battery"
# In every order of accounts there are others before and behind those that sign in.
ACCOUNTS = [*(f"a-{turn}" for turn in range(20)), "m-admin", "m-customer",
            *(f"z-{turn}" for turn in range(20))]  # fmt: skip


@pytest.fixture
def shop_url(tmp_path):
    """Serve a shop with people in it, which the requests may change and empty."""
    if "BASE_URL" in os.environ:
        pytest.skip("BASE_URL leads to a shop that is not for throwing away")
    with fresh_database() as url:
        with shop_on(url, tmp_path / "instance") as app:
            flask(app, "db", "upgrade")
            flask(app, "shop", "import-catalogue", str(HERE / "catalogue.csv"))
            for name in ACCOUNTS:
                role = "admin" if name.endswith("admin") else "customer"
                flask(
                    app, "users", "create", name, "--email", f"{name}@example.com",
                    "--full-name", "Renée Example", "--role", role, "--password", PASSWORD,
                )  # fmt: skip
        with served(url, tmp_path / "instance") as address:
            yield address


@pytest.mark.contract
@pytest.mark.parametrize("caller", ["m-admin", "m-customer"], ids=["admin", "customer"])
def test_schemathesis_finds_nothing(shop_url, tmp_path, caller):
    command = Path(sys.executable).with_name("schemathesis")
    document = f"{shop_url}/openapi.json"
    run = subprocess.run(
        [command, "--config-file", CONFIGURATION, "run", "--no-color", document],
        cwd=tmp_path,
        env={**os.environ, "SHOP_CALLER": caller, "SHOP_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "No issues found" in run.stdout
