"""What the first answer of a service does not wait for."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "alembic", "apispec", "argon2", "asyncio", "attr", "copier", "cryptography", "flask_swagger_ui",
    "gunicorn", "granian", "greenlet", "jwt", "locust", "markdown_it", "nh3", "obstore", "psycopg",
    "redis", "rich", "sqlalchemy", "structlog", "unittest", "webargs", "yaml",
)  # fmt: skip
PROGRAM = """
import json
import sys

from marshmallow import fields

from carboy import Blueprint, Carboy, Flask, Schema

api = Blueprint("api", __name__)


class Item(Schema):
    name = fields.String(required=True)


@api.post("/items")
@api.input(Item)
@api.output(Item, 201)
def add(data):
    return data


app = Flask(__name__)
Carboy(app, {"APP_ENV": "Testing", "LOG_FORMAT": sys.argv[1]})
app.register_blueprint(api)
client = app.test_client()
assert client.post("/items", json={"name": "tea"}).status_code == 201
assert client.post("/items", json={}).status_code == 422
assert client.get("/nowhere").status_code == 404
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_the_first_answers_do_not_wait_for_what_they_do_not_need(log_format):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, log_format], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split('"'))
    assert "flask" in imported
    assert not imported.intersection(HEAVY)


PUBLIC_NAME = """
import gc

gc.set_threshold(700, 10, 10)
import carboy

{before}
frozen = gc.get_freeze_count()
phases = []
gc.callbacks.append(lambda phase, info: phases.append(phase))
carboy.Carboy
left = gc.get_freeze_count()
print(phases.count("start") <= 1, gc.isenabled(), gc.get_threshold())
print(left <= frozen and bool(left) == bool(frozen))
"""


@pytest.mark.parametrize(
    ("before", "thresholds"),
    [
        pytest.param("", (700, 10, 10), id="all is as before"),
        pytest.param("gc.freeze()", (700, 10, 10), id="what was frozen stays so"),
        pytest.param("gc.set_threshold(0)", (0, 10, 10), id="what was turned off stays so"),
    ],
)
def test_no_garbage_is_looked_for_while_carboy_is_imported(before, thresholds):
    done = subprocess.run(
        [sys.executable, "-c", PUBLIC_NAME.format(before=before)],
        capture_output=True,
        text=True,
        check=False,
    )
    # Where something was frozen the young are looked through once, afterwards.
    assert done.stdout == f"True True {thresholds}\nTrue\n", done.stderr
