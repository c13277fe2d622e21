"""Passwords: Argon2id, equal work for every attempt, hashes that follow the settings.

Sources: RFC 9106, section 4; OWASP Password Storage Cheat Sheet; NIST SP 800-63B-4,
section 3.1.1.2, which asks for Unicode normalisation.
"""

from __future__ import annotations

import base64
import logging
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from carboy.errors import CarboyError

__all__ = ["PASSWORD_MAX_CHARS", "Passwords"]

PASSWORD_MAX_CHARS = 256
_log = logging.getLogger(__name__)
_SALT_BYTES, _HASH_BYTES = 16, 32


class Passwords:
    """Hashes and verifies with the parameters of the settings ``AUTH_ARGON2_…``.

    One hash takes the memory of ``AUTH_ARGON2_MEMORY_KIB`` and tens of milliseconds, on
    purpose. Do it while no transaction is open.

    :raises CarboyError: if pwdlib is not installed.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        try:
            from pwdlib import PasswordHash
            from pwdlib.hashers.argon2 import Argon2Hasher
        except ImportError as error:
            raise CarboyError(
                "Passwords need Argon2. Install it: pip install 'carboy[auth]'"
            ) from error

        memory_kib = config["AUTH_ARGON2_MEMORY_KIB"]
        passes = config["AUTH_ARGON2_TIME_COST"]
        lanes = config["AUTH_ARGON2_PARALLELISM"]
        self._hasher = PasswordHash(
            [
                Argon2Hasher(
                    memory_cost=memory_kib,
                    time_cost=passes,
                    parallelism=lanes,
                    salt_len=_SALT_BYTES,
                    hash_len=_HASH_BYTES,
                )
            ]
        )
        # Well-formed, and the hash of no password anybody knows: verifying takes as long.
        self._nobody = (
            f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}"
            f"${_base64(_SALT_BYTES)}${_base64(_HASH_BYTES)}"
        )

    def hash(self, password: str) -> str:
        """Make the hash to keep."""
        return self._hasher.hash(_normal(password))

    def verify(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """Compare a password with a hash; without one, do the same work and say no.

        :param kept: ``None`` or empty for accounts that do not exist or have no password.
        :return: whether it fits, and a new hash to keep where the parameters have changed.
        """
        if kept and not self._hasher.current_hasher.identify(kept):
            _log.error("A password hash is no Argon2: its owner has to set another password.")
            kept = None
        if not kept:
            self._hasher.verify(_normal(password), self._nobody)
            return False, None
        return self._hasher.verify_and_update(_normal(password), kept)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _base64(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
