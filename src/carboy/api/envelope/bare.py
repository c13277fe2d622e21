"""The data itself, and errors as problem details."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from carboy.api.envelope.protocol import status_sent
from carboy.errors import ApiError
from carboy.logs import current_ids

_PHRASES = {int(status): status.phrase for status in HTTPStatus}
_NO_TYPE = "about:blank"


class Bare:
    """No envelope: a success is its data, an error is a problem (RFC 9457).

    Beyond the members of the standard, a problem has the ``code`` of the error and, where
    the error has data, ``errors``: each field with the list of what is wrong with it.
    ``instance`` is the path of the request with the request's id as its fragment.

    :param types: what the ``type`` of a problem begins with, such as
        ``https://example.com/problems/``; the error's code follows. By default the type is
        ``about:blank``, which says that the status tells all there is to tell.
    """

    media_type = "application/json"
    error_media_type = "application/problem+json"

    def __init__(self, *, types: str = "") -> None:
        self._types = types

    def success(self, data: Any, status: int) -> Any:  # noqa: ARG002 - the protocol's
        """Leave the *data* of a success as it is."""
        return data

    def error(self, error: ApiError) -> dict[str, Any]:
        """Make the problem of an error (RFC 9457, section 3.1)."""
        sent = status_sent(self, error.status)
        problem: dict[str, Any] = {
            "type": self._types + error.code if self._types else _NO_TYPE,
            "title": self._title(error, sent),
            "status": sent,
            "detail": error.message,
            "code": error.code,
        }
        instance = _instance()
        if instance:
            problem["instance"] = instance
        if error.data is not None:
            problem["errors"] = error.data
        return problem

    def success_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe :meth:`success`: the *schema* of the data."""
        return schema

    def error_schema(self, status: int) -> dict[str, Any]:  # noqa: ARG002 - the protocol's
        """Describe :meth:`error`, which looks the same for every status."""
        text = {"type": "string"}
        kind = {"type": "string", "format": "uri"}
        if not self._types:
            kind["const"] = _NO_TYPE
        return {
            "title": "Problem",
            "type": "object",
            "required": ["type", "title", "status", "detail", "code"],
            "properties": {
                "type": kind,
                "title": text,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": text,
                "instance": {
                    "type": "string",
                    "format": "uri-reference",
                    "description": "Path of the request, and its id as the fragment.",
                },
                "code": text,
                "errors": {
                    "type": "object",
                    "description": "Each field with the list of what is wrong with it.",
                },
            },
        }

    def _title(self, error: ApiError, status: int) -> str:
        """Name the kind of problem: the same words at every occurrence."""
        if self._types:
            return type(error).message.removesuffix(".")
        # RFC 9457, section 4.2.1: with about:blank, the phrase of the status
        return _PHRASES.get(status, "Error")


def _instance() -> str:
    # The crate renders refusals where Flask knows no request; both floors know the ids.
    exchange = current_ids.get()
    path = getattr(exchange, "path", "")
    if exchange is None or not path:
        return ""
    # Two slashes at the beginning would name a host (RFC 3986, section 4.2).
    return f"/{quote(path.lstrip('/'))}#{exchange.request_id}"
