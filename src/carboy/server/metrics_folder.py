"""The folder in which workers keep their metrics, so that any of them can report all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def metrics_folder() -> Iterator[None]:
    """Make a private folder for the time of one server, unless the variable names one.

    ``prometheus_client`` decides while it is imported whether it counts in memory or in
    files, so this comes before anything that may import it.
    """
    if os.environ.get(_VARIABLE):
        yield
        return
    owner = os.getpid()
    os.environ[_VARIABLE] = folder = tempfile.mkdtemp(prefix="carboy-metrics-")
    try:
        yield
    finally:
        if os.getpid() == owner:  # workers are forked inside and leave through here, too
            shutil.rmtree(folder, ignore_errors=True)
            os.environ.pop(_VARIABLE, None)


def mark_dead(pid: int) -> None:
    """Drop what a worker that ended reported as its present state."""
    from prometheus_client import multiprocess  # after the variable is set

    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def forget_process(pid: int) -> None:
    """Remove every file of a process that never served."""
    for file in Path(os.environ[_VARIABLE]).glob(f"*_{pid}.db"):
        file.unlink(missing_ok=True)
