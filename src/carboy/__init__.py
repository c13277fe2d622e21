"""Carboy takes a Flask app into production.

The public names are loaded on first use, so that a command which needs one of
them does not pay for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carboy.importing import imported, patterns_later

if TYPE_CHECKING:
    from carboy.api.auth import Auth, current_user, owned_by, public, requires
    from carboy.api.blueprint import Blueprint
    from carboy.api.conditional import conditional
    from carboy.api.deprecation import deprecated
    from carboy.api.envelope import Bare, Envelope, JSend
    from carboy.api.exports import export, exports
    from carboy.api.files import File, Upload, downloads, send, send_confined
    from carboy.api.idempotency import IdempotencyKeyMixin, idempotent
    from carboy.api.limits import Limit, LoginThrottle, limit, unlimited
    from carboy.api.pages import page
    from carboy.api.paging import Cursor, Pages
    from carboy.api.resource import Resource
    from carboy.app import Carboy
    from carboy.backing.database import Database
    from carboy.backing.moment import Moment
    from carboy.backing.storage import Storage
    from carboy.fast.flask import Flask
    from carboy.fast.schema import Schema
    from carboy.settings import Development, Production, Settings, Testing, setting
    from carboy.website.assets import Assets
    from carboy.website.content import Card, Content
    from carboy.website.error_pages import error_pages
    from carboy.website.markdown import markdown

__version__ = "0.1.0"

__all__ = [
    "Assets",
    "Auth",
    "Bare",
    "Blueprint",
    "Carboy",
    "Card",
    "Content",
    "Cursor",
    "Database",
    "Development",
    "Envelope",
    "File",
    "Flask",
    "IdempotencyKeyMixin",
    "JSend",
    "Limit",
    "LoginThrottle",
    "Moment",
    "Pages",
    "Production",
    "Resource",
    "Schema",
    "Settings",
    "Storage",
    "Testing",
    "Upload",
    "conditional",
    "current_user",
    "deprecated",
    "downloads",
    "error_pages",
    "export",
    "exports",
    "idempotent",
    "limit",
    "markdown",
    "owned_by",
    "page",
    "public",
    "requires",
    "send",
    "send_confined",
    "setting",
    "unlimited",
]

_HOMES = {
    "Assets": "carboy.website.assets",
    "Auth": "carboy.api.auth",
    "Bare": "carboy.api.envelope",
    "Blueprint": "carboy.api.blueprint",
    "Carboy": "carboy.app",
    "Card": "carboy.website.content",
    "Content": "carboy.website.content",
    "Cursor": "carboy.api.paging",
    "Database": "carboy.backing.database",
    "Development": "carboy.settings",
    "Envelope": "carboy.api.envelope",
    "File": "carboy.api.files",
    "Flask": "carboy.fast.flask",
    "IdempotencyKeyMixin": "carboy.api.idempotency",
    "JSend": "carboy.api.envelope",
    "Limit": "carboy.api.limits",
    "LoginThrottle": "carboy.api.limits",
    "Moment": "carboy.backing.moment",
    "Pages": "carboy.api.paging",
    "Production": "carboy.settings",
    "Resource": "carboy.api.resource",
    "Schema": "carboy.fast.schema",
    "Settings": "carboy.settings",
    "Storage": "carboy.backing.storage",
    "Testing": "carboy.settings",
    "Upload": "carboy.api.files",
    "conditional": "carboy.api.conditional",
    "current_user": "carboy.api.auth",
    "deprecated": "carboy.api.deprecation",
    "downloads": "carboy.api.files",
    "error_pages": "carboy.website.error_pages",
    "export": "carboy.api.exports",
    "exports": "carboy.api.exports",
    "idempotent": "carboy.api.idempotency",
    "limit": "carboy.api.limits",
    "markdown": "carboy.website.markdown",
    "owned_by": "carboy.api.auth",
    "page": "carboy.api.pages",
    "public": "carboy.api.auth",
    "requires": "carboy.api.auth",
    "send": "carboy.api.files",
    "send_confined": "carboy.api.files",
    "setting": "carboy.settings",
    "unlimited": "carboy.api.limits",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        # Those of addresses are half of what it takes to import marshmallow.
        patterns_later("marshmallow.validate", "Email")
        value = globals()[name] = getattr(imported(_HOMES[name]), name)
        return value
    raise AttributeError(f"module 'carboy' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
