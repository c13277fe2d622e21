"""The response headers of limits, and what the OpenAPI document says of them.

``RateLimit`` and ``RateLimit-Policy`` are those of the IETF draft
draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4. Programs at large still read the
three fields of its versions up to 06, ``RateLimit-Limit``, ``-Remaining`` and ``-Reset``,
which can tell of one limit only: that with the fewest requests left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from carboy.api.limits.plan import Plan
from carboy.backing.counters import Level

__all__ = ["described", "headers_of", "refusals", "wait_s"]

_NUMBERS = {
    "RateLimit-Limit": "Requests that the limit with the fewest left allows in its window.",
    "RateLimit-Remaining": "Requests that are left of it.",
    "RateLimit-Reset": "Seconds until the first of those made is given back.",
}
_TEXTS = {
    "RateLimit": "For each limit its requests left (r) and the seconds until the first of those "
    "made is given back (t).",
    "RateLimit-Policy": "For each limit how many requests (q) it allows in how many seconds (w).",
}
_REFUSED, _DOWN = 429, 503


def headers_of(plan: Plan, levels: Sequence[Level]) -> dict[str, str]:
    """Tell a caller where it stands."""
    told = [
        (max(0, policy.rate.quota - level.taken), math.ceil(level.free_in_s), policy)
        for policy, level in zip(plan.policies, levels, strict=True)
    ]
    left, reset_s, tightest = min(told, key=lambda one: (one[0], -one[1]))
    return {
        "RateLimit": ", ".join(f'"{policy.name}";r={r};t={t}' for r, t, policy in told),
        "RateLimit-Policy": plan.described,
        "RateLimit-Limit": str(tightest.rate.quota),
        "RateLimit-Remaining": str(left),
        "RateLimit-Reset": str(reset_s),
    }


def wait_s(quotas: Sequence[int], levels: Sequence[Level]) -> int:
    """Tell after how many whole seconds a refused take fits all of its windows."""
    full = (level for quota, level in zip(quotas, levels, strict=True) if level.taken >= quota)
    return max([1, *(math.ceil(level.free_in_s) for level in full)])


def refusals(plan: Plan | None) -> dict[int, str]:
    """Say which refusals there are: status → when."""
    if plan is None:
        return {}
    rates = " or ".join(f"{one.rate.quota} in {one.rate.length_s} seconds" for one in plan.policies)
    found = {_REFUSED: f"More requests than {rates}"}
    if plan.when_down == "refuse":
        found[_DOWN] = "Requests cannot be counted at the moment"
    return found


def described(causes: AbstractSet[int] = frozenset()) -> dict[str, Any]:
    """Describe the headers of an answer, as OpenAPI writes it.

    None is required: an answer has them only while the counters can be read.

    :param causes: statuses of the errors that are answered so; empty: it is a success.
    """
    number = {"type": "integer", "minimum": 0}
    found: dict[str, Any] = {
        **{name: {"description": said, "schema": {"type": "string"}}
           for name, said in _TEXTS.items()},
        **{name: {"description": said, "schema": number} for name, said in _NUMBERS.items()},
    }  # fmt: skip
    if causes & {_REFUSED, _DOWN}:
        found["Retry-After"] = {
            "description": "Seconds after which the next request is served.",
            "schema": {"type": "integer", "minimum": 1},
            # An envelope may send one status for several errors, of which others have no such.
            "required": causes == {_REFUSED},
        }
    return found
