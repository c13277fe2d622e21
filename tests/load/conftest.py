"""Real services, in processes of their own, for real load."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from carboy.settings import Settings

DEADLINE_S = 60.0

APP = """
import itertools
import os
import time

from flask import Flask, request
from marshmallow import Schema, fields

from carboy import Blueprint, Carboy

calls = itertools.count(1)
api = Blueprint("api", __name__, url_prefix="/api")


@api.get("/flaky")
def flaky():
    if next(calls) % 10 == 0:
        raise RuntimeError("one in ten")
    return {"answered": True}


app = Flask(__name__)
Carboy(app)
app.register_blueprint(api)


@app.get("/slow")
def slow():
    time.sleep(0.2)
    return "slow"


@app.get("/things/<int:number>")
def thing(number):
    return {"number": number}


@app.get("/leave")
def leave():
    os.kill(os.getppid(), 15)
    return "gone"
"""

USER = """
from locust import HttpUser, between, task

class Person(HttpUser):
    wait_time = between(0.01, 0.02)

    @task
    def ask(self):
"""


@pytest.fixture(scope="session")
def clean_environment():
    """Give this process's environment without anything that is a setting or a proxy."""
    settings = {
        variable
        for name, (_, declared) in Settings.declarations().items()
        for variable in (declared.env or (name,))
    }
    drop = {*settings, "FLASK_APP", "PROMETHEUS_MULTIPROC_DIR", "GUNICORN_CMD_ARGS", "COLUMNS"}
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "WEB_CONCURRENCY": "1"}


@pytest.fixture
def folder(tmp_path):
    """An empty folder with the app in wsgi.py."""
    (tmp_path / "wsgi.py").write_text(APP)
    return tmp_path


@pytest.fixture
def users(folder):
    """Write a locustfile whose users do what *lines* say, again and again."""

    def write(*lines: str) -> None:
        (folder / "locustfile.py").write_text(USER + "".join(f"        {line}\n" for line in lines))

    return write


@pytest.fixture
def command(folder, clean_environment):
    """Give the arguments to run `carboy ARGUMENTS…` in the folder."""

    def made(*arguments: str, **environment: str) -> dict:
        return {
            "args": [sys.executable, "-m", "carboy", *arguments],
            "cwd": folder,
            "env": {**clean_environment, **environment},
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }

    return made


@pytest.fixture
def carboy(command):
    """Run it to its end."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(**command(*arguments, **environment), timeout=DEADLINE_S, check=False)

    return run


@pytest.fixture
def running(command):
    """Begin it; what still runs is ended after the test."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        begun.append(subprocess.Popen(**command(*arguments, **environment)))
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def service(running):
    """Serve the app by `carboy run`; give its URL."""
    process = running("run", "wsgi:app", HTTP_PORT="0", HTTP_HOST="127.0.0.1")
    line = process.stdout.readline()
    found = re.fullmatch(r"Listening at (\S+)\n", line)
    assert found, line
    yield found[1]
    process.terminate()
    process.communicate(timeout=DEADLINE_S)
