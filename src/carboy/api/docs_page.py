"""``/docs``: the OpenAPI document as a page on which requests can be tried.

Swagger UI comes from an installed package and is served by the app itself; no other
host is contacted.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    render_template,
    send_from_directory,
    url_for,
)

from carboy.api.pages import page

_OWN = Path(__file__).parent / "assets"
_OWN_FILES = frozenset({"docs.js", "docs.css"})
_SWAGGER_FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
_YEAR_S = 31_536_000


def blueprint() -> Blueprint:
    """Make the blueprint that serves ``/docs`` and the files it shows."""
    made = Blueprint("carboy_docs", __name__, template_folder=str(_OWN / "templates"))

    @page
    def docs() -> str:
        return render_template(
            "carboy/docs.html",
            title=current_app.config.get("API_TITLE") or current_app.name,
            document=url_for("carboy_openapi.document"),
            assets=url_for("carboy_docs.asset", release=_release(), name=""),
        )

    def asset(release: str, name: str) -> Response:
        # The release is there for caches only: whatever it says, the present files are sent.
        del release
        if name in _SWAGGER_FILES:
            response = send_from_directory(_swagger_folder(), name)
        elif name in _OWN_FILES:
            response = send_from_directory(_OWN, name)
        else:
            abort(404)
        response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        return response

    made.add_url_rule("/docs", "docs", docs, strict_slashes=False)
    made.add_url_rule("/docs/assets/<release>/<path:name>", "asset", asset)
    return made


@cache
def _release() -> str:
    """Name the present files: a change of any of them changes the addresses."""
    digest = hashlib.sha256()
    for name in sorted(_OWN_FILES):
        digest.update((_OWN / name).read_bytes())
    return f"{version('flask-swagger-ui')}-{digest.hexdigest()[:8]}"


def _swagger_folder() -> Path:
    """Find the files without importing the package that carries them."""
    found = find_spec("flask_swagger_ui")
    if found is None or found.origin is None:  # pragma: no cover - a dependency of this package
        raise ModuleNotFoundError("flask-swagger-ui is not installed. Install it with pip.")
    return Path(found.origin).parent / "dist"
