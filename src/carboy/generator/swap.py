"""Put prepared files in the place of others, all or none.

Run as a program in a session of its own, which neither Ctrl-C nor a kill of the command that
started it reaches: what was begun is finished. It imports the standard library only.

    python swap.py STAGING FOLDER     with the names, separated by NUL, on standard input

A name that STAGING/new holds replaces the one in FOLDER, a name that it does not hold is removed
there. Exit status: 0 when every name was; 1 when one could not be, and everything is as it was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path


def swap(staging: Path, folder: Path, names: list[str]) -> None:
    """Replace or remove each name in *folder*; renames only, so both are on one file system.

    :raises OSError: if one cannot be, after everything was put back.
    """
    done: list[str] = []
    try:
        for name in names:
            done.append(name)
            _replace(staging / "new" / name, folder / name, staging / "old" / name)
    except OSError:
        for name in reversed(done):
            _restore(folder / name, staging / "old" / name)
        raise
    for name in names:
        _remove_empty(folder, folder / name)


def _replace(prepared: Path, place: Path, kept: Path) -> None:
    if os.path.lexists(place):
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(place, kept, follow_symlinks=False)
    if os.path.lexists(prepared):
        place.parent.mkdir(parents=True, exist_ok=True)
        prepared.replace(place)
    else:
        place.unlink(missing_ok=True)


def _restore(place: Path, kept: Path) -> None:
    with contextlib.suppress(OSError):
        if os.path.lexists(kept):
            place.parent.mkdir(parents=True, exist_ok=True)
            kept.replace(place)
        else:
            place.unlink(missing_ok=True)


def _remove_empty(folder: Path, place: Path) -> None:
    """Remove folders that a removed file leaves empty."""
    with contextlib.suppress(OSError):
        for parent in place.parents:
            if os.path.lexists(place) or parent == folder:
                return
            parent.rmdir()


def main() -> None:
    """Swap as the arguments say."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    names = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\0")
    try:
        swap(Path(sys.argv[1]), Path(sys.argv[2]), [name for name in names if name])
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
