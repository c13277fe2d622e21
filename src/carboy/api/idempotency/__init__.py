"""Idempotency-Key: a request that is sent twice has one effect and one answer.

Source: IETF draft-ietf-httpapi-idempotency-key-header.
"""

from carboy.api.idempotency.declaration import Idempotent, idempotent
from carboy.api.idempotency.refusals import KeyMalformed, KeyMissing, KeyReused, StillRunning
from carboy.api.idempotency.table import IdempotencyKeyMixin

__all__ = [
    "IdempotencyKeyMixin",
    "Idempotent",
    "KeyMalformed",
    "KeyMissing",
    "KeyReused",
    "StillRunning",
    "idempotent",
]
