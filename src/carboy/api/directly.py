"""What the lane calls in the place of an endpoint, since nobody between looks at a response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from carboy.api.answers import written
from carboy.api.parsing import read_all
from carboy.fast.flask.context import current
from carboy.fast.flask.response import Written, own_direct

__all__ = ["called_directly"]

_OK: Final = 200
_DATA: Final = frozenset({dict, list})


def called_directly(endpoint: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make what gives :class:`Written` where *function* gives a response.

    :param endpoint: the :class:`carboy.api.endpoint.Endpoint`, to which more may be added later.
    :param function: its function, for whatever has guards.
    """
    readings, guards, respond = endpoint.readings, endpoint.guards, endpoint.respond
    view = own_direct(endpoint.view)

    def direct(*args: Any, **kwargs: Any) -> Any:
        if guards:
            return function(*args, **kwargs)
        if readings:
            kwargs.update(read_all(readings, current().request))
        value = view(*args, **kwargs) if args or kwargs else view()
        if isinstance(value, Written):
            return value
        if endpoint.output is None and type(value) in _DATA:
            return written(value, _OK)
        return respond(value, written)

    return direct
