"""Every ``python`` block of the documentation is run, a page at a time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def program(page: Path) -> str:
    """The blocks of a page as one program in which every line keeps its number."""
    text = page.read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        lines[first : first + block[1].count("\n")] = block[1].splitlines()
    return "\n".join(lines)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if program(page).strip()], ids=lambda page: page.stem
)
def test_the_examples_of_a_page_run(page, tmp_path):
    script = tmp_path / f"page_{page.stem}.py"
    script.write_text(program(page), encoding="utf-8")
    folder = tmp_path / "work"
    folder.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if name not in ("APP_ENV", "DATABASE_URL")
    }
    run = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, f"{page.relative_to(ROOT)}, same line numbers:\n{run.stderr}"


def test_a_wrong_example_would_be_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n```python\nvalue = 1\n```\n\ntext\n\n```python\nassert value == 2\n```\n"
    )
    lines = program(page).splitlines()
    assert lines[3] == "value = 1"
    assert lines[9] == "assert value == 2"
