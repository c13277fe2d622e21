"""From the method of a request to its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from flask.views import MethodView

from carboy.fast.flask.context import current

__all__ = ["dispatching"]


def dispatching(methods: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Make what a :class:`MethodView` does to find one of *methods*, with one look at the request.

    :return: nothing, if any of them is a coroutine, which Flask knows how to run.
    """
    if any(map(iscoroutinefunction, methods.values())):
        return {}
    known = {word.upper(): function for word, function in methods.items()}
    if "GET" in known:
        known["HEAD"] = known["GET"]

    def dispatch_request(self: MethodView, **given: Any) -> Any:
        return known[current().request.method](self, **given)

    return {"dispatch_request": dispatch_request}
