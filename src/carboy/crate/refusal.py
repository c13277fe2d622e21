"""What the crate answers when it does not let a request through."""

from __future__ import annotations

import json
from http import HTTPStatus
from wsgiref.types import WSGIEnvironment

from carboy.errors import ApiError

_LINES = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}
_SERVER_ERROR = 500


def status_line(status: int) -> str:
    """Write status and reason phrase as WSGI wants them."""
    return _LINES.get(status) or f"{status} Unassigned"


def plain_json(error: ApiError, environ: WSGIEnvironment) -> tuple[bytes, str]:
    """Render a refusal as JSend, for an app that has no envelope of its own.

    :return: body and content type.
    """
    del environ
    said: dict[str, object] = {"message": error.message, "code": error.code}
    if error.status >= _SERVER_ERROR:
        said = {"status": "error", **said}
    else:
        said = {"status": "fail", **said, "data": error.data}
    return json.dumps(said, default=str).encode(), "application/json"
