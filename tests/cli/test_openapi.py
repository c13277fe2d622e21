import json
import subprocess
import sys

import pytest

APP = """
from flask import Flask
from marshmallow import Schema, fields
from carboy import Blueprint, Carboy

class Tea(Schema):
    name = fields.String(required=True)

api = Blueprint("api", __name__)

@api.get("/teas/<int:number>")
@api.output(Tea)
def tea(number):
    return {"name": "green"}

app = Flask(__name__)
Carboy(app)
app.register_blueprint(api)
"""


@pytest.fixture
def documents(tmp_path, carboy):
    """An app, and its document before and after a field was renamed."""
    (tmp_path / "tea.py").write_text(APP)
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "tea", "openapi", "--output", "old.json"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    text = (tmp_path / "old.json").read_text()
    (tmp_path / "new.json").write_text(text.replace('"name"', '"label"', 1))
    return tmp_path


def test_nothing_changed_between_a_document_and_its_app(documents, carboy):
    done = carboy("openapi", "diff", "old.json", "tea:app")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing changed.\n", "")


def test_what_breaks_is_named_and_the_exit_status_says_so(documents, carboy):
    (documents / "tea.py").write_text(APP.replace("name = fields", "label = fields"))
    done = carboy("openapi", "diff", "old.json", "tea:app")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "Breaking (1)",
        "  GET /teas/{number}",
        "    response 200 /data: name is gone",
        "Not breaking (1)",
        "  GET /teas/{number}",
        "    response 200 /data: label is new",
    ]


def test_a_program_reads_json(documents, carboy):
    (documents / "tea.py").write_text(APP.replace("label", "name") + "\nimport tea\n")
    old = json.loads((documents / "old.json").read_text())
    old["paths"].clear()
    (documents / "empty.json").write_text(json.dumps(old))
    added = carboy("openapi", "diff", "empty.json", "old.json", "--json")
    assert added.returncode == 0
    assert json.loads(added.stdout) == [
        {
            "breaking": False, "where": "/teas/{number}", "part": "", "pointer": "",
            "kind": "path-added", "message": "the path is new",
        }
    ]  # fmt: skip
    removed = carboy("openapi", "diff", "old.json", "empty.json", "--json")
    assert removed.returncode == 1
    assert json.loads(removed.stdout)[0]["breaking"] is True


def test_the_old_document_may_come_from_a_pipe(documents):
    done = subprocess.run(
        [sys.executable, "-m", "carboy", "openapi", "diff", "-", "old.json"],
        cwd=documents, input=(documents / "old.json").read_bytes(), capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"Nothing changed.\n")


@pytest.mark.parametrize(("old", "new", "reason"), [
    pytest.param("nowhere.json", "old.json", "nowhere.json cannot be read", id="no old file"),
    pytest.param("old.json", "nowhere.json", "nowhere.json cannot be read", id="no new file"),
    pytest.param("tea.py", "old.json", "tea.py is not JSON", id="a file that is no JSON"),
    pytest.param(".", "old.json", ". cannot be read", id="a folder"),
    pytest.param("old.json", "coffee:app", "no module 'coffee'", id="no such app"),
])  # fmt: skip
def test_what_cannot_be_read_is_one_clear_line(documents, carboy, old, new, reason):
    done = carboy("openapi", "diff", old, new)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert reason in done.stderr
