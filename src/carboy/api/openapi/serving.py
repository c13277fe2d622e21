"""``/openapi.json`` and ``flask openapi``."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from threading import Lock
from typing import Any

import click
from flask import Blueprint, Flask, Response, current_app, request
from flask.cli import with_appcontext

from carboy.errors import PreconditionFailed

EXTENSION = "carboy.openapi"


class Published:
    """The document of one app, built when it is first asked for.

    Kept as the bytes that are sent; those of another mount point (``SCRIPT_NAME``)
    replace them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._document: dict[str, Any] | None = None
        self._written: tuple[str, bytes, str] | None = None

    def document(self, app: Flask) -> dict[str, Any]:
        """Return the document of *app*, the same object every time."""
        with self._lock:
            if self._document is None:
                # Reading schemas takes a while to import; only who asks pays for it.
                from carboy.api.openapi.document import build

                self._document = build(app)
            return self._document

    def written(self, app: Flask, mount: str) -> tuple[bytes, str]:
        """Return the document as sent to clients of *mount*, and its entity tag."""
        known = self._written
        if known is None or known[0] != mount:
            servers = [{"url": mount or "/"}]
            body = dumps({**self.document(app), "servers": servers})
            known = self._written = (mount, body, hashlib.sha256(body).hexdigest()[:32])
        return known[1], known[2]


def dumps(document: dict[str, Any]) -> bytes:
    """Write the document as JSON, indented, in UTF-8."""
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def published(app: Flask) -> Published:
    """Find the app's document, or a place for it."""
    found: Published = app.extensions.setdefault(EXTENSION, Published())
    return found


def blueprint() -> Blueprint:
    """Make the blueprint that serves ``/openapi.json``."""
    made = Blueprint("carboy_openapi", __name__)
    made.add_url_rule("/openapi.json", "document", _serve)
    return made


def _serve() -> Response:
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    body, tag = published(app).written(app, request.script_root)
    response = app.response_class(body, content_type="application/json")
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    made: Response = response.make_conditional(request)
    if made.status_code == PreconditionFailed.status:  # it would carry the document
        raise PreconditionFailed
    return made


@click.command("openapi")
@click.option(
    "--output", "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; it is replaced as a whole. Without it, the document is printed.",
)  # fmt: skip
@with_appcontext
def command(output: Path | None) -> None:
    """Write the OpenAPI document of the app as JSON."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    body = dumps(published(app).document(app))
    if output is None:
        click.echo(body, nl=False)
        return
    try:
        _replace(output, body)
    except OSError as error:
        raise click.ClickException(
            f"{output} cannot be written: {error.strerror}. Name another file with --output."
        ) from error


def _replace(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all."""
    folder = path.absolute().parent
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
