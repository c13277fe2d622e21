"""Real commands in real folders, and earlier versions of Carboy to upgrade from."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from carboy.settings import Settings

_SETTINGS = {
    variable
    for name, (_, declared) in Settings.declarations().items()
    for variable in (declared.env or (name,))
}


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The variables of a person with an empty home and nothing configured."""
    home = tmp_path_factory.mktemp("home")
    left_out = {*_SETTINGS, "FLASK_APP", "COLUMNS", "VIRTUAL_ENV", "BASE_URL"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in left_out and not name.startswith("GIT_")
    }
    return kept | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="session")
def run(environment):
    """Run a program: ``run(folder, *words, status=0)``; gives what it printed, both streams."""

    def run(folder, *words, status=0, **more):
        done = subprocess.run(
            words,
            cwd=folder,
            env={**environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    return run


@pytest.fixture(scope="session")
def carboy(run):
    """Run ``carboy WORDS`` in a folder: ``carboy(folder, *words, status=0)``."""

    def carboy(folder, *words, **rest):
        return run(folder, sys.executable, "-m", "carboy", *words, **rest)

    return carboy


@pytest.fixture(scope="session")
def git(run):
    """Run git as somebody: ``git(folder, *words)``."""

    def git(folder, *words):
        return run(folder, "git", "-c", "user.name=R", "-c", "user.email=r@example.com", *words)

    return git
