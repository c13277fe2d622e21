"""Opaque tokens: made at random, told apart by their beginning, kept as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets

__all__ = ["KEY_PREFIX", "SESSION_PREFIX", "digest", "make", "shown"]

SESSION_PREFIX = "cbs_"
KEY_PREFIX = "cbk_"
_BYTES = 32
_SHOWN_CHARS = 12
_OPAQUE = re.compile(r"cb[sk]_[A-Za-z0-9_-]{43}").fullmatch


def make(prefix: str) -> str:
    """Make a token of 256 random bits."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest(token: str) -> str:
    """Give what is kept of a token: SHA-256, in hexadecimal.

    A token of 256 random bits cannot be guessed from it, so it needs neither salt nor a
    slow hash; and since the database looks for the hash, the time it takes says nothing
    about the token.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def is_opaque(token: str) -> bool:
    """Say whether *token* looks like one made here."""
    return _OPAQUE(token) is not None


def shown(token: str) -> str:
    """Give the beginning by which its owner recognises a token: 48 of its 256 bits."""
    return token[:_SHOWN_CHARS]
