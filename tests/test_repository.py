"""Laws of the repository itself: cheap to hold, easy to forget."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import carboy
from carboy.settings import Settings

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "carboy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
INDEX = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
MODULES = sorted(SOURCE.rglob("*.py"))
PAGES = sorted((ROOT / "docs").glob("*.md"))
ROOMS = sorted(
    path for path in SOURCE.iterdir()
    if not path.name.startswith("__") and (path.suffix == ".py" or (path / "__init__.py").exists())
)  # fmt: skip
WHOLE = ROOT / "tests" / "e2e"  # no room: everything together
MIRRORS = sorted({path.parent for path in (ROOT / "tests").glob("*/**/test_*.py")} - {WHOLE})
MODULE_LINES_MAX = 300


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("target", ["test", "bench", "wheels"])
def test_make_knows_how_to_make_what_it_needs(target):
    made = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_a_module_is_short(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES_MAX


@pytest.mark.parametrize("room", ROOMS, ids=relative)
def test_a_room_has_tests_in_the_place_that_mirrors_it(room):
    place = ROOT / "tests" / room.parent.relative_to(SOURCE)
    found = list(place.glob(f"test_{room.stem}*.py")) or list(place.glob(f"{room.stem}/test_*.py"))
    assert found


@pytest.mark.parametrize("tests", MIRRORS, ids=relative)
def test_a_folder_of_tests_mirrors_a_room(tests):
    assert (SOURCE / tests.relative_to(ROOT / "tests")).is_dir()


@pytest.mark.parametrize("name", sorted(Settings.declarations()))
def test_a_setting_says_what_it_means(name):
    meaning = Settings.declarations()[name][1].doc
    assert re.fullmatch(r"(?s).{12,}\.", meaning)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_page_is_in_the_table_of_contents(page):
    assert page.stem == "index" or f"\n{page.stem}\n" in INDEX


def test_every_capability_of_the_guides_has_one_row():
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    capabilities = [12, 10, 18, 8]
    expected = [
        f"G{guide}.{n}" for guide, last in enumerate(capabilities) for n in range(1, last + 1)
    ]
    assert re.findall(r"^\| (G\d\.\d+) \|", page, re.MULTILINE) == expected


def test_the_version_is_the_same_everywhere():
    assert PROJECT["project"]["version"] == carboy.__version__


@pytest.mark.parametrize("name", carboy.__all__)
def test_a_public_name_exists_and_is_in_the_reference(name):
    assert getattr(carboy, name) is not None
    assert f":: carboy.{name}\n" in (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE))
def test_a_target_of_make_is_explained_by_make_help(target):
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(rf"^  {target} +\w.{{8,}}$", listed.stdout, re.MULTILINE)


def test_the_changelog_keeps_its_form():
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", line) for line in headings[1:]
    ]
    assert all(released)
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize(
    "document", [*sorted(ROOT.glob("*.md")), *PAGES, *sorted((ROOT / "examples").rglob("*.md"))],
    ids=relative,
)  # fmt: skip
def test_a_link_to_a_file_leads_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []
