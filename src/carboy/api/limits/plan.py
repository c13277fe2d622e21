"""Which limits hold for a view, worked out once."""

from __future__ import annotations

from typing import NamedTuple, cast

from flask import Flask

from carboy.api.limits.declaration import Limit, WhenDown
from carboy.api.limits.identity import By, whose
from carboy.api.limits.rates import Rate
from carboy.api.operation import operation_of
from carboy.backing.counters import Window

__all__ = ["EXTENSION", "Plan", "Policy", "plan_of"]

EXTENSION = "carboy.limits"
_DEFAULT = "default"


class Policy(NamedTuple):
    """One rate that holds for a view; *name* is what its counter and headers are called."""

    name: str
    rate: Rate
    by: By
    key: str

    def window(self) -> Window:
        """Find the counter of the request at hand."""
        return Window(self.key + whose(self.by), *self.rate)


class Plan(NamedTuple):
    """All that holds for one view and method.

    :ivar described: value of the ``RateLimit-Policy`` header.
    """

    policies: tuple[Policy, ...]
    when_down: WhenDown
    described: str


def plan_of(app: Flask, endpoint: str | None, method: str) -> Plan | None:
    """Collect the limits of a view: its own, or its innermost blueprint's, or the app's.

    :param endpoint: ``None`` where nothing is; then the app's hold.
    :return: ``None`` if there are none.
    """
    name, limits = _found(app, endpoint, "get" if method == "HEAD" else method.lower())
    if not limits:
        return None
    policies: list[Policy] = []
    for limit in limits:
        for rate in limit.rates:
            taken = {policy.name for policy in policies}
            called = base = limit.name or name
            number = 2
            while called in taken:
                called = f"{base}-{number}"
                number += 1
            key = f"limit:{called}:{rate.quota}/{rate.length_s}:"
            policies.append(Policy(called, rate, limit.by, key))
    return Plan(
        tuple(policies),
        "refuse" if any(limit.when_down == "refuse" for limit in limits) else "allow",
        ", ".join(f'"{one.name}";q={one.rate.quota};w={one.rate.length_s}' for one in policies),
    )


def _found(app: Flask, endpoint: str | None, method: str) -> tuple[str, tuple[Limit, ...]]:
    default: Limit | None = getattr(app.extensions.get(EXTENSION), "default", None)
    of_app = (default,) if default is not None else ()
    if endpoint is None:
        return _DEFAULT, of_app
    view = app.view_functions.get(endpoint)
    part = getattr(getattr(view, "view_class", None), method, None)
    for function, name in ((part, f"{endpoint}.{method}"), (view, endpoint)):
        operation = operation_of(function) if function is not None else None
        if operation is not None and operation.limits is not None:
            return name, operation.limits
    if endpoint.rpartition(".")[2] == "static":
        return _DEFAULT, ()  # one page asks for many files
    outer = endpoint
    while "." in outer:
        outer = outer.rpartition(".")[0]
        limit = getattr(app.blueprints.get(outer), "limit", None)
        if limit is not None:
            return outer, (cast("Limit", limit),)
    return _DEFAULT, of_app
