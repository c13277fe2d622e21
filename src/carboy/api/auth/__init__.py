"""Authentication and authorisation.

The names are loaded on first use: declaring what a view requires needs no database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carboy.api.auth.access import public, requires
    from carboy.api.auth.caller import Caller, Claims
    from carboy.api.auth.current import current_user
    from carboy.api.auth.extension import Auth
    from carboy.api.auth.ownership import owned_by
    from carboy.api.auth.permissions import Permissions
    from carboy.api.auth.tables import ApiKeyMixin, SessionMixin, UserMixin

__all__ = [
    "ApiKeyMixin",
    "Auth",
    "Caller",
    "Claims",
    "Permissions",
    "SessionMixin",
    "UserMixin",
    "current_user",
    "owned_by",
    "public",
    "requires",
]

_HOMES = {
    "ApiKeyMixin": "tables",
    "Auth": "extension",
    "Caller": "caller",
    "Claims": "caller",
    "Permissions": "permissions",
    "SessionMixin": "tables",
    "UserMixin": "tables",
    "current_user": "current",
    "owned_by": "ownership",
    "public": "access",
    "requires": "access",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
