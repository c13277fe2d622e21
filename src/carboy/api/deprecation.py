"""Telling callers that an endpoint will go, and when."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, after_this_request, current_app
from werkzeug.http import http_date

from carboy.api.operation import declare_apart

__all__ = ["Deprecation", "deprecated"]

View = TypeVar("View", bound=Callable[..., Any])
# RFC 8288, section 3: a target stands between angle brackets; RFC 3986 has no others.
_TARGET = re.compile(r"[!#-;=?-\[\]_a-z~]+").fullmatch
_MEANINGS = {
    "Deprecation": "Since when this is deprecated, in seconds since 1970 (RFC 9745).",
    "Sunset": "When this stops answering (RFC 8594).",
    "Link": "Where to read more (RFC 8288).",
}


@dataclass(frozen=True)
class Deprecation:
    """Since when something is deprecated, and what else is known; made by :func:`deprecated`.

    Used as a decorator it marks a view. Given to a blueprint, as ``deprecation=``, it marks
    every view on it and on those nested in it.

    :ivar headers: response header → value.
    """

    headers: tuple[tuple[str, str], ...]

    def __call__(self, view: View) -> View:
        """Mark one view: every answer it leads to says so, errors included."""
        if inspect.iscoroutinefunction(view):

            @wraps(view)
            def marked(*args: Any, **kwargs: Any) -> Any:
                after_this_request(self.mark)
                return current_app.ensure_sync(view)(*args, **kwargs)
        else:

            @wraps(view)
            def marked(*args: Any, **kwargs: Any) -> Any:
                after_this_request(self.mark)
                return view(*args, **kwargs)

        declare_apart(marked).deprecation = self
        return cast("View", marked)

    def mark(self, response: Response) -> Response:
        """Add the headers to *response*, unless it is marked already."""
        if "Deprecation" not in response.headers:
            for name, value in self.headers:
                response.headers.add(name, value)
        return response

    def described(self, *, required: bool) -> dict[str, Any]:
        """Describe the headers as OpenAPI header objects.

        :param required: whether they are on every answer that is described so.
        """
        return {
            name: {
                "description": _MEANINGS[name],
                "schema": {"type": "string"},
                **({"required": True} if required else {}),
            }
            for name in dict.fromkeys(name for name, _ in self.headers)
        }


def deprecated(
    *,
    since: dt.date,
    sunset: dt.date | None = None,
    link: str = "",
    sunset_link: str = "",
) -> Deprecation:
    """Say that a view, or a whole blueprint, will go.

    Its answers carry ``Deprecation`` (RFC 9745), ``Sunset`` (RFC 8594) and ``Link``, and the
    OpenAPI document says so. Place it directly below the route::

        @api.get("/old")
        @deprecated(since=date(2026, 1, 1), sunset=date(2027, 1, 1))
        def old(): ...

        v1 = Blueprint("v1", __name__, deprecation=deprecated(since=date(2026, 1, 1)))

    :param since: a date (midnight UTC) or an aware datetime; one to come announces it.
    :param sunset: when it stops answering.
    :param link: address of a page about the deprecation.
    :param sunset_link: address of a page about what happens at the sunset.
    :raises ValueError: for a datetime without a zone, a sunset before *since*, or an address
        that no header can carry.
    """
    begin = _moment("since", since)
    headers = [("Deprecation", f"@{int(begin.timestamp())}")]
    if sunset is not None:
        end = _moment("sunset", sunset)
        if end < begin:  # RFC 9745, section 4
            raise ValueError(f"The sunset {end} is before the deprecation {begin}.")
        headers.append(("Sunset", http_date(end)))
    for relation, target in (("deprecation", link), ("sunset", sunset_link)):
        if target:
            if not _TARGET(target):
                raise ValueError(f"{target!r} is no address; percent-encode what is not ASCII.")
            headers.append(("Link", f'<{target}>; rel="{relation}"'))
    return Deprecation(tuple(headers))


def _moment(name: str, given: dt.date) -> dt.datetime:
    if not isinstance(given, dt.datetime):
        return dt.datetime.combine(given, dt.time(), dt.UTC)
    if given.tzinfo is None:
        raise ValueError(f"{name}={given} has no time zone; add tzinfo=datetime.UTC.")
    return given
