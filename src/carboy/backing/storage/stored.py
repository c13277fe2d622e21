"""What is known about one file that is kept, and what a place that keeps files can do."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

__all__ = ["Place", "Readable", "StoredFile", "is_key", "new_key", "safe_name"]

NAME_MAX = 150
"""Longest name that is kept, in characters."""

_KEY = re.compile(r"[0-9a-f]{32}")
_KEY_BYTES = 16
_PLAIN_NAME = "file"


@dataclass(frozen=True)
class StoredFile:
    """One file that is kept. What has a key never changes.

    :param key: where it is kept; 32 hexadecimal digits that nobody can guess.
    :param name: what its sender called it, made safe by :func:`safe_name`.
    :param type: its content type.
    :param size: in bytes.
    :param modified: when it was kept; aware.
    """

    key: str
    name: str
    type: str
    size: int
    modified: datetime


class Readable(Protocol):
    """A file to read from, that can be asked for any part."""

    def read(self, size: int, /) -> bytes:
        """Read at most *size* bytes; none at the end."""
        ...

    def seek(self, offset: int, /) -> int:
        """Go to a place."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Place(Protocol):
    """A folder, a bucket: keeps content under a key."""

    def keep(self, source: BinaryIO, key: str, name: str, content_type: str) -> StoredFile:
        """Keep what *source* gives, whole or not at all."""
        ...

    def find(self, key: str) -> StoredFile | None:
        """Look a file up."""
        ...

    def open(self, key: str) -> Readable:
        """Read a file that :meth:`find` has found."""
        ...

    def delete(self, key: str) -> None:
        """Remove a file, if it is there."""
        ...

    def link(self, key: str, seconds: int) -> str | None:
        """Make an address from which anybody may fetch the file; ``None``: there is none."""
        ...

    def path(self, key: str) -> Path | None:
        """Name the file on this machine, if it is one."""
        ...

    def probe(self) -> None:
        """Raise when files cannot be kept."""
        ...


def new_key() -> str:
    """Make the key of a file: 128 random bits."""
    return secrets.token_hex(_KEY_BYTES)


def is_key(text: str) -> bool:
    """Tell whether *text* is a key; nothing else ever becomes part of a path."""
    return _KEY.fullmatch(text) is not None


def safe_name(name: str) -> str:
    """Make a file name that is safe to show, to send in a header and to save under.

    Only the last part of a path is kept, without control and formatting characters (which
    reverse the direction of text, so that ``exe`` looks like ``txt``) and without dots or
    spaces at its ends. The extension survives when the name is too long.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    # Categories C*: control, formatting, surrogates, unassigned.
    shown = "".join(one for one in last if unicodedata.category(one)[0] != "C")
    shown = re.sub(r'[<>:"|?*\s]+', " ", shown).strip(" .")
    stem, dot, extension = shown.rpartition(".")
    if dot and len(shown) > NAME_MAX and len(extension) < NAME_MAX // 2:
        shown = f"{stem[: NAME_MAX - len(extension) - 1]}.{extension}"
    return shown[:NAME_MAX] or _PLAIN_NAME
