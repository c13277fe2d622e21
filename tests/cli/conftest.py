"""The command line, as a person uses it: in a subprocess, in a folder with an app."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from carboy.settings import Settings


@pytest.fixture
def carboy(tmp_path):
    """Run `carboy ARGUMENTS…` in an empty folder."""
    settings = {
        variable
        for name, (_, declared) in Settings.declarations().items()
        for variable in (declared.env or (name,))
    }
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {*settings, "FLASK_APP", "COLUMNS"}
    }

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "carboy", *arguments],
            cwd=tmp_path,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def app(tmp_path):
    """Put an app with a setting of its own into wsgi.py."""
    (tmp_path / "wsgi.py").write_text(
        "from flask import Flask\n"
        "from carboy import Carboy, Settings, setting\n"
        "class OwnSettings(Settings):\n"
        "    GREETING: str = setting('Hello', 'What to say.')\n"
        "app = Flask(__name__)\n"
        "Carboy(app, OwnSettings)\n"
    )
