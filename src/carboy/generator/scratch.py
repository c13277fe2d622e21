"""A folder to work in that is gone afterwards, however the work ends."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

# Waits until its standard input ends, as it does when this process ends in any way, kill -9
# included; what was kept has another name by then.
_SWEEP = 'read -r _; rm -rf -- "$1"'


@contextlib.contextmanager
def scratch_folder(parent: Path | None = None, prefix: str = "carboy-") -> Iterator[Path]:
    """Make an empty folder and remove it at the end, also when this process is killed.

    :param parent: folder to make it in; by default that of the system for temporary files.
    :param prefix: of its name.

    SIGTERM ends the work as Ctrl-C does.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    with _swept(folder), _terminable():
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _swept(folder: Path) -> Iterator[None]:
    sweeper = subprocess.Popen(  # noqa: S603 - a fixed script, the folder is its argument
        ["/bin/sh", "-c", _SWEEP, "sh", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C and a kill of the whole group are not for it
    )
    try:
        yield
    finally:
        sweeper.communicate()


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
