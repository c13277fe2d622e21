"""Which connections of clients this process holds; granian does not tell."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

_OPEN_FILES = Path("/dev/fd")


def open_connections(port: int) -> int:
    """Count the connections to *port* of this machine that this process has accepted.

    Looks at every open file, so it is meant for the end of a worker's life. Where the
    system has no list of them, the answer is 1: there may be some.
    """
    try:
        files = [int(file.name) for file in _OPEN_FILES.iterdir()]
    except OSError:
        return 1
    return sum(1 for file in files if _is_client(file, port))


def _is_client(file: int, port: int) -> bool:
    with contextlib.suppress(OSError):  # it may be closed meanwhile
        if not stat.S_ISSOCK(os.fstat(file).st_mode):
            return False
        with socket.socket(fileno=os.dup(file)) as connection:
            name = connection.getsockname()
            connection.getpeername()  # raises for a listening socket
            return isinstance(name, tuple) and name[1] == port
    return False
