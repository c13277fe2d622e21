"""From the method of a request to its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from flask.views import MethodView

from carboy.fast.flask.context import current
from carboy.fast.flask.response import DIRECT, own_direct

__all__ = ["directly", "dispatching"]

View = Callable[..., Any]


def dispatching(methods: Mapping[str, View]) -> dict[str, View]:
    """Make what a :class:`MethodView` does to find one of *methods*, with one look at the request.

    :return: nothing, if any of them is a coroutine, which Flask knows how to run.
    """
    if any(map(iscoroutinefunction, methods.values())):
        return {}
    known = _by_method(methods)

    def dispatch_request(self: MethodView, **given: Any) -> Any:
        return known[current().request.method](self, **given)

    return {"dispatch_request": dispatch_request}


def directly(view: View, methods: Mapping[str, View]) -> View:
    """Have the lane call one of *methods* in the place of *view*, without an object in between.

    Those that somebody has put something around are called by *view*, as ever.
    """
    direct_ways = {word: own_direct(function) for word, function in _by_method(methods).items()}
    known = {word: way for word, way in direct_ways.items() if way not in methods.values()}

    def direct(**given: Any) -> Any:
        function = known.get(current().method)
        return view(**given) if function is None else function(None, **given)

    if known:
        setattr(view, DIRECT, (view, direct))
    return view


def _by_method(methods: Mapping[str, View]) -> dict[str, View]:
    known = {word.upper(): function for word, function in methods.items()}
    if "GET" in known:
        known["HEAD"] = known["GET"]
    return known
