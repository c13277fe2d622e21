"""Guessing passwords is slowed down, and nobody is locked out of an account by it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from contextlib import suppress

from carboy.api.limits.enforcement import RETRY_AFTER_S, Limiter, limiter
from carboy.api.limits.headers import wait_s
from carboy.api.limits.identity import client, digest
from carboy.api.limits.rates import Rate, rates_of
from carboy.backing.counters import CountersDown, Window
from carboy.errors import TooManyRequests, Unavailable

__all__ = ["Attempt", "LoginThrottle"]

_ALWAYS = 1_000_000_000  # a quota that is never used up: only whether there is any take counts
_DAY_S = 86_400


class Attempt:
    """One attempt to sign in; it counts as failed until :meth:`succeeded` says otherwise."""

    def __init__(
        self, limiter: Limiter, *, own: list[Window], shared: list[Window], places: list[Window]
    ) -> None:
        self._limiter = limiter
        self._own = own
        self._shared = shared
        self._places = places

    def succeeded(self) -> None:
        """Forget the failures of this account from here, and know the place from now on.

        Of what was counted for the account or the address as a whole only this attempt is
        given back: whoever owns one account could otherwise guess at others without end.
        """
        counters = self._limiter.counters
        with suppress(CountersDown):  # the person is who they say; what was counted stays
            counters.forget(self._own)
            if self._shared:
                counters.give_back(self._shared)
            counters.take(self._places)


class LoginThrottle:
    """Counts attempts to sign in, per account and place, per account, and per address.

    A place is the network address of the request, or a device that the project can tell. An
    account's failures from one place make the next wait, ever longer; that is the growing
    delay of *per_place*. Guesses spread over many addresses meet *per_account*, one address
    that tries many accounts meets *per_address*. Whoever has signed in to the account from
    the same place before is exempt from these two: strangers cannot lock them out. Accounts
    that do not exist are counted alike.

    It never lets anybody try uncounted: while counters cannot be read, it refuses.

    :param per_place: failures of one account from one place.
    :param per_account: failures of one account from all places that are strange to it.
    :param per_address: failures of one address at accounts to which it is strange.
    :param known_for_days: how long a place is known after signing in.
    :raises ValueError: for a rate that cannot be read.

    Source: OWASP Authentication Cheat Sheet, "Account Lockout"; OWASP, "Slow Down Online
    Guessing Attacks with Device Cookies"; NIST SP 800-63B, section 5.2.2 (at most 100
    failures in a row).
    """

    def __init__(
        self,
        *,
        per_place: str = "5/minute, 10/10 minutes, 20/hour, 50/day",
        per_account: str = "30/hour, 100/day",
        per_address: str = "20/minute, 100/hour",
        known_for_days: int = 90,
    ) -> None:
        self._per_place = rates_of(per_place)
        self._per_account = rates_of(per_account)
        self._per_address = rates_of(per_address)
        self._known_for_s = known_for_days * _DAY_S

    def begin(self, account: str, *, device: str | None = None) -> Attempt:
        """Count an attempt, before the password is looked at.

        :param account: what the caller typed; letter case and width do not matter.
        :param device: id of the caller's device, if a signed cookie or the like proves it.
        :raises TooManyRequests: when it has to wait (429).
        :raises Unavailable: when attempts cannot be counted (503).
        """
        name = _named(account)
        places = self._places(name, device)
        here = limiter()
        try:
            levels = here.counters.levels(places)
            known = [one for one, level in zip(places, levels, strict=True) if level.taken]
            # A device that is strange to the account is nothing but its address.
            own = _windows(f"{(known or places[-1:])[0].key}:failed", self._per_place)
            shared = [] if known else self._shared(name)
            windows = [*own, *shared]
            fits, levels = here.counters.take(windows)
        except CountersDown:
            raise Unavailable(retry_after_s=RETRY_AFTER_S) from None
        if not fits:
            raise TooManyRequests(
                "Too many attempts to sign in. Wait before the next one.",
                code="too_many_attempts",
                retry_after_s=wait_s([one.quota for one in windows], levels),
            )
        return Attempt(here, own=own, shared=shared, places=places)

    def remember(self, account: str, *, device: str | None = None) -> None:
        """Know the place of this request, as after a password was reset by a mailed link.

        So the owner of an account under attack gets in from a new place.

        :param account: as for :meth:`begin`.
        :param device: as for :meth:`begin`.
        """
        with suppress(CountersDown):
            limiter().counters.take(self._places(_named(account), device))

    def _places(self, name: str, device: str | None) -> list[Window]:
        """Name the memories of where the caller may be known: the device, then the address."""
        places = [f"device:{digest(device)}"] if device else []
        return [
            Window(f"login:place:{name}:{place}", _ALWAYS, self._known_for_s)
            for place in (*places, f"address:{client()}")
        ]

    def _shared(self, name: str) -> list[Window]:
        return [
            *_windows(f"login:account:{name}", self._per_account),
            *_windows(f"login:address:{client()}", self._per_address),
        ]


def _named(account: str) -> str:
    return digest(unicodedata.normalize("NFKC", account).casefold().strip())


def _windows(key: str, rates: Sequence[Rate]) -> list[Window]:
    return [
        Window(f"{key}:{rate.quota}/{rate.length_s}", rate.quota, rate.length_s) for rate in rates
    ]
