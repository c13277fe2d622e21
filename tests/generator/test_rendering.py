"""What every rendered project has, whatever was answered."""

import itertools
import os
import re
import tomllib

import pytest
from jinja2 import Environment, meta

from carboy.generator import DATABASES, STARTERS, TARGETS, Answers, AnswersError, render
from carboy.generator.layers import TEMPLATES
from carboy.generator.rendering import variables_of

ALL = [
    pytest.param(starter, database, id=f"{starter} on {database}")
    for starter, database in itertools.product([*STARTERS, "none"], DATABASES)
]


def answers(starter, database):
    servers = () if database == "sqlite" else ("compose", "heroku", "cloudrun", "kubernetes")
    deploy = [*servers, "github", "gitlab"]
    plain = {"name": "demo-shop", "starter": starter, "database": database, "deploy": deploy}
    return Answers.of(plain)


def files(folder):
    return {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("starter", "database"), ALL)
def test_nothing_of_the_template_is_left(starter, database, tmp_path):
    render(tmp_path, answers(starter, database), wheel="carboy.whl", version="1.2.3")
    found = files(tmp_path)
    assert found
    for name, path in found.items():
        assert "{{" not in str(name), name
        assert "{%" not in str(name), name
        assert path.suffix != ".jinja", name
        text = path.read_bytes()
        if b"\0" not in text and path.suffix != ".html":
            assert b"{%" not in text, name
            assert not re.search(rb"(?<!\$)\{\{ ?(name|package|title|app)\b", text), name


@pytest.mark.parametrize(("starter", "database"), ALL)
def test_texts_end_with_one_line_end_and_have_no_trailing_blanks(starter, database, tmp_path):
    render(tmp_path, answers(starter, database))
    for name, path in files(tmp_path).items():
        content = path.read_bytes()
        if b"\0" in content or path.suffix == ".svg" or not content:
            continue
        assert content.endswith(b"\n"), name
        assert not content.endswith(b"\n\n"), name
        assert not re.search(rb"[ \t]\n", content), name


@pytest.mark.parametrize("starter", STARTERS)
def test_every_starter_has_what_a_project_needs(starter, tmp_path):
    render(tmp_path, answers(starter, "sqlite"))
    for name in (
        *("Makefile", "README.md", "pyproject.toml", ".gitignore", ".env.example", "wsgi.py"),
        *("locustfile.py", "tests/conftest.py", "tests/test_health.py"),
        *("Dockerfile", ".dockerignore"),
    ):
        assert (tmp_path / name).is_file(), name
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    assert project["project"]["name"] == "demo-shop"
    assert any(need.startswith("carboy") for need in project["project"]["dependencies"])


def test_what_is_run_can_be_run(tmp_path):
    render(tmp_path, answers("module", "postgresql"))
    scripts = [path for path in files(tmp_path).values() if path.suffix == ".sh"]
    assert scripts
    for script in scripts:
        assert os.access(script, os.X_OK), script


def test_an_adopted_app_gets_no_project(tmp_path):
    render(tmp_path, answers("none", "postgresql"))
    names = {str(name) for name in files(tmp_path)}
    assert {"Dockerfile", "compose.yaml", ".github/workflows/pipeline.yml"} <= names
    assert not names & {"Makefile", "wsgi.py", "pyproject.toml", "README.md"}


def test_answers_may_be_a_mapping(tmp_path):
    render(tmp_path, {"name": "demo", "starter": "single"})
    assert (tmp_path / "app.py").is_file()


def test_bad_answers_write_nothing(tmp_path):
    with pytest.raises(AnswersError):
        render(tmp_path / "demo", {"name": "demo", "starter": "none such"})
    assert not (tmp_path / "demo").exists()


def test_templates_use_known_variables_only():
    known = variables_of(Answers("demo"), wheel="", version="1").keys()
    environment = Environment(autoescape=True)
    for path in TEMPLATES.rglob("*.jinja"):
        used = meta.find_undeclared_variables(environment.parse(path.read_text()))
        used |= meta.find_undeclared_variables(environment.parse(str(path.relative_to(TEMPLATES))))
        assert used <= known, path


@pytest.mark.parametrize("target", TARGETS)
def test_one_target_adds_files(target, tmp_path):
    plain = {"name": "demo", "starter": "module", "database": "postgresql"}
    render(tmp_path / "without", plain)
    render(tmp_path / "with", {**plain, "deploy": [target]})
    assert files(tmp_path / "without").keys() < files(tmp_path / "with").keys()
