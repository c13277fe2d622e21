"""A published Carboy, from where pip is told to look."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from carboy.generator.errors import GeneratorError


def fetch(version: str, scratch: Path) -> Path:
    """Download the wheel of a published Carboy.

    :return: the file.
    :raises GeneratorError: with what pip said.
    """
    folder = scratch / "download"
    command = [*_pip(scratch), "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(  # noqa: S603 - pip, with a version that was checked
        [*command, "--dest", str(folder), f"carboy=={version}"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    found = sorted(folder.glob("carboy-*.whl"))
    if done.returncode or not found:
        said = " ".join(done.stderr.split())
        raise GeneratorError(
            f"Carboy {version} cannot be downloaded: {said} "
            "Check the network, or name another index: PIP_INDEX_URL=…"
        )
    return found[0]


def _pip(scratch: Path) -> list[str]:
    """Run the pip that is here, or that of an environment made for it."""
    python = sys.executable
    if importlib.util.find_spec("pip") is None:
        subprocess.run([python, "-m", "venv", str(scratch / "pip")], check=True)  # noqa: S603
        python = str(scratch / "pip" / "bin" / "python")
    return [python, "-m", "pip", "--disable-pip-version-check"]
