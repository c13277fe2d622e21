"""Flask's JSON, written straight to bytes."""

from __future__ import annotations

from typing import Any

from flask.json.provider import DefaultJSONProvider
from werkzeug.utils import get_content_type

from carboy.fast.flask.context import RequestContext, current
from carboy.fast.flask.json_bytes import SET, Manner, body_of, manner_of, value_of
from carboy.fast.flask.response import plain
from carboy.fast.flask.watch import Methods

__all__ = ["METHODS", "JSONProvider"]


class JSONProvider(DefaultJSONProvider):
    """A :class:`~flask.json.provider.DefaultJSONProvider` that writes and reads the same, faster.

    orjson writes what it writes in the same bytes; anything else the standard library's own
    encoder does, which is kept instead of being made anew for each answer. orjson reads, save
    where it would read a number differently; what it refuses the standard library reads, or says
    what is wrong with it.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        vars(self)[SET] = object()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        vars(self)[SET] = object()

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """See :meth:`flask.json.provider.DefaultJSONProvider.response`."""
        context = current()
        if (
            type(context) is RequestContext
            and context.app.json is self
            and self._app == context.app
        ):
            # Nobody looks after a class that is derived from this one.
            manner = manner_of(self) if type(self) is JSONProvider else Manner(self)
            body = body_of(self, manner, self._prepare_response_obj(args, kwargs))
            if body is not None:
                return plain(body, 200, get_content_type(self.mimetype, "utf-8"))
        return super().response(*args, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """See :meth:`flask.json.provider.DefaultJSONProvider.loads`."""
        if not kwargs and type(s) is bytes and type(current()) is RequestContext:
            try:
                return value_of(s)
            except ValueError:
                pass
        return super().loads(s, **kwargs)


METHODS = Methods(JSONProvider, "dumps", "loads", "response")
"""Those that the lane goes past while they are as they were defined."""
