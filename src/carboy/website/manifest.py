"""What a build wrote: kept beside the files, read by every process that serves them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Manifest", "remove_unfinished", "write_whole"]

_NAME = ".assets.json"
_MAKING = ".assets-"


@dataclass(frozen=True)
class Manifest:
    """The assets of one build.

    :param fingerprint: of the sources; see :meth:`Sources.fingerprint`.
    :param minified: whether it is fit for Production.
    :param files: name → name with hash.
    :param previous: files of the build before, which pages that are open still ask for.
    """

    fingerprint: str
    minified: bool
    files: Mapping[str, str]
    previous: tuple[str, ...] = ()

    @property
    def kept(self) -> frozenset[str]:
        """Every file that belongs into the folder."""
        return frozenset((*self.files.values(), *self.previous))

    def is_whole(self, folder: Path) -> bool:
        """Tell whether no file of this build is missing."""
        return all((folder / name).is_file() for name in self.files.values())

    def save(self, folder: Path) -> None:
        """Put it into *folder*, in place of the one before."""
        write_whole(folder / _NAME, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """Read it; ``None`` if there is none that can be read."""
        try:
            told = json.loads((folder / _NAME).read_bytes())
            return cls(
                fingerprint=str(told["fingerprint"]),
                minified=bool(told["minified"]),
                files=dict(told["files"]),
                previous=tuple(told["previous"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever reads a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(f"{_MAKING}{os.getpid()}-{secrets.token_hex(4)}")
    try:
        making.write_bytes(data)
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what a build left that was killed; only while no other one runs."""
    for path in folder.rglob(f"{_MAKING}*"):
        path.unlink(missing_ok=True)
