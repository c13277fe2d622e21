"""The answers to callers who are not known, or may not do what they ask.

Source: RFC 6750, section 3, and RFC 9110, section 11.6.1.
"""

from __future__ import annotations

from collections.abc import Iterable

from carboy.errors import Forbidden, Invalid, Unauthorized

__all__ = ["anonymous", "insufficient", "invalid_token", "wrong_credentials", "wrong_link"]

TOO_MANY = {429: "Too many attempts; wait before the next one."}
TOO_MANY_HEADERS = {
    "429": {
        "headers": {
            "Retry-After": {
                "description": "Seconds to wait.",
                "schema": {"type": "integer"},
            }
        }
    }
}


def anonymous(scheme: str) -> Unauthorized:
    """Answer a request without credentials."""
    return Unauthorized(scheme=scheme)


def invalid_token(scheme: str) -> Unauthorized:
    """Answer credentials that are malformed, unknown, expired or revoked; which is not said."""
    return Unauthorized(
        "The token is not valid. Sign in again.",
        scheme=f'{scheme} error="invalid_token"',
        code="invalid_token",
    )


def wrong_credentials(scheme: str) -> Unauthorized:
    """Answer a wrong password, an unknown name and a disabled account, all alike."""
    return Unauthorized(
        "There is no such name with that password.", scheme=scheme, code="wrong_credentials"
    )


def insufficient(scheme: str, permissions: Iterable[str]) -> Forbidden:
    """Answer a caller who lacks *permissions*."""
    scope = " ".join(permissions)
    return Forbidden(
        f"You may not do this; it takes {scope}.",
        code="insufficient_scope",
        headers={"WWW-Authenticate": f'{scheme} error="insufficient_scope", scope="{scope}"'},
    )


def wrong_link() -> Invalid:
    """Answer a link that is forged, expired or used; which is not said."""
    return Invalid(
        "The link is not valid any more. Ask for another one.",
        data={"token": ["Not valid, expired, or used already."]},
        code="invalid_link",
    )
