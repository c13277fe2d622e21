"""Downloads of files that are kept: ranges, conditional requests, safe headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.http import http_date

from carboy.api.files.content import ACTIVE, INLINE
from carboy.api.files.disposition import Disposition, disposition_header
from carboy.api.files.selection import select
from carboy.backing.storage import Storage
from carboy.backing.storage.stored import Readable
from carboy.errors import CarboyError

__all__ = ["CACHE", "Sent", "deliver", "send"]

CACHE = "private, no-cache"
"""Shared caches keep nothing, browsers ask again: who may see it is decided each time."""

_CHUNK_BYTES = 64 * 1024
_NOT_MODIFIED, _PARTIAL = 304, 206
# A browser plays or shows the file itself, and nothing in it may run or load anything.
_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True)
class Sent:
    """A file as it is sent.

    :param open: gives its content.
    :param etag: in quotes; changes with the content.
    :param path: where it is on this machine, for a server that sends it instead.
    """

    open: Callable[[], Readable]
    name: str
    type: str
    size: int
    modified: datetime
    etag: str
    path: Path | None


def send(  # noqa: PLR0913 - keywords, each with a default
    key: str,
    *,
    name: str | None = None,
    type: str | None = None,  # noqa: A002 - the field's word
    disposition: Disposition = "attachment",
    cache: str = CACHE,
    link_s: int | None = None,
) -> Response:
    """Send a file from the app's storage.

    Check first that the caller may have it. Answers ranges (206), conditional requests
    (304, 412) and ``HEAD``; nothing in the file can act in the name of your site.

    :param name: what it is called; by default as its sender called it.
    :param type: its content type; by default that found in its content when it was taken.
    :param disposition: ``inline`` shows it in the browser. Types in which scripts run, such
        as SVG and HTML, and types unknown to browsers are saved all the same.
    :param cache: the ``Cache-Control`` header.
    :param link_s: from a bucket, send the caller there (302) with an address that holds for
        so many seconds, instead of passing the content through; name and type are then those
        it was kept with, and it is saved. Files in a folder are sent as ever.
    :raises NotFound: if there is no such file (404).
    :raises CarboyError: if the app has no :class:`~carboy.backing.storage.Storage`.
    """
    storage = _storage()
    found = storage.find(key)
    link = storage.link(key, seconds=link_s) if link_s is not None else None
    if link is not None:
        redirect = current_app.response_class(status=302)
        redirect.headers.pop("Content-Type", None)
        redirect.headers.update({"Location": link, "Cache-Control": "no-store"})
        return redirect
    sent = Sent(
        open=lambda: storage.open(key),
        name=name or found.name,
        type=type or found.type,
        size=found.size,
        modified=found.modified,
        etag=f'"{found.key}"',  # what has a key never changes
        path=storage.path(key),
    )
    return deliver(sent, disposition, cache)


def deliver(sent: Sent, disposition: Disposition, cache: str) -> Response:
    """Answer the request at hand with a file, or leave that to the server in front."""
    kind = sent.type.partition(";")[0].strip().lower()
    if kind in ACTIVE or kind not in INLINE:
        disposition = "attachment"
    headers = {
        "Cache-Control": cache,
        "Content-Disposition": disposition_header(disposition, sent.name),
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    content_type = f"{sent.type}; charset=utf-8" if sent.type.startswith("text/") else sent.type
    location = _location(sent.path) if sent.path is not None else None
    if location is not None:
        # It has validators of its own, so it decides about conditions and ranges.
        response = current_app.response_class(content_type=content_type)
        response.headers.update({**headers, "X-Accel-Redirect": location})
        return response
    modified = http_date(sent.modified)
    headers |= {"ETag": sent.etag, "Last-Modified": modified, "Accept-Ranges": "bytes"}
    return _answer(sent, content_type, headers)


def _answer(sent: Sent, content_type: str, headers: dict[str, str]) -> Response:
    chosen = select(
        request.method, request.headers, etag=sent.etag, modified=sent.modified, size=sent.size
    )
    if chosen.status == _NOT_MODIFIED:
        response = current_app.response_class(status=_NOT_MODIFIED)
        response.headers.pop("Content-Type", None)
        response.headers.update(headers)
        return response
    if chosen.status == _PARTIAL:
        headers["Content-Range"] = f"bytes {chosen.start}-{chosen.end - 1}/{sent.size}"
    headers["Content-Length"] = str(chosen.length)
    body = () if request.method == "HEAD" else Body(sent.open(), chosen.start, chosen.length)
    response = current_app.response_class(
        body, chosen.status, content_type=content_type, direct_passthrough=True
    )
    response.headers.update(headers)
    return response


class Body:
    """The bytes of a file from *start* on, *length* of them."""

    def __init__(self, file: Readable, start: int, length: int) -> None:
        self._file = file
        self._left = length
        if start:
            file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._file.read(min(_CHUNK_BYTES, self._left)) if self._left else b""
        if not chunk:
            if self._left:
                # Breaks the connection: the caller must not take the part for the whole.
                raise OSError(f"A file ended {self._left} bytes early.")
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Let go of the file, also when the caller went away."""
        self._file.close()


def _storage() -> Storage:
    found = current_app.extensions.get("carboy.storage")
    if found is None:
        raise CarboyError("This app has no storage. Add Storage(app) where the app is made.")
    return cast("Storage", found)


def _location(path: Path) -> str | None:
    """Find the internal location of nginx that has the file, by ``ACCEL_REDIRECT``."""
    for entry in current_app.config.get("ACCEL_REDIRECT", ()):
        location, _, folder = entry.partition("=")
        root = Path(folder) if folder else _storage_root()
        if root is not None and path.is_relative_to(root):
            # nginx decodes it once
            return f"{location.rstrip('/')}/{quote(str(path.relative_to(root)))}"
    return None


def _storage_root() -> Path | None:
    storage = cast("Storage | None", current_app.extensions.get("carboy.storage"))
    return storage.root if storage is not None else None
