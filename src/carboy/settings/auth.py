"""The settings of authentication: sessions, passwords, links, tokens of an external issuer."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from carboy.settings.declaration import setting
from carboy.settings.loading import Loaded

JWT_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Signatures with a public key. The others are keyed with a secret, or none at all: with one of
those allowed, anybody who knows the public key could sign."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DAY_S = 86400


class AuthSettings(Loaded):
    """What :class:`~carboy.api.auth.extension.Auth` reads."""

    AUTH_SESSION_IDLE_S: int = setting(
        7 * _DAY_S,
        "Seconds without a request after which a session ends.",
        min=60, group="Authentication",
    )  # fmt: skip
    AUTH_SESSION_MAX_S: int = setting(
        30 * _DAY_S,
        "Seconds after signing in when a session ends, however much it is used.",
        min=60, group="Authentication",
    )  # fmt: skip
    AUTH_PASSWORD_MIN_CHARS: int = setting(
        8, "Shortest password that is accepted.", min=1, max=128, group="Authentication"
    )
    AUTH_ARGON2_MEMORY_KIB: int = setting(
        64 * 1024,
        "Memory of one Argon2id hash, in KiB. Changed parameters reach an account at its next "
        "sign-in.",
        min=64, max=4 * 1024 * 1024, group="Authentication",
    )  # fmt: skip
    AUTH_ARGON2_TIME_COST: int = setting(
        3, "Passes of Argon2id over its memory.", min=1, max=100, group="Authentication"
    )
    AUTH_ARGON2_PARALLELISM: int = setting(
        4, "Lanes of Argon2id, each a thread.", min=1, max=8, group="Authentication"
    )
    AUTH_RESET_TTL_S: int = setting(
        3600, "Seconds a password reset link is valid.", min=60, group="Authentication"
    )
    AUTH_CONFIRM_TTL_S: int = setting(
        3 * _DAY_S, "Seconds an e-mail confirmation link is valid.", min=60, group="Authentication"
    )
    JWT_ISSUER: str = setting(
        "",
        "Issuer whose JWTs are accepted: exactly their claim iss. Empty: none are.",
        group="Authentication",
    )
    JWT_AUDIENCE: tuple[str, ...] = setting(
        (), "Names of this service in the claim aud; one must match.", group="Authentication"
    )
    JWT_JWKS: str = setting(
        "",
        "Where the issuer's public keys are: an https URL, or the path of a file.",
        group="Authentication",
    )
    JWT_ALGORITHMS: tuple[str, ...] = setting(
        ("RS256", "ES256", "EdDSA"),
        "Signature algorithms that are accepted, asymmetric ones only.",
        group="Authentication",
    )
    JWT_LEEWAY_S: int = setting(
        30, "Seconds by which clocks may differ.", min=0, max=600, group="Authentication"
    )
    JWT_JWKS_TTL_S: int = setting(
        600, "Seconds the issuer's keys are used before they are fetched again.",
        min=1, group="Authentication",
    )  # fmt: skip
    JWT_JWKS_COOLDOWN_S: int = setting(
        30,
        "Seconds between two fetches of the keys, whatever unknown key a token names.",
        min=1, group="Authentication",
    )  # fmt: skip
    JWT_JWKS_TIMEOUT_S: float = setting(
        3.0, "Seconds a fetch of the keys may take.", min=0.1, max=60, group="Authentication"
    )

    def problems(self) -> Iterator[str]:
        """See :meth:`carboy.settings.Settings.problems`."""
        yield from super().problems()
        if self.AUTH_SESSION_IDLE_S > self.AUTH_SESSION_MAX_S:
            yield "AUTH_SESSION_IDLE_S is longer than AUTH_SESSION_MAX_S. Make it shorter."
        if self.JWT_ISSUER:
            yield from self._jwt_problems()

    def _jwt_problems(self) -> Iterator[str]:
        if not self.JWT_AUDIENCE:
            yield (
                "JWT_ISSUER is set and JWT_AUDIENCE is not: tokens meant for other services "
                "would be accepted. Name this service as the issuer does."
            )
        if not self.JWT_JWKS:
            yield "JWT_ISSUER is set and JWT_JWKS is not. Name the URL or file of its keys."
        unknown = [name for name in self.JWT_ALGORITHMS if name not in JWT_ALGORITHMS]
        if unknown or not self.JWT_ALGORITHMS:
            yield (
                f"JWT_ALGORITHMS may not have {', '.join(unknown) or 'nothing'}. "
                f"Use some of {', '.join(JWT_ALGORITHMS)}."
            )
        url = urlsplit(self.JWT_JWKS) if "://" in self.JWT_JWKS else None
        if url and (url.scheme != "https" and url.hostname not in _LOOPBACK):
            yield "JWT_JWKS is fetched without TLS: whoever is in between could sign. Use https."
        if url and url.scheme not in ("https", "http"):
            yield "JWT_JWKS is neither an http URL nor a path."
