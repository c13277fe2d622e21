"""The image as the generated Dockerfile makes it."""

from __future__ import annotations

import re
import subprocess

import pytest

pytestmark = pytest.mark.e2e
_MEGABYTE = 1_000_000


def test_its_size(built, figure):
    size = built.inspect(built.image)["Size"]
    base = re.search(r"^FROM (\S+)$", (built.folder / "Dockerfile").read_text(), re.MULTILINE)[1]
    own = size - built.inspect(base)["Size"]
    figure(f"image: {size / _MEGABYTE:.0f} MB, of it {own / _MEGABYTE:.0f} MB above {base}")
    assert own < 150 * _MEGABYTE


def test_it_runs_as_a_user_without_rights_and_stops_at_sigterm(built):
    config = built.inspect(built.image)["Config"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Cmd"] == ["carboy", "run", "wsgi:app"]
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert list(config["ExposedPorts"]) == ["8080/tcp"]


def test_no_secret_is_in_it(built):
    secrets = {
        file.name: file.read_bytes()
        for file in (built.folder / "deploy/secrets").iterdir()
        if file.name != ".gitignore"
    }
    assert len(secrets) == 4
    # All layers, and the history beside them.
    with subprocess.Popen(["docker", "save", built.image], stdout=subprocess.PIPE) as saved:
        image = saved.communicate(timeout=120)[0]
    assert saved.returncode == 0
    assert b"carboy" in image
    assert [name for name, secret in secrets.items() if secret in image] == []


def test_it_holds_what_runs_and_nothing_else(built):
    entries = built.docker("run", "--rm", "--entrypoint", "ls", built.image, "-A", "/app").split()
    assert {"wsgi.py", "migrations", "instance", built.name.replace("-", "_")} <= set(entries)
    assert not {"tests", "deploy", ".git", "wheels", "Makefile", "compose.yaml"} & set(entries)


def test_what_it_holds_belongs_to_root(built):
    writable = built.docker(
        "run", "--rm", "--entrypoint", "find", built.image, "/app", "/venv", "-writable"
    )
    assert writable.split() == ["/app/instance"]


def test_an_edit_builds_one_layer_anew(built):
    layers = built.inspect(built.image)["RootFS"]["Layers"]
    source = built.folder / "wsgi.py"
    text = source.read_text()
    source.write_text(f"{text}\n# An edit.\n")
    try:
        built.compose("build", "web")
        edited = built.inspect(built.image)["RootFS"]["Layers"]
    finally:
        source.write_text(text)
        built.compose("build", "web")
    assert edited[:-1] == layers[:-1]
    assert edited[-1] != layers[-1]
