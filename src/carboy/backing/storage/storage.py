"""``Storage``: the files of an app, from its settings."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app

from carboy.backing.storage.folder import Folder
from carboy.backing.storage.stored import (
    Place,
    Readable,
    StoredFile,
    is_key,
    new_key,
    safe_name,
)
from carboy.errors import CarboyError, NotFound, SettingsError

__all__ = ["Storage"]

_KEY = "carboy.storage"
_PLACE = "carboy.storage.place"


class Storage:
    """The files of an app: a folder by default, an S3 bucket by ``STORAGE_URL``.

    A file gets a random key when it is kept and never changes; what its sender called it
    is only remembered. Keep the key in a column of your own.

    :param app: the app, when it exists already.
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._opening = threading.Lock()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register on an app, before or after ``Carboy(app)``."""
        app.extensions[_KEY] = self
        checks = app.extensions.setdefault("carboy.checks", {})
        checks["storage"] = partial(self._check, app)
        app.extensions.setdefault("carboy.start", []).append(self._start)

    def keep(self, source: BinaryIO, *, name: str, type: str) -> StoredFile:  # noqa: A002 - the field's word
        """Keep what *source* gives, whole or not at all, in bounded memory.

        :param source: a binary file, read from where it stands.
        :param name: what its sender calls it; made safe.
        :param type: its content type.
        """
        return self._place().keep(source, new_key(), safe_name(name), type)

    def find(self, key: str) -> StoredFile:
        """Say what is known about a file.

        :raises NotFound: if there is none of that key (404).
        """
        found = self._place().find(key) if is_key(key) else None
        if found is None:
            raise NotFound("There is no such file.")
        return found

    def open(self, key: str) -> Readable:
        """Read a file; close it afterwards.

        :raises NotFound: if there is none of that key (404).
        """
        try:
            return self._place().open(self.find(key).key)
        except FileNotFoundError:  # deleted meanwhile
            raise NotFound("There is no such file.") from None

    def delete(self, key: str) -> None:
        """Remove a file, if it is there."""
        if is_key(key):
            self._place().delete(key)

    def link(self, key: str, *, seconds: int = 300) -> str | None:
        """Make an address from which anybody may fetch the file for a time.

        :return: a presigned URL of the bucket; ``None`` for files in a folder.
        """
        return self._place().link(key, seconds) if is_key(key) else None

    def path(self, key: str) -> Path | None:
        """Name the file on this machine; ``None`` for files in a bucket."""
        return self._place().path(key) if is_key(key) else None

    @property
    def root(self) -> Path | None:
        """The folder the files are in; ``None`` for a bucket."""
        place = self._place()
        return place.root if isinstance(place, Folder) else None

    def _place(self) -> Place:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        return self._opened(app)

    def _opened(self, app: Flask) -> Place:
        with self._opening:
            place: Place | None = app.extensions.get(_PLACE)
            if place is None:
                place = app.extensions[_PLACE] = place_of(app)
            return place

    def _check(self, app: Flask) -> None:
        self._opened(app).probe()

    def _start(self) -> None:
        """Look at the place before workers are forked.

        :raises CarboyError: when files cannot be kept in a folder. A bucket is asked by the
            readiness check only: its client must not be in use before a fork.
        """
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        place = place_of(app)
        if isinstance(place, Folder):
            try:
                place.probe()
                place.sweep()
            except OSError as error:
                raise CarboyError(
                    f"Files cannot be kept in {place.root} ({error.strerror or error}). "
                    "Make it writable for this user, or set STORAGE_URL."
                ) from None


def place_of(app: Flask) -> Place:
    """Open the place that ``STORAGE_URL`` names; nothing is read or written yet.

    :raises SettingsError: when it cannot be read; the message never repeats it.
    :raises CarboyError: when the package that S3 needs is not installed.
    """
    instance = Path(app.config.get("INSTANCE_PATH") or app.instance_path)
    text = app.config.get("STORAGE_URL") or ""
    if not text:
        return Folder(instance / "storage")
    try:
        url = urlsplit(text)
    except ValueError:
        raise _unreadable() from None
    if url.scheme == "file" and url.netloc in ("", "localhost") and url.path not in ("", "/"):
        return Folder(Path(unquote(url.path)))
    if url.scheme != "s3":
        raise _unreadable()
    try:
        from carboy.backing.storage.bucket import Bucket, translate  # an extra
    except ModuleNotFoundError:
        raise CarboyError(
            "STORAGE_URL names a bucket and the package for it is missing. "
            'Install it with: pip install "carboy[storage]"'
        ) from None
    translators = app.extensions.setdefault("carboy.translators", [])
    if translate not in translators:
        translators.append(translate)
    return Bucket(url)


def _unreadable() -> SettingsError:
    return SettingsError(
        "STORAGE_URL is neither a folder nor a bucket. Write file:///srv/files or "
        "s3://BUCKET/PREFIX; in a key or secret, write @ : / as %40 %3A %2F."
    )
