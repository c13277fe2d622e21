"""The users of the load test follow the shop's routes: none of what they do fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from carboy.testing import fresh_database
from shop.settings import ShopSettings

SHOP = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif("BASE_URL" in os.environ, reason="loads a shop of its own")


def test_the_users_of_the_load_test_find_what_they_ask_for(tmp_path):
    settings = {
        variable
        for name, (_, declared) in ShopSettings.declarations().items()
        for variable in (declared.env or (name,))
    }
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    with fresh_database() as url:
        environment = {
            **kept, "DATABASE_URL": url, "INSTANCE_PATH": str(tmp_path), "RATE_LIMIT": "",
            "AUTH_ARGON2_MEMORY_KIB": "64", "AUTH_ARGON2_TIME_COST": "1", "WEB_CONCURRENCY": "1",
        }  # fmt: skip

        def run(*command):
            return subprocess.run(
                [sys.executable, "-m", *command],
                cwd=SHOP, env=environment, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip

        for command in (("db", "upgrade"), ("shop", "import-catalogue", "catalogue.csv")):
            prepared = run("flask", "--app", "wsgi", *command)
            assert prepared.returncode == 0, prepared.stderr
        done = run(
            "carboy", "load", "wsgi:app", "--time", "6", "--users", "16",
            "--max-error-rate", "0", "--no-html", "--json",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    routes = {f"{row['method']} {row['route']}" for row in json.loads(done.stdout)["routes"]}
    assert routes >= {
        "GET /", "GET /api/v1/products", "GET /api/v1/products/{id}", "POST /api/v1/users",
        "POST /api/v1/sessions",
    }  # fmt: skip
    assert not [route for route in routes if "{}" in route]
