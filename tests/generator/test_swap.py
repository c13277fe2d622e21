"""Prepared files take the place of others, all or none."""

import subprocess
import sys

import pytest

from carboy.generator import GeneratorError, swap
from carboy.generator.bringing import bring_over
from carboy.generator.scratch import scratch_folder


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "project"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a").write_text("old a")
    (folder / "b").write_text("old b")
    (folder / "deep" / "er" / "gone").write_text("old")
    return folder


def prepare(path, files):
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


NEW = {"a": "new a", "other/place/c": "new c"}
NAMES = ["a", "other/place/c", "deep/er/gone"]


def test_names_are_replaced_added_and_removed(folder):
    with scratch_folder(folder) as scratch:
        prepared = prepare(scratch.path / "prepared", NEW)
        bring_over(prepared, folder, NAMES, scratch)
    assert tree(folder) == {"a": "new a", "b": "old b", "other/place/c": "new c"}
    assert not (folder / "deep").exists()


@pytest.mark.parametrize("blocked", NAMES)
def test_one_that_cannot_be_leaves_everything_as_it_was(blocked, folder):
    before = tree(folder)
    names = [name for name in NAMES if name != blocked] + [blocked]
    with scratch_folder(folder) as scratch:
        prepared = prepare(scratch.path / "prepared", NEW)
        # A folder with something in it is where the file belongs.
        place = folder / blocked
        place.unlink(missing_ok=True)
        prepare(place, {"in the way": "kept"})
        before = {name: text for name, text in before.items() if name != blocked}
        before[f"{blocked}/in the way"] = "kept"
        with pytest.raises(GeneratorError, match="Nothing was changed"):
            bring_over(prepared, folder, names, scratch)
    assert tree(folder) == before


def test_modes_come_along(folder, tmp_path):
    prepared = prepare(tmp_path / "staging" / "new", {"a": "#!/bin/sh"})
    (prepared / "a").chmod(0o755)
    swap.swap(tmp_path / "staging", folder, ["a"])
    assert (folder / "a").stat().st_mode & 0o777 == 0o755


def test_it_imports_nothing_of_the_project(folder, tmp_path):
    prepare(tmp_path / "staging" / "new", {"a": "new"})
    (folder / "shutil.py").write_text("raise SystemExit('imported')")
    command = [sys.executable, "-I", swap.__file__, tmp_path / "staging", folder]
    subprocess.run(command, input=b"a", check=True, cwd=folder)
    assert (folder / "a").read_text() == "new"
