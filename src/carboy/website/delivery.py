"""Serving assets: forever the same under one address, compressed where the caller can read it.

Source: RFC 9111, section 5.2.2 (Cache-Control), and RFC 8246 (immutable).
"""

from __future__ import annotations

import mimetypes
from pathlib import Path, PurePosixPath

from flask import Response, request, send_from_directory

from carboy.website.building import COMPRESSED

__all__ = ["YEAR_S", "deliver"]

YEAR_S = 31_536_000
_OCTETS = "application/octet-stream"
# What slim systems know no type of.
_TYPES = {
    ".avif": "image/avif",
    ".js": "text/javascript",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


def deliver(folder: Path, name: str) -> Response:
    """Send a file whose name contains its hash.

    :param folder: where the assets were built.
    :param name: one of the names in the manifest.
    :raises NotFound: if it was removed meanwhile (404).
    """
    path = PurePosixPath(name)
    digest = path.stem.rpartition(".")[2]
    compressed = (folder / f"{name}{COMPRESSED}").is_file()
    gzipped = compressed and request.accept_encodings.quality("gzip") > 0
    response = send_from_directory(
        folder,
        f"{name}{COMPRESSED}" if gzipped else name,
        mimetype=_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or _OCTETS,
        download_name=path.name,
        etag=f"{digest}-gzip" if gzipped else digest,
        max_age=YEAR_S,
    )
    response.cache_control.immutable = True
    if gzipped:
        response.headers["Content-Encoding"] = "gzip"
    if compressed:
        response.vary.add("Accept-Encoding")
    return response
