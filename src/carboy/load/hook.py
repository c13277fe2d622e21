"""What stands between a request and Locust's figures: its route, its record, why it failed.

Imports Locust, and so only ``driver`` imports it.
"""

# Locust's hooks have no types.
# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

from locust.event import EventHook
from locust.exception import CatchResponseError, ResponseError

from carboy.load.recorder import Recorder
from carboy.load.routes import RouteNames

_ERROR_LENGTH_MAX = 200
_CLIENT_ERROR = 400


class Failure(ResponseError):
    """Why a request failed, as Locust counts and shows it: by its text, so without a URL."""

    def __repr__(self) -> str:
        return str(self)


class Requests(EventHook):
    """Stands before Locust's own hook: names each request by its route and records it.

    :param passed_on_to: Locust's hook, with whoever listens to it.
    """

    def __init__(self, passed_on_to: EventHook, names: RouteNames, recorder: Recorder) -> None:
        self._hook = passed_on_to
        self._names = names
        self._recorder = recorder

    def add_listener(self, handler: Any) -> Any:
        """See :class:`locust.event.EventHook`."""
        return self._hook.add_listener(handler)

    def remove_listener(self, handler: Any) -> None:
        """See :class:`locust.event.EventHook`."""
        self._hook.remove_listener(handler)

    def fire(self, *, reverse: bool = False, **request: Any) -> None:
        """Tell of a request."""
        method, name = str(request["request_type"]), str(request["name"])
        url = str(request.get("url") or "")
        if url.endswith(name):  # else the locustfile has named it, and that stands
            name = self._names.of(url)
        request["name"] = name = self._recorder.named(method, name)
        error = None
        if request.get("exception"):
            error = reason(request["exception"], request.get("response"))
            request["exception"] = Failure(error)
        self._recorder.add(method, name, float(request.get("response_time") or 0.0), error)
        self._hook.fire(reverse=reverse, **request)


def reason(error: Any, response: Any) -> str:
    """Say in a few words why a request failed, the same words for the same reason."""
    if isinstance(error, CatchResponseError):
        return " ".join(str(error).split())[:_ERROR_LENGTH_MAX]
    status = getattr(response, "status_code", 0) or 0
    if status >= _CLIENT_ERROR:
        return f"HTTP {status}"
    root = error
    while root.__cause__ or root.__context__:
        root = root.__cause__ or root.__context__
    return type(root).__name__
