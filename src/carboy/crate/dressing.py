"""Completes the headers of an answer, with what was worked out for its kind before."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from carboy.crate.cors import Cors
from carboy.crate.exchange import Exchange
from carboy.crate.headers import Header, SecurityHeaders

_NOT_MODIFIED: Final = 304
_KINDS_MAX: Final = 256

_names: Final = itemgetter(0)
# Policy, scheme, whether it is a 304; then the names of the headers, any number of them.
Kind = tuple[Any, ...]


class Plan:
    """What to add to the headers of one kind of answer.

    :ivar security: added first.
    :ivar length_at: where the app says the length; ``None`` if it does not.
    :ivar named: whether the app gave the request id itself.
    :ivar last: added after the request id.
    :ivar varying: whether the ``Vary`` that the app gave must say more.
    :ivar shared: sent to origins that may read the answer; ``None`` to none.
    :ivar behind: origin → :attr:`last`, and what lets that one read the answer.
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        *,
        security: tuple[Header, ...],
        length_at: int | None,
        named: bool,
        last: tuple[Header, ...],
        varying: bool,
        shared: tuple[Header, ...] | None,
    ) -> None:
        self.security = security
        self.length_at = length_at
        self.named = named
        self.last = last
        self.varying = varying
        self.shared = shared
        self.behind: dict[str, tuple[Header, ...]] = {}


class Dressing:
    """Adds security headers, the request id and what CORS asks for, in this order.

    Which ones depends on the names of the headers that the app gave, its policy, the scheme
    and whether the answer is a 304. Apps give few combinations, so each is planned once.

    :param cors: ``None`` when no other origin may call.
    """

    def __init__(self, security: SecurityHeaders, cors: Cors | None) -> None:
        self._security = security
        self._cors = cors
        self._plans: dict[Kind, Plan] = {}

    def dress(
        self, environ: WSGIEnvironment, exchange: Exchange, status: int, headers: Any
    ) -> tuple[list[Any], tuple[Header, ...], str | None, tuple[Header, ...], Any]:
        """Tell what completes the headers of an answer; those of the app win, whatever their case.

        :param headers: as the app gives them.
        :return: them in a new list, what comes behind them, the request id unless the app gave
            one, what comes behind that; and the length that the app announced. The second and
            the fourth are the same objects for all answers of a kind.
        """
        policy, unchanged = environ.get("carboy.policy"), status == _NOT_MODIFIED
        kind: Kind
        if len(headers) == 2:  # noqa: PLR2004 - what most have, and cheaper to take apart
            kind = policy, exchange.scheme, unchanged, headers[0][0], headers[1][0]
        else:
            kind = policy, exchange.scheme, unchanged, *map(_names, headers)
        plan = self._plans.get(kind) or self._remembered(kind)
        given = [*headers]
        if plan.varying:
            vary_on_origin(given)
        behind = plan.last
        if plan.shared is not None:
            origin = environ.get("HTTP_ORIGIN")
            if origin is not None:
                behind = plan.behind.get(origin) or self._behind(plan, origin)
        named = None if plan.named else exchange.request_id
        at = plan.length_at
        return given, plan.security, named, behind, None if at is None else headers[at][1]

    def _behind(self, plan: Plan, origin: str) -> tuple[Header, ...]:
        """Give what comes last in an answer to *origin*."""
        behind = plan.last
        if self._cors is not None and self._cors.allows(origin):
            allowed = ("Access-Control-Allow-Origin", self._cors.shown(origin))
            behind = (*behind, allowed, *(plan.shared or ()))
            # A pattern may allow any number of origins.
            if len(plan.behind) < _KINDS_MAX:
                plan.behind[origin] = behind
        return behind

    def _remembered(self, kind: Kind) -> Plan:
        plan = self.plan(kind)
        # Names may come from anywhere, so there may be any number of combinations.
        if len(self._plans) < _KINDS_MAX:
            self._plans[kind] = plan
        return plan

    def plan(self, kind: Kind) -> Plan:
        """Work out what an answer of this kind gets."""
        policy, scheme, unchanged, *names = kind
        given = {name.lower(): place for place, name in enumerate(names)}
        cors = self._cors
        return Plan(
            security=self._security.choose(policy, scheme, given, unchanged=unchanged),
            length_at=given.get("content-length"),
            named="x-request-id" in given,
            last=(("Vary", "Origin"),) if cors is not None and "vary" not in given else (),
            varying=cors is not None and "vary" in given,
            shared=None if cors is None else cors.shared(given),
        )


def vary_on_origin(headers: list[Any]) -> None:
    """Say in a ``Vary`` that is there that the answer depends on the origin, too."""
    places = [place for place, (name, _) in enumerate(headers) if name.lower() == "vary"]
    values = [headers[place][1] for place in places]
    known = {name.strip().lower() for value in values for name in value.split(",")}
    if known.isdisjoint({"origin", "*"}):
        place = places[0]
        headers[place] = (headers[place][0], f"{headers[place][1]}, Origin".removeprefix(", "))
