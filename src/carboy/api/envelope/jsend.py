"""The default envelope."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from carboy.errors import ApiError


class JSend:
    """The JSend envelope: ``success`` with data, ``fail`` of the caller, ``error`` of ours.

    Source: the JSend specification; beyond it, a ``fail`` has a ``message`` and a
    ``code`` too, so that a program can tell failures apart and a person can read them.
    """

    media_type = "application/json"
    error_media_type = "application/json"

    def success(self, data: Any, status: int) -> dict[str, Any]:  # noqa: ARG002 - the protocol's
        """Wrap the *data* of a success."""
        return {"status": "success", "data": data}

    def error(self, error: ApiError) -> dict[str, Any]:
        """Make the body of an error: a ``fail`` below 500, an ``error`` from there on.

        ``data`` is always there in a fail, and in an error where the error has some.
        """
        if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return {
                "status": "fail",
                "message": error.message,
                "code": error.code,
                "data": error.data,
            }
        body = {"status": "error", "message": error.message, "code": error.code}
        return body if error.data is None else {**body, "data": error.data}

    def success_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe :meth:`success`, given the *schema* of the data."""
        return _object(status={"const": "success"}, data=schema)

    def error_schema(self, status: int) -> dict[str, Any]:
        """Describe :meth:`error` for one HTTP *status*."""
        words: dict[str, Any] = {"message": {"type": "string"}, "code": {"type": "string"}}
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            described = _object(status={"const": "error"}, **words)
            described["properties"]["data"] = {"type": "object"}
            return described
        by_field: dict[str, Any] = {"type": ["object", "null"]}
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            by_field = {
                **by_field,
                "description": "Each field with the list of what is wrong with it.",
            }
        return _object(status={"const": "fail"}, **words, data=by_field)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
