"""The starters as projects: in shape, and every promise of their own tests kept.

With the packages of this environment; `make projects` installs what a project pins.
"""

from __future__ import annotations

import os
import sys

import pytest

from carboy.generator.rendering import render


@pytest.fixture(
    params=[
        pytest.param(("single", "sqlite", "demo-shop"), id="single"),
        pytest.param(("module", "sqlite", "a"), id="module"),
        # Lines are as long as the name; where it stands among the imports depends on its letters.
        pytest.param(("model", "postgresql", "zebra-" + "x" * 44), id="model with a long name"),
    ]
)
def project(request, tmp_path, run):
    starter, database, name = request.param
    if starter == "model":
        pytest.importorskip("skops", reason="make projects installs what models need")
    render(tmp_path, {"name": name, "starter": starter, "database": database})
    if starter == "model":
        run(tmp_path, sys.executable, "-m", "steps.train")
    return tmp_path


def test_a_starter_is_in_shape_and_passes_its_own_tests(project, run):
    run(project, sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    run(project, sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")
    server = {name: os.environ[name] for name in ("DATABASE_URL",) if name in os.environ}
    told = run(project, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", **server)
    assert " passed" in told
    assert "skipped" not in told
