"""Why a request with, or without, an Idempotency-Key is refused."""

from __future__ import annotations

from carboy.errors import BadRequest, Conflict, Invalid

__all__ = ["KeyMalformed", "KeyMissing", "KeyReused", "StillRunning"]

RETRY_AFTER_S = 1


class KeyMissing(BadRequest):
    """The view demands a key (draft, section 2.7)."""

    code = "idempotency_key_missing"
    message = "Send an Idempotency-Key header: a UUID, made once for this request and its retries."


class KeyMalformed(BadRequest):
    """The header holds something other than one key (draft, section 2.1)."""

    code = "idempotency_key_malformed"
    message = (
        "The Idempotency-Key is not one word of 1 to 255 visible ASCII characters, without "
        "quotes, commas and backslashes inside. Send a UUID."
    )


class KeyReused(Invalid):
    """The key belongs to another request of this caller (draft, section 2.7)."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request. Make a key for each."

    def __init__(self) -> None:
        super().__init__(data={"Idempotency-Key": ["Was used for another request."]})


class StillRunning(Conflict):
    """The request of this key is being worked on (draft, section 2.7)."""

    code = "idempotency_key_in_use"
    message = "The request of this Idempotency-Key is being processed. Retry to get its answer."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)})
