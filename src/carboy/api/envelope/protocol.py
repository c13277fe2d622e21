"""The shape of an envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from carboy.errors import ApiError

_AS_THEY_ARE: Mapping[int, int] = {}


@runtime_checkable
class Envelope(Protocol):
    """How an app or a blueprint wraps its answers; any object of this shape will do.

    It may have one more attribute, ``statuses``: a mapping from the HTTP status of an error
    to the one that is sent for it, such as ``{422: 400}``.

    :ivar media_type: content type of successes.
    :ivar error_media_type: content type of errors.
    """

    media_type: str
    error_media_type: str

    def success(self, data: Any, status: int) -> Any:
        """Wrap the *data* of a success; the result is written as JSON."""
        ...

    def error(self, error: ApiError) -> Any:
        """Make the body of an error; the result is written as JSON."""
        ...

    def success_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe :meth:`success` as JSON Schema, given the *schema* of the data."""
        ...

    def error_schema(self, status: int) -> dict[str, Any]:
        """Describe :meth:`error` as JSON Schema for one HTTP *status*, that of the error.

        400 stands for every failure of the caller and 500 for every failure of ours that
        the OpenAPI document does not list one by one.
        """
        ...


def status_sent(envelope: Envelope, status: int) -> int:
    """Tell the HTTP status *envelope* sends for an error of *status*."""
    statuses: Mapping[int, int] = getattr(envelope, "statuses", _AS_THEY_ARE)
    return statuses.get(status, status)
