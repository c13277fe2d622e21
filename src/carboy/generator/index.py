"""A published Carboy, from where pip is told to look."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from carboy.generator.errors import GeneratorError

# A wheel without machine code.
_FOR_ANY = ("--platform", "any", "--implementation", "py", "--abi", "none")


def fetch(version: str, scratch: Path) -> Path:
    """Download the wheel of a published Carboy that runs everywhere.

    :return: the file.
    :raises GeneratorError: with what pip said.
    """
    return _download(version, scratch, scratch / "download", *_FOR_ANY)


def fetch_own(version: str, scratch: Path) -> Path:
    """Download the wheel of a published Carboy that suits this machine best: a compiled one.

    :return: the file; that of :func:`fetch` again where there is no other.
    :raises GeneratorError: with what pip said.
    """
    return _download(version, scratch, scratch / "own")


def _download(version: str, scratch: Path, folder: Path, *options: str) -> Path:
    command = [*_pip(scratch), "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(  # noqa: S603 - pip, with a version that was checked
        [*command, *options, "--dest", str(folder), f"carboy=={version}"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    found = sorted(folder.glob(f"carboy-{version}-*.whl"))
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
        made = scratch / "pip" / "bin" / "python"
        if not made.exists():
            subprocess.run([python, "-m", "venv", str(scratch / "pip")], check=True)  # noqa: S603
        python = str(made)
    return [python, "-m", "pip", "--disable-pip-version-check"]
