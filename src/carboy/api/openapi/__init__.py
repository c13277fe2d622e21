"""OpenAPI 3.1, generated from what is registered on the app."""

from __future__ import annotations

from typing import Any

from flask import Flask

from carboy.api import docs_page
from carboy.api.openapi import serving

__all__ = ["document_of", "init_app", "serve"]


def init_app(app: Flask) -> None:
    """Add ``flask openapi``."""
    serving.published(app)
    app.cli.add_command(serving.command)


def serve(app: Flask) -> None:
    """Serve ``/openapi.json`` and ``/docs`` if ``API_DOCS`` is on.

    Call it when the app has all its routes: one that has a path of ours keeps it.
    """
    if not app.config.get("API_DOCS", True):
        return
    taken = {rule.rule for rule in app.url_map.iter_rules()}
    if "/openapi.json" not in taken:
        app.register_blueprint(serving.blueprint())
        if "/docs" not in taken:
            app.register_blueprint(docs_page.blueprint())


def document_of(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of *app*, built at the first call.

    Call it when everything is registered: later registrations are not in it.
    """
    return serving.published(app).document(app)
