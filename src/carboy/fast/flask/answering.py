"""From what a view returned to what is sent."""

from __future__ import annotations

from typing import Any, Final

from flask import Response
from flask.globals import _cv_request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.utils import get_content_type

from carboy.fast.flask import hooks
from carboy.fast.flask.json_bytes import body_of, manner_of
from carboy.fast.flask.plan import Plan
from carboy.fast.flask.response import LINES, Written, plain, status_line

__all__ = ["answer_of"]

_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json"
_OK: Final = 200
_SHORT: Final = frozenset({204, 304})
_DATA: Final = frozenset({dict, list})


_get_request: Final = _cv_request.get
_Response: Final = Response
_NOT_FOUND: Final = NotFound().get_body().encode()


def answer_of(app: Any, plan: Plan, context: Any, value: Any) -> Any:
    """Do what :meth:`flask.Flask.finalize_request` does.

    :return: a response; or status, headers and body, when nobody has to see one.
    """
    kind = type(value)
    headers = None
    body: bytes | None
    more: Any = ()
    if isinstance(value, Written):
        body, code, content_type, more = value.body, value.code, value.content_type, value.headers
    elif not plan.direct:
        return hooks.after(app, plan, context, app.make_response(value))
    elif kind is _Response:
        return hooks.after(app, plan, context, value)
    else:
        data, code, headers = (value, _OK, None) if kind is dict or kind is list else _parts(value)
        body, content_type = _written(plan, data)
    # Last, since what writes a value may be the project's own.
    seen = (
        plan.after
        or plan.finished
        or context.after
        or context.opened is not None
        or _get_request() is not context
    )
    if body is None:
        response = app.make_response(value) if seen else _made(app, context.environ, value)
        if type(response) is tuple:
            return response
    elif not seen and headers is None and code >= _OK and code not in _SHORT:
        return (
            LINES.get(code) or status_line(code),
            [("Content-Type", content_type), ("Content-Length", str(len(body))), *more],
            [] if context.environ["REQUEST_METHOD"] == "HEAD" else [body],
        )
    else:
        response = plain(body, code, content_type)
        if more:
            response.headers.extend(more)
        if headers:
            response.headers.update(headers)
    return hooks.after(app, plan, context, response)


def _parts(value: Any) -> tuple[Any, int, Any]:
    """Take apart the plainest of the tuples that a view may return."""
    if type(value) is tuple:
        if len(value) == 2 and type(value[1]) is int:  # noqa: PLR2004 - as Flask counts
            return value[0], value[1], None
        if len(value) == 3 and type(value[1]) is int and type(value[0]) in _DATA:  # noqa: PLR2004
            return value
    return value, _OK, None


def _written(plan: Plan, data: Any) -> tuple[bytes | None, Any]:
    """Write a body of the plainest types."""
    kind = type(data)
    if kind is dict or kind is list:
        manner = manner_of(plan.json)
        content_type = manner.mimetype
        if content_type != _JSON:
            content_type = get_content_type(content_type, "utf-8")
        return body_of(plan.json, manner, data), content_type
    if kind is str:
        return data.encode(), _HTML
    return (data if kind is bytes else None), _HTML


def _made(app: Any, environ: Any, value: Any) -> Any:
    """Make the response of anything else, when nothing but the server will see it."""
    if (
        isinstance(value, HTTPException)
        and app.error_response is None
        and value.response is None
        and type(value).__module__ == HTTPException.__module__
    ):
        if type(value) is NotFound and "description" not in vars(value):
            return (
                "404 NOT FOUND",
                [("Content-Type", _HTML), ("Content-Length", str(len(_NOT_FOUND)))],
                [] if environ["REQUEST_METHOD"] == "HEAD" else [_NOT_FOUND],
            )
        return value.get_response(environ)
    return app.make_response(value)
