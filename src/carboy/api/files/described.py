"""Telling the OpenAPI document about a download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from carboy.api.operation import declare

__all__ = ["downloads"]

View = TypeVar("View", bound=Callable[..., Any])
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_HEADERS = {
    "ETag": {"description": "Changes with the content.", **_TEXT},
    "Last-Modified": {"description": "When the content last changed.", **_TEXT},
    "Cache-Control": {"description": "How long it may be kept.", **_TEXT},
}
_OF_BODY = {
    **_HEADERS,
    "Accept-Ranges": {"description": "bytes: parts may be asked for.", **_TEXT},
    "Content-Disposition": {"description": "What it is called; whether it is shown.", **_TEXT},
}
_RANGE = {"Content-Range": {"description": "Which part this is.", **_TEXT}}
_ASKED = {
    "Range": "Which part to send, such as bytes=0-1023.",
    "If-Range": "Send the part only if the file still has this ETag or date, else all of it.",
    "If-None-Match": "Send the file only if it has another ETag.",
    "If-Modified-Since": "Send the file only if it changed after this date.",
}


def downloads(*types: str, links: bool = False) -> Callable[[View], View]:
    """Say that a view answers with a file; nothing changes in what it does.

    Place it below the route of a view that returns :func:`send` or :func:`send_confined`.

    :param types: content types it may have; any, if left out.
    :param links: the answer may be a redirect to the bucket.
    """
    content: dict[str, Any] = {one: {} for one in types or ("*/*",)}

    def decorate(view: View) -> View:
        operation = declare(view)
        operation.answers |= {
            200: {"description": "The file", "headers": _OF_BODY, "content": content},
            206: {"description": "A part of it", "headers": _OF_BODY | _RANGE, "content": content},
            304: {"description": "The caller has it already", "headers": _HEADERS},
        }
        if links:
            location = {"description": "Where the file is, for a short time.", **_TEXT}
            operation.answers[302] = {
                "description": "The file is elsewhere",
                "headers": {"Location": location},
            }
        operation.errors.setdefault(404, "There is no such file")
        operation.errors.setdefault(412, "The file is not the one that is expected")
        operation.errors.setdefault(416, "The range lies outside of the file")
        operation.parameters += [
            {
                "name": name,
                "in": "header",
                "required": False,
                "description": meaning,
                "schema": {"type": "string"},
            }
            for name, meaning in _ASKED.items()
        ]
        return view

    return decorate
