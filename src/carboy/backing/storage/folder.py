"""Files in a folder of this machine."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

from carboy.backing.storage.stored import StoredFile

_CHUNK_BYTES = 256 * 1024
_STALE_S = 24 * 3600


class Folder:
    """Keeps each file as ``ab/abcdef…``, with what is known about it beside it.

    Content is written under another name, flushed to the disk and renamed: a file is
    there whole or not at all, whatever breaks off.

    :param root: made when it is first used.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"

    def keep(self, source: BinaryIO, key: str, name: str, content_type: str) -> StoredFile:
        """See :meth:`Place.keep`."""
        target = self._file(key)
        for folder in (self._incoming, target.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._incoming / key
        try:
            with part.open("xb") as file:
                shutil.copyfileobj(source, file, _CHUNK_BYTES)
                _flush(file)
            with self._facts(key).open("x", encoding="utf-8") as facts:
                json.dump({"name": name, "type": content_type}, facts)
                _flush(facts)
            part.rename(target)
        except BaseException:
            part.unlink(missing_ok=True)
            self._facts(key).unlink(missing_ok=True)
            raise
        _flush_folder(target.parent)
        return self._described(key, name, content_type)

    def find(self, key: str) -> StoredFile | None:
        """See :meth:`Place.find`."""
        try:
            facts = json.loads(self._facts(key).read_text(encoding="utf-8"))
            return self._described(key, facts["name"], facts["type"])
        except FileNotFoundError:
            return None

    def open(self, key: str) -> BinaryIO:
        """See :meth:`Place.open`."""
        return self._file(key).open("rb")

    def delete(self, key: str) -> None:
        """See :meth:`Place.delete`; who reads it at the moment reads it to the end."""
        self._file(key).unlink(missing_ok=True)
        self._facts(key).unlink(missing_ok=True)

    def link(self, key: str, seconds: int) -> None:
        """See :meth:`Place.link`; files here are served by the app."""
        del key, seconds

    def path(self, key: str) -> Path:
        """See :meth:`Place.path`."""
        return self._file(key)

    def probe(self) -> None:
        """See :meth:`Place.probe`.

        :raises OSError: when the folder cannot be written.
        """
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(self._incoming, os.W_OK | os.X_OK):
            raise PermissionError(f"{self.root} is not writable.")

    def sweep(self) -> None:
        """Remove what processes that died a day ago or earlier left half-written."""
        with suppress(FileNotFoundError):
            for part in self._incoming.iterdir():
                with suppress(FileNotFoundError):  # another process sweeps too
                    if part.stat().st_mtime < time.time() - _STALE_S:
                        part.unlink()

    def _described(self, key: str, name: str, content_type: str) -> StoredFile:
        status = self._file(key).stat()
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        return StoredFile(key, name, content_type, status.st_size, modified)

    def _file(self, key: str) -> Path:
        return self.root / key[:2] / key

    def _facts(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.json"


def _flush(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the new name as lasting as the content."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
