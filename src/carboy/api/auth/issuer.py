"""JWTs of an external issuer: verified against its public keys, strictly.

PyJWT checks signature, issuer, audience and times. What it is lenient about is checked
before: encodings, repeated members, the kinds of values, which key is for what.

Sources: RFC 7515, RFC 7519, RFC 8725 and RFC 9068.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from carboy.api.auth.keyset import KeySet
from carboy.errors import ApiError, CarboyError
from carboy.fast.json import loads

__all__ = ["InvalidJwt", "Issuer"]

_CHARS_MAX = 8192
_DEPTH_MAX = 16
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+").fullmatch
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_TIMES = ("exp", "nbf", "iat")
_KINDS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", None)),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}


class InvalidJwt(Exception):
    """A token that cannot be believed; the reason is for the log, not for its bearer."""


class Issuer:
    """The one issuer whose tokens are accepted, from the settings ``JWT_…``.

    :raises CarboyError: if PyJWT or cryptography is not installed.
    """

    def __init__(self, config: Mapping[str, Any], keys: KeySet | None = None) -> None:
        try:
            import cryptography
            import jwt
        except ImportError as error:
            raise CarboyError(
                "JWT_ISSUER needs PyJWT. Install it: pip install 'carboy[jwt]'"
            ) from error
        del cryptography
        self._jwt = jwt
        self._issuer = config["JWT_ISSUER"]
        self._audience = list(config["JWT_AUDIENCE"])
        self._algorithms = frozenset(config["JWT_ALGORITHMS"])
        self._leeway_s = config["JWT_LEEWAY_S"]
        self._keys = keys or KeySet(
            config["JWT_JWKS"],
            ttl_s=config["JWT_JWKS_TTL_S"],
            cooldown_s=config["JWT_JWKS_COOLDOWN_S"],
            timeout_s=config["JWT_JWKS_TIMEOUT_S"],
        )

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token.

        :raises InvalidJwt: if it is not one of this issuer, for this service, valid now.
        :raises Unavailable: if the keys cannot be had (503).
        """
        header, claims = _parts(token)
        algorithm = _algorithm(header, self._algorithms)
        _check_kinds(claims)
        key = self._key(header.get("kid"), algorithm)
        try:
            self._jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway_s,
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "enforce_minimum_key_length": True,
                },
            )
        except self._jwt.PyJWTError as error:
            raise InvalidJwt(str(error)) from error
        return claims

    def _key(self, kid: Any, algorithm: str) -> Any:
        if kid is not None and not isinstance(kid, str):
            raise InvalidJwt("kid is not text")
        found = self._keys.find(lambda key: _fits(key, kid, algorithm))
        if len(found) != 1:
            raise InvalidJwt(f"{len(found)} keys fit kid and alg")
        try:
            return self._jwt.PyJWK(dict(found[0]), algorithm)
        except (self._jwt.PyJWTError, ValueError, TypeError, binascii.Error) as error:
            raise InvalidJwt(f"the issuer's key cannot be used: {type(error).__name__}") from error


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(token) > _CHARS_MAX or _COMPACT(token) is None:
        raise InvalidJwt("it is not three parts of base64url")
    header, claims, _ = token.split(".")
    return _object(header), _object(claims)


def _object(part: str) -> dict[str, Any]:
    try:
        read = loads(_decoded(part), max_depth=_DEPTH_MAX)
    except (ValueError, ApiError) as error:
        raise InvalidJwt("a part is no strict JSON") from error
    if not isinstance(read, dict):
        raise InvalidJwt("a part is no object")
    return read


def _decoded(part: str) -> bytes:
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise ValueError("bits beyond the end")
    return raw


def _algorithm(header: Mapping[str, Any], allowed: frozenset[str]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in allowed:
        raise InvalidJwt("alg is not allowed")
    if "crit" in header or "b64" in header:
        raise InvalidJwt("it asks for an extension")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidJwt("typ is that of another kind of token")
    return algorithm


def _check_kinds(claims: Mapping[str, Any]) -> None:
    for name in _TIMES:
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidJwt(f"{name} is no number")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise InvalidJwt("sub is no text")


def _fits(key: Mapping[str, Any], kid: str | None, algorithm: str) -> bool:
    """Say whether *key* is a public one, for signatures of this algorithm, with that id."""
    kind, curve = _KINDS[algorithm]
    operations = key.get("key_ops", ["verify"])
    return (
        (kid is None or key.get("kid") == kid)
        and key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in key
    )
