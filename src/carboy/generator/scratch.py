"""A folder to work in that is gone afterwards, however the work ends."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

# Waits until its standard input ends, as it does when this process ends in any way, kill -9
# included; what was kept has another name by then.
_SWEEP = 'read -r _; rm -rf -- "$1"'


@dataclass(frozen=True)
class Scratch:
    """A folder to work in.

    :param path: the folder.
    :param lifeline: file descriptor; a process that holds it keeps the folder alive after this
        one was killed.
    """

    path: Path
    lifeline: int


@contextlib.contextmanager
def scratch_folder(parent: Path | None = None, prefix: str = "carboy-") -> Iterator[Scratch]:
    """Make an empty folder and remove it at the end, also when this process is killed.

    :param parent: folder to make it in; by default that of the system for temporary files.
    :param prefix: of its name.

    SIGTERM ends the work as Ctrl-C does.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    folder = parent.absolute() / f"{prefix}{secrets.token_hex(8)}"
    # Who sweeps is there first: from its first moment on the folder has somebody to remove it.
    with _swept(folder) as lifeline, _terminable():
        folder.mkdir(mode=0o700)
        try:
            yield Scratch(folder, lifeline)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _swept(folder: Path) -> Iterator[int]:
    reading, writing = os.pipe()
    sweeper = subprocess.Popen(  # noqa: S603 - a fixed script, the folder is its argument
        ["/bin/sh", "-c", _SWEEP, "sh", str(folder)],
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C and a kill of the whole group are not for it
    )
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)
        sweeper.wait()


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that every ``finally`` runs."""

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(128 + number)

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread: signals are somebody else's business
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
