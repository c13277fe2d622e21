"""The list of settings in every project."""

import subprocess
import sys
from pathlib import Path

from carboy.generator import Answers, render
from carboy.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src" / "carboy" / "generator" / "templates" / "project" / ".env.example.jinja"


def test_the_template_is_what_make_env_example_writes():
    script = ROOT / ".ci" / "env_example.py"
    done = subprocess.run(
        [sys.executable, script, "--print"], capture_output=True, text=True, check=True
    )
    assert FILE.read_text("utf-8").endswith(done.stdout), "run: make env-example"


def test_every_setting_is_listed_and_none_is_set(tmp_path):
    render(tmp_path, Answers("demo"))
    lines = (tmp_path / ".env.example").read_text("utf-8").splitlines()
    assert all(line.startswith("#") for line in lines if line)
    listed = {line[1:].partition("=")[0] for line in lines if line[:2] != "# " and "=" in line}
    for name, (_, setting) in Settings.declarations().items():
        assert listed & {name, *setting.env}, name
    assert "MSG" in listed


def test_its_defaults_are_taken_as_they_stand(tmp_path):
    render(tmp_path, Answers("demo"))
    text = (tmp_path / ".env.example").read_text("utf-8")
    set_ones = dict(
        line[1:].split("=", 1)
        for line in text.splitlines()
        if line[:1] == "#" and line[1:2].isupper() and line[-1:] != "=" and "=" in line
    )
    assert Settings.load(environ=set_ones).rows()
