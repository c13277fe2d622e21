"""Links for a mail: signed, expiring, and of no use once used.

Nothing is stored. A link carries a fingerprint of what it is going to change: once that
has changed, the fingerprint fits no more. The change itself is made on the condition that
it still fits, so that of two simultaneous uses one succeeds.

Source: OWASP Forgot Password Cheat Sheet.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any, Literal

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from carboy.api.auth.accounts import Account, Accounts

__all__ = ["Links", "Mail", "Purpose", "log_mail"]

Purpose = Literal["reset", "confirm"]
Mail = Callable[[Purpose, Any, str], None]
"""Sends a token to a user: called with the purpose, the row of the account and the token."""
LINK_MAX_CHARS = 512
_AGES = {"reset": "AUTH_RESET_TTL_S", "confirm": "AUTH_CONFIRM_TTL_S"}
_log = logging.getLogger(__name__)


class Links:
    """Makes and reads the tokens in links."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def make(self, purpose: Purpose, account: Account) -> str:
        """Make the token of a link, in characters that need no escaping in a URL."""
        written = _serializer(purpose).dumps([str(account.id), _fingerprint(purpose, account)])
        return written if isinstance(written, str) else written.decode()

    def read(self, purpose: Purpose, token: str) -> Account | None:
        """Find the account of a link; ``None`` if it is forged, expired or used."""
        age_s = current_app.config[_AGES[purpose]]
        try:
            number, fingerprint = _serializer(purpose).loads(token, max_age=age_s)
        except BadData:
            return None
        account = self._accounts.by_id(number)
        if account is None or account.disabled or fingerprint != _fingerprint(purpose, account):
            return None
        return account


def log_mail(purpose: Purpose, user: Any, token: str) -> None:
    """Write the token to the log in Development, instead of sending it."""
    if current_app.config.get("APP_ENV") == "Development":
        _log.info("No mail is sent in Development. %s of user %s: %s", purpose, user.id, token)
    else:
        _log.error("A mail (%s) was not sent: give Auth a function, mail=.", purpose)


def _serializer(purpose: Purpose) -> URLSafeTimedSerializer:
    config = current_app.config
    keys = [*(config.get("SECRET_KEY_FALLBACKS") or ()), config["SECRET_KEY"]]
    return URLSafeTimedSerializer(
        keys,
        salt=f"carboy.auth.{purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def _fingerprint(purpose: Purpose, account: Account) -> str:
    """Digest what the link is going to change, and the address it was sent to.

    The token is read by its bearer; of a password hash, which holds 256 random bits and
    more, the digest tells nothing.
    """
    confirmed = account.email_confirmed_at
    state = account.password_hash if purpose == "reset" else confirmed and confirmed.isoformat()
    return hashlib.sha256(f"{account.email}\0{state}".encode()).hexdigest()[:32]
