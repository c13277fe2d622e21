"""Deployment files for an app that was there before."""

import os
import re

import pytest

from carboy.generator.record import NAME

from .earlier import TEMPLATES, unpacked

APP = """
from flask import Flask
from carboy import Carboy

def create_app():
    app = Flask(__name__)
    Carboy(app)
    return app
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "My Shop"
    (folder / "static").mkdir(parents=True)
    (folder / "shop.py").write_text(APP)
    (folder / "static" / "site.css").write_text("body {}")
    return folder


def state(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", "__pycache__"} & {*path.relative_to(folder).parts}
    }


def test_files_are_written_beside_the_app(folder, carboy):
    before = state(folder)
    said = carboy(folder, "adopt", "shop:create_app", "--deploy", "compose,github")
    after = state(folder)
    assert {name: after[name] for name in before} == before
    written = set(after) - set(before)
    for name in ("Dockerfile", "compose.yaml", ".github/workflows/pipeline.yml", NAME):
        assert name in written
        assert f"written  {name}\n" in said
    assert not written & {"Makefile", "wsgi.py", "pyproject.toml"}
    assert b'"carboy", "run", "shop:create_app"' in after["Dockerfile"]
    assert b'name = "my-shop"' in after[NAME]
    assert b'static = "static"' in after[NAME]
    assert b'database = "postgresql"' in after[NAME]
    assert b"psycopg==" in after["requirements.txt"]
    assert "add what else your app imports" in said


def test_an_app_with_migrations_has_them_run(folder, carboy):
    text = APP.replace(
        "    Carboy(app)\n", "    Carboy(app)\n    Database(MetaData()).init_app(app)\n"
    )
    text = text.replace("import Carboy", "import Carboy, Database\nfrom sqlalchemy import MetaData")
    (folder / "shop.py").write_text(text)
    carboy(folder, "adopt", "shop:create_app", "--deploy", "heroku", "--dry-run")
    (folder / "migrations").mkdir()
    carboy(folder, "adopt", "shop:create_app", "--deploy", "heroku")
    assert re.search("^release: .* db upgrade$", (folder / "Procfile").read_text(), re.MULTILINE)


def test_what_is_there_is_left_and_named(folder, carboy):
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "requirements.txt").write_text("flask==3.1.3\n")
    said = carboy(folder, "adopt", "shop:create_app")
    assert "left  Dockerfile: it was there before" in said
    assert (folder / "Dockerfile").read_text() == "FROM scratch\n"
    assert (folder / "requirements.txt").read_text() == "flask==3.1.3\n"
    assert re.search(r"Add to requirements\.txt:\n\n  --find-links wheels\n  carboy==\S+\n", said)
    assert 'left = ["Dockerfile"]' in (folder / NAME).read_text()


def test_a_dry_run_writes_nothing(folder, carboy):
    before = state(folder)
    said = carboy(folder, "adopt", "shop:create_app", "--deploy", "kubernetes", "--dry-run")
    assert "would write  Dockerfile\n" in said
    assert state(folder) == before
    assert not (folder / "instance").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "carboy adopt MODULE:APP"),
        (["nowhere:app"], "no module 'nowhere'"),
        (["shop:nothing"], "shop:nothing"),
        (["shop:create_app", "--deploy", "swarm"], "no deployment target 'swarm'"),
        (["shop:create_app", "--deploy", "compose", "--database", "sqlite"], "SQLite does not go"),
        (["shop:create_app", "--name", "My Shop"], "no name for a project"),
    ],
)
def test_it_is_refused_in_one_line(words, reason, folder, carboy):
    before = state(folder)
    said = carboy(folder, "adopt", *words, status=2)
    assert reason in said
    assert len(said.splitlines()) == 1
    assert state(folder) == before


def test_an_app_without_health_endpoints_is_refused(folder, carboy):
    (folder / "plain.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    said = carboy(folder, "adopt", "plain:app", status=2)
    assert "Carboy(app)" in said
    assert not (folder / "Dockerfile").exists()


def test_a_project_is_upgraded_instead(folder, carboy):
    carboy(folder, "adopt", "shop:create_app")
    assert "carboy upgrade --deploy" in carboy(folder, "adopt", "shop:create_app", status=2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_stays_as_it_is(folder, carboy):
    folder.chmod(0o500)
    carboy(folder, "adopt", "shop:create_app", status=1)
    folder.chmod(0o700)
    assert not (folder / "Dockerfile").exists()


def test_it_is_upgraded_like_a_project(folder, carboy, git, tmp_path):
    def earlier_templates(files):
        files[f"{TEMPLATES}deployment/docker/gone.txt"] = b"once"
        name = f"{TEMPLATES}deployment/docker/Dockerfile.jinja"
        files[name] = files[name].replace(b"FROM", b"# An earlier one.\nFROM", 1)

    earlier = unpacked(tmp_path / "earlier", "0.0.9", earlier_templates)
    own = "FROM scratch\n"
    (folder / "Dockerfile").write_text(own)
    (folder / "requirements.txt").write_text("carboy[redis]==0.0.9\nflask==3.1.3\n")
    carboy(folder, "adopt", "shop:create_app", PYTHONPATH=str(earlier))
    assert (folder / "gone.txt").is_file()
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("__pycache__\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    carboy(folder, "upgrade")
    assert not (folder / "gone.txt").exists()
    assert (folder / "Dockerfile").read_text() == own
    assert (folder / "requirements.txt").read_text() == "carboy[redis]==0.0.9\nflask==3.1.3\n"
