"""Whose requests are counted together."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from typing import Any, Literal

from flask import current_app, request

__all__ = ["By", "client", "digest", "whose"]

By = Literal["client", "user", "key"] | Callable[[], Any]
_LONGEST = 64
_NETWORK_BITS = 64


def client() -> str:
    """Give the network address of the request at hand, as the trusted proxies tell it.

    Of an IPv6 address it is the /64: a subscriber has at least that many to choose from
    (RFC 6177), and could wear a new one for every request.
    """
    exchange = request.environ.get("carboy.exchange")
    address: str = exchange.client if exchange is not None else request.remote_addr or ""
    return _network(address) if ":" in address else address


def whose(by: By) -> str:
    """Name whose request this is; callers that *by* does not tell apart are so by address.

    :param by: ``user``: who is signed in, in whatever way. ``key``: the API key. A function
        gives anything that tells callers apart, or ``None``.
    """
    found: Any = None
    if by == "user":
        found = _user()
    elif by == "key":
        found = _key()
    elif callable(by):
        found = by()
        found = None if found is None else f"own:{found}"
    text = f"client:{client()}" if found is None else str(found)
    return text if len(text) <= _LONGEST and text.isascii() else digest(text)


def digest(text: str) -> str:
    """Shorten a text of any length and content to a name for a counter."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _user() -> str | None:
    ask = current_app.extensions.get("carboy.caller")
    found: str | None = ask() if ask is not None else None
    return found


def _key() -> str | None:
    if _user() is None:
        return None
    # Where authentication keeps whom it found. Only a key that is valid counts by itself:
    # with any other one could have a counter for each request.
    caller = request.environ.get("carboy.caller")
    if getattr(caller, "method", None) != "key":
        return None
    return f"key:{getattr(caller, 'credential', '')}"


def _network(address: str) -> str:
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, _NETWORK_BITS), strict=False))
