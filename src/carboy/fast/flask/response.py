"""Responses made and sent without what Werkzeug does for every other case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, cast

from flask import Response, current_app
from flask.globals import _cv_request
from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES

from carboy.fast.flask.context import RequestContext

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = [
    "DIRECT",
    "LINES",
    "Written",
    "bodiless",
    "make",
    "own_direct",
    "plain",
    "response_of",
    "send",
    "status_line",
]

_new: Final = object.__new__
_ATTRIBUTES: Final = 6
"""How many a response has whose making and sending nobody has interfered with."""
_OK: Final = 200
_SHORT: Final = frozenset({204, 304})
_USUAL: Final = ("Content-Type", "Content-Length")
_LOCATIONS: Final = frozenset({"location", "content-location"})
LINES: Final = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9_.~-][A-Za-z0-9_.~/-]*)?")


DIRECT: Final = "__carboy_direct__"
"""Attribute of a view function: itself, and what the lane calls in its place.

That may give :class:`Written`, since between it and the lane nobody expects a response. A function
that has only copied the attribute, as decorators do, is not meant.
"""


def own_direct(view: Any) -> Any:
    """Find what is called in the place of *view*: itself, unless it says otherwise."""
    found = getattr(view, DIRECT, None)
    return found[1] if type(found) is tuple and found[0] is view else view


class Written:
    """An answer that needs no response unless somebody wants to see one."""

    def __init__(
        self, body: bytes, code: Any, content_type: Any, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.body = body
        self.code = code
        self.content_type = content_type
        self.headers = headers


def status_line(code: Any) -> str:
    """Write a status as Werkzeug does, such as ``404 NOT FOUND``."""
    return LINES.get(code) or f"{code} UNKNOWN"


def plain(body: bytes, code: Any, content_type: Any) -> Response:
    """Make what ``flask.Response(body, code, content_type=content_type)`` makes."""
    headers = _new(Headers)
    headers._list = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    response: Any = _new(Response)
    response.headers = headers
    response._status = status_line(code)
    response._status_code = code
    response.direct_passthrough = False
    response._on_close = []
    response.response = [body]
    return cast("Response", response)


def make(body: bytes, code: Any, content_type: Any) -> Response:
    """Make a response of the app's class, the quicker way where that is Flask's."""
    context = _cv_request.get(None)
    if type(context) is RequestContext:
        return plain(body, code, content_type)
    return current_app.response_class(body, code, content_type=content_type)


def response_of(written: Written) -> Response:
    """Make the response of an answer that somebody wants to see after all."""
    response = make(written.body, written.code, written.content_type)
    response.headers.extend(written.headers)
    return response


def bodiless(code: Any) -> Response:
    """Make a response of the app's class that has neither a body nor the type of one."""
    response = current_app.response_class(status=code)
    response.headers.pop("Content-Type", None)
    return response


def send(
    response: Any, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes] | None:
    """Do what calling *response* does.

    :return: what to send; ``None``: the list that is the response's own body.
    """
    kind = type(response)  # looked at by name: what is tested itself is held to its annotations
    if kind is not Response or len(response.__dict__) != _ATTRIBUTES:
        return _called(response, environ, start_response)
    body = response.response
    headers = response.headers
    held = type(headers)
    if (
        type(body) is not list
        or response._on_close
        or len(body) != 1
        or type(body[0]) is not bytes
        or held is not Headers
        or response.direct_passthrough
        or response._status_code < _OK
        or response._status_code in _SHORT
        or environ["REQUEST_METHOD"] == "HEAD"
    ):
        return _called(response, environ, start_response)
    listed = headers._list
    # As they were made: nothing of them has to be looked at.
    length = len(listed) == len(_USUAL) and (listed[0][0], listed[1][0]) == _USUAL
    for name, value in () if length else listed:
        lower = name.lower()
        if lower == "content-length":
            length = True
        elif lower in _LOCATIONS and not (name == "Location" and _is_sent(response, value)):
            return _called(response, environ, start_response)
    sent = listed.copy()
    if not length:
        sent.append(("Content-Length", str(len(body[0]))))
    start_response(response._status, sent)
    return None


def _is_sent(response: Any, location: Any) -> bool:
    """Tell whether a location is sent as it is: a path that has nothing to be quoted."""
    return (
        _PATH.fullmatch(location) is not None
        and not response.autocorrect_location_header
        and len(response.headers.getlist("Location")) == 1
    )


def _called(
    response: Any, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    return cast("Iterable[bytes]", response(environ, start_response))
