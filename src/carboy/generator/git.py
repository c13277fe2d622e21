"""The few things that are asked of git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from carboy.generator.errors import GeneratorError

# Hooks, signatures and line ends of whoever works here must not decide what is written.
_PLAIN = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "commit.gpgSign=false"),
    *("-c", "core.autocrlf=false"),
    *("-c", "core.quotePath=false"),
)
_NOBODY = ("-c", "user.name=Carboy", "-c", "user.email=carboy@localhost")


def is_there() -> bool:
    """Say whether git is installed."""
    return shutil.which("git") is not None


def git(folder: Path, *words: str) -> str:
    """Run ``git WORDS`` in *folder*.

    :return: what it printed.
    :raises GeneratorError: with what it said, if it failed.
    """
    done = try_git(folder, *words)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise GeneratorError(f"`git {words[0]}` failed in {folder}: {said}")
    return done.stdout


def try_git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``git WORDS`` in *folder*; a failure is in the result."""
    return subprocess.run(  # noqa: S603 - a fixed program, no shell
        ["git", "-C", str(folder), *_PLAIN, *words],  # noqa: S607 - wherever it is installed
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        errors="surrogateescape",
    )


def top_of(folder: Path) -> Path | None:
    """Name the top of the work tree that *folder* lies in."""
    done = try_git(folder, "rev-parse", "--show-toplevel")
    return Path(done.stdout.rstrip("\n")) if done.returncode == 0 else None


def begin(folder: Path, message: str) -> None:
    """Make a repository of *folder*, and of everything in it the first commit."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, message)


def commit(folder: Path, message: str) -> None:
    """Commit everything in *folder*, whatever a person's own list of ignored files says."""
    git(folder, "-c", "core.excludesFile=/dev/null", "add", "--all")
    known = try_git(folder, "config", "user.email").stdout.strip()
    git(folder, *(() if known else _NOBODY), "commit", "--quiet", "--allow-empty", "-m", message)
