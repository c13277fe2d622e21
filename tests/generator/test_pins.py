"""What projects are pinned to is what the lock file of Carboy says."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from carboy.generator.pins import PINS, Pin, names, pinned

ROOT = Path(__file__).parents[2]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
FEATURES = sorted(path.stem for path in PINS.glob("*.txt") if path.stem != "hashes")
EXTRAS = {
    *("assets", "auth", "base", "content", "development", "jwt", "model"),
    *("postgres", "redis", "storage"),
}


def locked():
    """Version → hashes, of every package in the lock file."""
    found = {}
    for package in LOCK["package"]:
        held = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        found[package["name"], package.get("version")] = {file["hash"] for file in held}
    return found


def test_every_feature_has_its_pins():
    assert set(FEATURES) == EXTRAS


@pytest.mark.parametrize("feature", FEATURES)
def test_versions_and_hashes_are_those_of_the_lock_file(feature):
    known = locked()
    pins = pinned([feature])
    assert pins
    for pin in pins:
        assert pin.hashes, pin
        assert set(pin.hashes) == known[pin.name, pin.version], pin


def test_the_files_are_what_make_pins_writes(tmp_path):
    uv = next(Path(sys.prefix).glob("uv-*/bin/uv"), None)
    if uv is None:
        pytest.skip("uv is not where `make develop` puts it")
    script = tmp_path / ".ci" / "pins.py"
    script.parent.mkdir()
    script.write_text((ROOT / ".ci" / "pins.py").read_text("utf-8"), "utf-8")
    for name in ("pyproject.toml", "uv.lock", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "src" / "carboy" / "generator").mkdir(parents=True)
    subprocess.run([sys.executable, script, uv], check=True, stdout=subprocess.DEVNULL)
    for path in sorted((tmp_path / "src" / "carboy" / "generator" / "pins").iterdir()):
        assert path.read_text() == (PINS / path.name).read_text(), "run: make pins"


@pytest.mark.parametrize("feature", sorted(EXTRAS - {"base", "development", "model"}))
def test_what_an_extra_asks_for_is_pinned(feature):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {re.match(r"[\w-]+", need)[0] for need in project["optional-dependencies"][feature]}
    assert asked <= {pin.name for pin in pinned(["base", feature])}


def test_a_package_that_one_feature_needs_everywhere_is_needed_everywhere(tmp_path):
    (tmp_path / "one.txt").write_text("a==1 ; sys_platform == 'win32'\nb==1\nc==1 ; x == 'y'\n")
    (tmp_path / "two.txt").write_text("a==1\nc==1 ; x == 'z'\n")
    (tmp_path / "hashes.txt").write_text("a==1\n    sha256:a\nb==1\n    sha256:b\nc==1\n")
    assert pinned(["one", "two", "three"], tmp_path) == [
        Pin("a", "1", "", ("sha256:a",)),
        Pin("b", "1", "", ("sha256:b",)),
        Pin("c", "1", "(x == 'y') or (x == 'z')"),
    ]


def test_a_pin_is_written_as_requirements_files_have_it():
    pin = Pin("a", "1", "python_version < '3.12'", ("sha256:x", "sha256:y"))
    assert str(pin) == (
        "a==1 ; python_version < '3.12' \\\n    --hash=sha256:x \\\n    --hash=sha256:y"
    )


def test_names_are_as_python_imports_them():
    assert {"flask", "flask_sqlalchemy_lite", "pytest", "numpy"} <= names()
