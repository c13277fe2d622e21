"""What makes two requests the same: their key, their caller, what they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from flask import Request, current_app

from carboy.api.idempotency.refusals import KeyMalformed, KeyMissing

__all__ = ["HEADER", "KEY_MAX_CHARS", "KEY_PATTERN", "caller_of", "fingerprint", "key_of"]

HEADER = "Idempotency-Key"
KEY_MAX_CHARS = 255
CALLER_MAX_CHARS = 128
_CHARACTERS = rf"[!#-+\--\[\]-~]{{1,{KEY_MAX_CHARS}}}"
KEY_PATTERN = f'^(?:{_CHARACTERS}|"{_CHARACTERS}")$'
"""A string of RFC 8941, as the draft has it, or the bare word that many clients send."""

_KEY = re.compile(KEY_PATTERN)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_CREDENTIALS = ("Authorization", "X-API-Key")
_CHUNK_BYTES = 65_536


def key_of(request: Request, *, required: bool) -> str | None:
    """Read the key; with and without quotes it is the same one.

    :raises KeyMissing: if it is *required* and missing (400).
    :raises KeyMalformed: if there is something else (400).
    """
    given = request.headers.get(HEADER)
    if given is None:
        if required:
            raise KeyMissing
        return None
    if _KEY.fullmatch(given) is None or given.endswith("\n"):
        raise KeyMalformed
    return given.strip('"')


def caller_of(request: Request, named: Callable[[], Any] | None) -> str:
    """Say who is calling, so that nobody is answered with what another one was.

    :param named: gives whatever tells callers apart. By default, and where it gives
        ``None``: ``app.extensions["carboy.caller"]``, the credentials of the request, or the
        client's address.
    """
    for ask in (named, current_app.extensions.get("carboy.caller")):
        caller = ask() if ask is not None else None
        if caller is not None:
            return _short(f"caller:{caller}")
    for header in _CREDENTIALS:
        if header in request.headers:
            return _hidden(f"{header}:{request.headers[header]}")
    return _short(f"address:{request.remote_addr}")


def fingerprint(request: Request) -> str:
    """Summarise what is asked for: method, path, query, type and body.

    A form counts by its fields and files, since every retry draws another boundary; any
    other body byte for byte.
    """
    digest = sha256()
    for part in _parts(request):
        # Lengths, so that no two lists of parts are written alike.
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def _parts(request: Request) -> Iterator[bytes]:
    yield request.method.encode()
    yield request.path.encode("utf-8", "surrogatepass")
    yield request.query_string
    yield request.mimetype.encode("utf-8", "surrogatepass")
    if request.mimetype not in _FORMS:
        yield request.get_data()
        return
    for name, value in request.form.items(multi=True):
        yield name.encode("utf-8", "surrogatepass")
        yield value.encode("utf-8", "surrogatepass")
    for name, file in request.files.items(multi=True):
        yield f"{name}\0{file.filename}\0{file.mimetype}".encode("utf-8", "surrogatepass")
        yield _content(file.stream)


def _content(stream: Any) -> bytes:
    """Digest a file and leave it where it was."""
    before = stream.tell()
    stream.seek(0)
    digest = sha256()
    while chunk := stream.read(_CHUNK_BYTES):
        digest.update(chunk)
    stream.seek(before)
    return digest.digest()


def _short(caller: str) -> str:
    return caller if len(caller) <= CALLER_MAX_CHARS and caller.isprintable() else _hidden(caller)


def _hidden(caller: str) -> str:
    return f"sha256:{sha256(caller.encode('utf-8', 'surrogatepass')).hexdigest()}"
