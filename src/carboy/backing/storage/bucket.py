"""Files in a bucket that speaks S3, through obstore."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any, BinaryIO, cast
from urllib.parse import SplitResult, parse_qsl, quote, unquote

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from carboy.backing.storage.stored import Readable, StoredFile
from carboy.errors import ApiError, SettingsError, Unavailable

_PART_BYTES = 8 * 1024 * 1024
_TIMEOUT_S = 10
_OPTIONS = {"region", "endpoint"}
_ABSENT = "0" * 32


class Bucket:
    """Keeps each file as one object; its content type and name are attributes of it.

    :param url: ``s3://KEY:SECRET@BUCKET/PREFIX?region=…&endpoint=…``.
        Without a key, that of the environment (``AWS_ACCESS_KEY_ID`` …) or of the
        machine's role is used. An endpoint is for servers other than Amazon's.
    :raises SettingsError: for an option nobody knows.
    """

    def __init__(self, url: SplitResult) -> None:
        options = dict(parse_qsl(url.query))
        if strange := sorted(options.keys() - _OPTIONS):
            raise SettingsError(
                f"STORAGE_URL has {', '.join(strange)} after the question mark. "
                f"Use only {' and '.join(sorted(_OPTIONS))}."
            )
        if not url.hostname:
            raise SettingsError("STORAGE_URL names no bucket. Write s3://BUCKET/PREFIX.")
        config: dict[str, Any] = {}
        if url.username:
            config["access_key_id"] = unquote(url.username)
            config["secret_access_key"] = unquote(url.password or "")
        config |= options
        plain = options.get("endpoint", "").startswith("http://")
        self._store = S3Store(
            url.hostname,
            prefix=url.path.strip("/") or None,
            config=cast("Any", config),
            client_options={"timeout": f"{_TIMEOUT_S}s", "allow_http": plain},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=_TIMEOUT_S)},
        )

    def keep(self, source: BinaryIO, key: str, name: str, content_type: str) -> StoredFile:
        """See :meth:`Place.keep`; parts of a large file are sent one after the other."""
        attributes = {
            "Content-Type": content_type,
            # Anybody with a link gets a download, never a page of ours.
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "name": quote(name, safe=""),
        }
        obstore.put(
            self._store,
            key,
            source,
            attributes=cast("Any", attributes),
            chunk_size=_PART_BYTES,
            max_concurrency=1,
        )
        found = self.find(key)
        assert found is not None  # noqa: S101 - S3 is consistent after a write
        return found

    def find(self, key: str) -> StoredFile | None:
        """See :meth:`Place.find`."""
        try:
            found = obstore.get(self._store, key, options={"head": True})
        except (NotFoundError, FileNotFoundError):
            return None
        meta = found.meta
        attributes = found.attributes
        return StoredFile(
            key,
            unquote(attributes.get("name", "file")),
            attributes.get("Content-Type", "application/octet-stream"),
            meta["size"],
            meta["last_modified"],
        )

    def open(self, key: str) -> Readable:
        """See :meth:`Place.open`; fetches only the parts that are read."""
        return _Object(obstore.open_reader(self._store, key))

    def delete(self, key: str) -> None:
        """See :meth:`Place.delete`."""
        with suppress(NotFoundError, FileNotFoundError):
            obstore.delete(self._store, key)

    def link(self, key: str, seconds: int) -> str:
        """See :meth:`Place.link`; a presigned URL."""
        return obstore.sign(self._store, "GET", key, timedelta(seconds=seconds))

    def path(self, key: str) -> None:
        """See :meth:`Place.path`; it is on no disk of ours."""
        del key

    def probe(self) -> None:
        """See :meth:`Place.probe`.

        :raises BaseError: when the bucket does not answer.
        """
        self.find(_ABSENT)


class _Object:
    """An object of the bucket as a file."""

    def __init__(self, reader: obstore.ReadableFile) -> None:
        self._reader = reader

    def read(self, size: int, /) -> bytes:
        return bytes(self._reader.read(size))

    def seek(self, offset: int, /) -> int:
        return self._reader.seek(offset)

    def close(self) -> None:
        self._reader.close()


def translate(error: Exception) -> ApiError | None:
    """Say what a failure of the bucket means to the caller; the reason goes to the log."""
    if isinstance(error, BaseError):
        return Unavailable("Files cannot be reached at the moment. Try again shortly.")
    return None
