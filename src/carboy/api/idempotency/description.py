"""What the OpenAPI document says of an idempotent operation."""

from __future__ import annotations

from typing import Any

from carboy.api.idempotency.identity import HEADER, KEY_PATTERN
from carboy.api.idempotency.refusals import RETRY_AFTER_S
from carboy.api.idempotency.store import REPLAYED

__all__ = ["failures", "headers", "parameter"]

_UNSENT = "Without it the request is processed every time it arrives."
_KEPT_FROM, _ERROR, _CONFLICT = 200, 500, 409


def parameter(*, required: bool) -> dict[str, Any]:
    """Describe the request header."""
    meaning = (
        "A UUID or the like, made once for a request and sent with each of its retries: it is "
        "processed once, and every retry gets the first answer."
    )
    return {
        "name": HEADER,
        "in": "header",
        "required": required,
        "description": meaning if required else f"{meaning} {_UNSENT}",
        "schema": {"type": "string", "pattern": KEY_PATTERN},
        "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    }


def failures(*, required: bool) -> dict[int, str]:
    """Say which refusals there are, and when."""
    missing = "is missing or malformed" if required else "is malformed"
    return {
        400: f"The {HEADER} {missing}",
        409: f"A request with this {HEADER} is being processed",
        422: f"The {HEADER} was used for another request",
    }


def headers(status: str) -> dict[str, Any]:
    """Describe what answers of *status* may carry, as OpenAPI writes it."""
    if not status.isdigit():
        return {}
    if int(status) == _CONFLICT:
        return {
            "Retry-After": {
                "description": "Seconds to wait, if the request of the key is being processed.",
                "schema": {"type": "integer", "const": RETRY_AFTER_S},
            },
            **_replayed(),
        }
    return _replayed() if _KEPT_FROM <= int(status) < _ERROR else {}


def _replayed() -> dict[str, Any]:
    return {
        REPLAYED: {
            "description": f"Sent with the first answer of an {HEADER} when it is given again.",
            "schema": {"type": "string", "const": "true"},
        }
    }
