"""Layers laid over each other."""

import pytest

from carboy.generator.answers import STARTERS, TARGETS
from carboy.generator.layers import TEMPLATES, assemble, chosen


@pytest.fixture
def templates(tmp_path):
    files = {
        "copier.yml": "_subdirectory: template\n",
        "low/a.txt.jinja": "low a",
        "low/b.txt": "low b",
        "low/deep/c.txt": "#!/bin/sh",
        "high/a.txt": "high a",
        "high/b.txt.jinja": "high b",
        "high/__pycache__/d.pyc": "compiled",
    }
    for name, text in files.items():
        path = tmp_path / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "templates"


def test_a_later_layer_wins_in_either_form(templates, tmp_path):
    assemble(["low", "high"], tmp_path / "into", templates)
    inner = tmp_path / "into" / "template"
    found = {str(p.relative_to(inner)): p.read_text() for p in inner.rglob("*") if p.is_file()}
    assert found == {"a.txt": "high a", "b.txt.jinja": "high b", "deep/c.txt": "#!/bin/sh"}
    assert (tmp_path / "into" / "copier.yml").is_file()


def test_a_script_can_be_run_though_a_wheel_keeps_no_permissions(templates, tmp_path):
    assemble(["low"], tmp_path / "into", templates)
    assert (tmp_path / "into/template/deep/c.txt").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "into/template/b.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("starter", [*STARTERS, "none"])
@pytest.mark.parametrize("target", TARGETS)
def test_every_layer_is_a_folder(starter, target):
    layers = chosen({"starter": starter, "deploy": [target]})
    assert "deployment/docker" in layers
    assert ("project" in layers) == (starter != "none")
    for layer in layers:
        assert (TEMPLATES / layer).is_dir()


def test_an_older_template_may_know_fewer_targets(templates):
    (templates / "layers.toml").write_text('[deployment]\nalways = ["low"]\n')
    assert chosen({"starter": "none", "deploy": ["kubernetes"]}, templates) == ["low"]
