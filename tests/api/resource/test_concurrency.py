"""Many writers at once, through the real server: nobody's change is lost."""

import http.client
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from carboy.settings import Settings
from carboy.testing import fresh_database

WRITERS = 20
TURNS = 3
DEADLINE_S = 60.0
APP = """
from flask import Flask
from marshmallow import Schema, fields
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy import Blueprint, Carboy, Database, Resource

class Model(DeclarativeBase):
    pass

class Counter(Model):
    __tablename__ = "counters"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(default=0)
    parts: Mapped[dict] = mapped_column(JSON, default=dict)

class CounterIn(Schema):
    value = fields.Integer(required=True)
    parts = fields.Dict(keys=fields.String(), values=fields.Integer())

class CounterOut(CounterIn):
    id = fields.Integer()

class Counters(Resource):
    model, schema, writable = Counter, CounterOut, CounterIn

class Checked(Counters):
    if_match = "required"

api = Blueprint("api", __name__)
api.resource("/counters", Counters)
api.resource("/checked", Checked)

app = Flask(__name__)
Carboy(app)
db = Database(Model)
db.init_app(app)
app.register_blueprint(api)
with app.app_context():
    Model.metadata.create_all(db.engine)
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Serve counters by two processes with eight threads each."""
    settings = {
        variable
        for name, (_, declared) in Settings.declarations().items()
        for variable in (declared.env or (name,))
    }
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    folder = tmp_path_factory.mktemp("counters")
    (folder / "wsgi.py").write_text(APP)
    with fresh_database() as url, (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "carboy", "run", "wsgi:app"],
            cwd=folder,
            env={**kept, "DATABASE_URL": url, "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0",
                 "WEB_CONCURRENCY": "2", "GUNICORN_THREADS": "8", "DATABASE_TIMEOUT_S": "30"},
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            found = re.fullmatch(r"Listening at http://.+:(\d+)\n", process.stdout.readline())
            assert found, (folder / "log").read_text()
            yield int(found[1])
        finally:
            process.terminate()
            process.wait(DEADLINE_S)
            process.stdout.close()


def call(port, method, path, body=None, **headers):
    """Make one request; give its status, its data and its tag."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)) as connection:
        connection.request(method, path, sent, {"Content-Type": "application/json", **named})
        answer = connection.getresponse()
        content = answer.read()
    found = json.loads(content)["data"] if content else None
    return answer.status, found, answer.headers.get("ETag")


def made(port, place="counters"):
    """Make a counter; give its address and its tag."""
    status, counter, tag = call(port, "POST", f"/{place}", {"value": 0})
    assert status == 201
    return f"/{place}/{counter['id']}", tag


def together(writer):
    """Run it for every writer at the same time; their results."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(writer, range(WRITERS)))


@pytest.mark.parametrize(("method", "place"), [
    pytest.param("PATCH", "counters", id="PATCH with If-Match"),
    pytest.param("PUT", "counters", id="PUT with If-Match"),
    pytest.param("PATCH", "checked", id="PATCH, If-Match demanded"),
])  # fmt: skip
def test_of_twenty_concurrent_writers_none_loses_an_update(port, method, place):
    path, _ = made(port, place)

    def writer(_):
        """Read, add one, write if it is still so; try again after a 412."""
        refused = done = 0
        while done < TURNS:
            _, counter, tag = call(port, "GET", path)
            more = {"value": counter["value"] + 1}
            status, told, _ = call(port, method, path, more, If_Match=tag)
            assert status in (200, 412), (status, told)
            done += status == 200
            refused += status == 412
        return refused

    refused = sum(together(writer))
    assert call(port, "GET", path)[1]["value"] == WRITERS * TURNS
    assert refused > 0  # they did get into each other's way


def test_parts_of_an_object_that_many_change_at_once_are_all_kept(port):
    """A merge needs the row: it is read under the lock, so no If-Match is needed for this."""
    path, _ = made(port)

    def writer(number):
        for turn in range(TURNS):
            part = {"parts": {f"{number}-{turn}": number}}
            status, told, _ = call(port, "PATCH", path, part)
            assert status == 200, told

    together(writer)
    parts = call(port, "GET", path)[1]["parts"]
    assert parts == {f"{n}-{turn}": n for n in range(WRITERS) for turn in range(TURNS)}


def test_of_twenty_who_delete_what_they_read_one_does(port):
    path, tag = made(port)
    statuses = together(lambda _: call(port, "DELETE", path, If_Match=tag)[0])
    assert sorted(statuses) == [204, *[404] * (WRITERS - 1)]


def test_a_deletion_does_not_pass_a_change(port):
    """Of those who delete or change what they all have read, only the first one does."""
    for _ in range(3):
        path, tag = made(port)

        def race(who, path=path, tag=tag):
            if who % 2:
                return call(port, "DELETE", path, If_Match=tag)[0]
            return call(port, "PATCH", path, {"value": who + 1}, If_Match=tag)[0]

        done = [status for status in together(race) if status < 300]
        assert len(done) == 1
        assert call(port, "GET", path)[0] == (404 if done == [204] else 200)
