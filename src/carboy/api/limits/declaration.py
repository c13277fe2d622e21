"""``@limit("100/minute")``: what a view or a blueprint declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from carboy.api.limits.identity import By
from carboy.api.limits.rates import Rate, rates_of
from carboy.api.operation import declare

__all__ = ["Limit", "WhenDown", "limit", "limit_given", "unlimited"]

View = TypeVar("View", bound=Callable[..., Any])
WhenDown = Literal["allow", "refuse"]


@dataclass(frozen=True)
class Limit:
    """What :func:`limit` declares; a decorator of views, and a default for a blueprint."""

    rates: tuple[Rate, ...]
    by: By
    name: str
    when_down: WhenDown

    def __call__(self, view: View) -> View:
        """Declare it of a view, in addition to those declared below it."""
        operation = declare(view)
        operation.limits = (self, *(operation.limits or ()))
        return view


def limit(*rates: str, by: By = "client", name: str = "", when_down: WhenDown = "allow") -> Limit:
    """Let a caller make only so many requests.

    Place it below the route. Several may stand together; a request must fit all of them and
    counts in none if it does not. They replace the default of the blueprint and
    ``RATE_LIMIT``. They are checked before the body is read; a request beyond them is
    answered 429 with ``Retry-After``.

    :param rates: such as ``"100/minute"`` or ``"20/10 minutes"``.
    :param by: whose requests are counted together: ``client`` (network address), ``user``,
        ``key`` (API key), or a function that gives what tells callers apart. Who is not
        told apart by it is so by address.
    :param name: views with the same name share a counter; by default each view has its own.
    :param when_down: when counters cannot be read: ``allow`` requests uncounted, or
        ``refuse`` them with 503.
    :raises ValueError: for a rate that cannot be read, or a name no header can carry.
    """
    read = rates_of(*rates)
    if not read:
        raise ValueError("A limit needs a rate, such as limit('100/minute').")
    if not callable(by) and by not in ("client", "user", "key"):
        raise ValueError(f"by={by!r} is unknown. Use client, user, key or a function.")
    if when_down not in ("allow", "refuse"):
        raise ValueError(f"when_down={when_down!r} is unknown. Use allow or refuse.")
    # What a string of a structured field holds without escapes (RFC 9651, section 3.3.3).
    if not (name.isascii() and name.replace(" ", "_").isprintable()) or set(name) & set('"\\'):
        raise ValueError(f"{name!r} cannot stand in a header; use letters, digits and dashes.")
    return Limit(read, by, name, when_down)


def unlimited(view: View) -> View:
    """Count no requests of a view, whatever its blueprint or ``RATE_LIMIT`` say."""
    declare(view).limits = ()
    return view


def limit_given(given: str | Limit | None) -> Limit | None:
    """Read what a blueprint or a setting was given; empty: no limit of its own."""
    return limit(given) if given and isinstance(given, str) else given or None
