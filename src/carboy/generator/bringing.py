"""Bring prepared files into a folder: all or none, whatever happens meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from carboy.generator import swap
from carboy.generator.errors import GeneratorError
from carboy.generator.scratch import Scratch


def bring_over(prepared: Path, folder: Path, names: Sequence[str], scratch: Scratch) -> None:
    """Replace each name in *folder* by what *prepared* holds, or remove it.

    Done by a process in a session of its own, which finishes also when this one is killed.

    :param prepared: folder of files, in *scratch*; it is emptied.
    :param names: relative to both.
    :param scratch: on the file system of *folder*.
    :raises GeneratorError: if a file cannot be replaced; then none is.
    """
    prepared.rename(scratch.path / "new")
    with _uninterrupted():
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", swap.__file__, str(scratch.path), str(folder)],
            input="\0".join(names),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            start_new_session=True,
            pass_fds=(scratch.lifeline,),
        )
    if done.returncode:
        raise GeneratorError(f"Nothing was changed: {' '.join(done.stderr.split())}.")


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait: on the way out, this process would take the files away."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
