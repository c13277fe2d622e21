"""Downloads by a path that came from outside, confined to one folder."""

from __future__ import annotations

import mimetypes
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from flask import Response

from carboy.api.files.disposition import Disposition
from carboy.api.files.sending import CACHE, Sent, deliver
from carboy.errors import NotFound

__all__ = ["send_confined"]

# A path is decoded once before it arrives here; what is still encoded was meant to slip by.
_ENCODED = re.compile(r"%(?:2e|2f|5c|00|25)", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f]")
_OCTETS = "application/octet-stream"


def send_confined(
    folder: str | Path,
    path: str,
    *,
    disposition: Disposition = "inline",
    cache: str = CACHE,
) -> Response:
    """Send a file below *folder*, whatever is in *path*.

    Nothing outside of the folder is ever read: not by ``..``, encoded, by a backslash, NUL,
    an absolute path, or a symbolic link that leads out of it. Names that begin with a dot
    are not sent either (``.git``, ``.env``). The type goes by the name's extension.

    :param folder: made absolute; it may itself be a symbolic link.
    :param path: untrusted, with slashes.
    :param disposition: see :func:`send`.
    :param cache: the ``Cache-Control`` header.
    :raises NotFound: for everything that is not a file below the folder (404).
    """
    root = Path(folder).resolve()
    try:
        inside = _confined(root, path)
        file = _opened(root, inside)
    except (OSError, ValueError, RuntimeError):  # no such file, odd characters, a loop of links
        raise NotFound("There is no such file.") from None
    status = os.fstat(file.fileno())
    sent = Sent(
        open=lambda: file,
        name=path.rpartition("/")[2],
        type=_type_of(path),
        size=status.st_size,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
        etag=f'"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"',
        path=root / inside,
    )
    try:
        response = deliver(sent, disposition, cache)
    except BaseException:
        file.close()
        raise
    response.call_on_close(file.close)
    return response


def _confined(root: Path, path: str) -> Path:
    """Follow symbolic links and say where the file is, relative to *root*.

    :raises ValueError: if that is not below *root*.
    """
    parts = path.split("/")
    if _ENCODED.search(path) or _FORBIDDEN.search(path):
        raise ValueError(path)
    if any(not part or part.startswith(".") for part in parts) or ":" in parts[0]:
        raise ValueError(path)
    return root.joinpath(*parts).resolve(strict=True).relative_to(root)


def _opened(root: Path, inside: Path) -> BinaryIO:
    """Open a file step by step without following links: none may be put in meanwhile.

    :raises OSError: if it is not a regular file.
    """
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in inside.parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            step = os.open(part, flags, dir_fd=held)
            os.close(held)
            held = step
        # Not to wait for the other end of a pipe
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(inside.name, flags, dir_fd=held)
    finally:
        os.close(held)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(inside)
    return os.fdopen(descriptor, "rb")


def _type_of(path: str) -> str:
    found, encoding = mimetypes.guess_type(path.rpartition("/")[2])
    return found if found is not None and encoding is None else _OCTETS
