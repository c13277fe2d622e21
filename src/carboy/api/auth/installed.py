"""The ``Auth`` of the app at hand, for its views and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app

from carboy.api.auth.access import EXTENSION
from carboy.api.auth.current import current_user
from carboy.errors import Forbidden

if TYPE_CHECKING:
    from carboy.api.auth.installation import Installation

__all__ = ["installed", "only_signed_in"]


def installed() -> Installation:
    """Find what ``Auth.init_app`` left on the app."""
    return cast("Installation", current_app.extensions[EXTENSION])


def only_signed_in() -> str:
    """Return the id of the caller's session.

    A key must not make keys, or it would outlive its own revocation; nor change passwords.

    :raises Forbidden: if the caller has none (403).
    """
    if current_user.method != "session" or current_user.credential is None:
        raise Forbidden("Sign in with a password to do this.", code="session_required")
    return current_user.credential
