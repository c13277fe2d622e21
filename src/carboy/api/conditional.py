"""Conditional requests: entity tags, 304 on reads, 412 and 428 on writes.

An entity tag here is strong and made from the bytes of the answer: it changes exactly
when they do, whatever they come from (a row, its relatives, a setting, a release that
shows one more field), and costs one hash of what is written anyway.

Source: RFC 9110, sections 8.8.3 and 13; RFC 6585, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from hashlib import blake2b
from typing import Any, TypeVar, cast

from flask import Response, current_app, request

from carboy.api.answers import empty, envelope_in_use
from carboy.api.operation import declare_apart
from carboy.errors import ApiError, PreconditionFailed
from carboy.fast.flask.context import RequestContext, current
from carboy.fast.flask.response import Written, response_of
from carboy.fast.json import dumps

__all__ = [
    "PreconditionRequired",
    "answered",
    "check_preconditions",
    "conditional",
    "entity_tag",
    "revalidated",
    "tagged",
]

View = TypeVar("View", bound=Callable[..., Any])
_OK = 200
_SAFE = frozenset({"GET", "HEAD"})
# Stored answers may be used again after asking whether they still hold (RFC 9111, section 5.2.2).
_CACHE = "private, no-cache"
_OF_CONTENT = frozenset({"content-type", "content-length"})
_TAG = {"ETag": {"description": "Entity tag of the answer.", "schema": {"type": "string"}}}
_IF_NONE_MATCH = "Entity tags of answers the caller has: one that still holds is a 304."
_IF_MATCH = "Entity tags of what the caller read: nothing is done when it is another one by now."


class PreconditionRequired(ApiError):
    """The request must say which version it changes (RFC 6585, section 3)."""

    status = 428
    code = "precondition_required"
    message = "Send If-Match with the ETag of what you read."


def entity_tag(data: Any) -> str:
    """Make the tag that a read which answers *data* has, without quotes.

    For views that write: compare it with :func:`check_preconditions` before changing what
    was read under a lock.

    :param data: dumped, as the view that reads returns it.
    """
    return _tag(dumps(envelope_in_use().success(data, _OK)))


def check_preconditions(tag: str | None, *, required: bool = False) -> None:
    """Compare what the caller expects with what there is, before a write.

    Whoever calls holds a lock on what *tag* was made of, or the comparison is worth nothing.

    :param tag: of the present state, from :func:`entity_tag`; ``None``: there is nothing.
    :param required: refuse a request without ``If-Match``.
    :raises PreconditionFailed: if it is not as expected (412).
    :raises PreconditionRequired: if nothing is expected although it must be (428).
    """
    headers = request.headers
    if "If-Match" in headers:
        if tag is None or not request.if_match.contains(tag):
            raise PreconditionFailed
    elif required:
        raise PreconditionRequired
    # Behind If-Match (RFC 9110, section 13.2.2).
    if "If-None-Match" in headers and tag is not None and request.if_none_match.contains_weak(tag):
        raise PreconditionFailed


def expects_something() -> bool:
    """Tell whether the request depends on the present state."""
    context = current()
    # The lane's own context tells without making the request.
    environ = context.environ if type(context) is RequestContext else context.request.environ
    return "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ


def tagged(data: Any, status: int = _OK, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with *data* in the envelope, and with the tag that a read of it has.

    :param status: of a success with a body.
    :param headers: none of those that every answer has.
    """
    return response_of(_tagged(data, status, tuple((headers or {}).items())))


def answered(data: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response | Written:
    """Answer a read as :func:`tagged` and :func:`revalidated` do, without a response if possible.

    :param headers: none of those that every answer has.
    """
    written = _tagged(data, _OK, headers)
    return revalidated(response_of(written)) if expects_something() else written


def _tagged(data: Any, status: int, headers: tuple[tuple[str, str], ...]) -> Written:
    envelope = envelope_in_use()
    wrapped = envelope.success(data, status)
    body = read = dumps(wrapped)
    if status != _OK and (as_read := envelope.success(data, _OK)) != wrapped:
        read = dumps(as_read)
    labels = ("ETag", f'"{_tag(read)}"'), ("Cache-Control", _CACHE)
    return Written(body, status, envelope.media_type, headers + labels)


def revalidated(response: Response) -> Response:
    """Answer 304 to a caller who has what *response* holds already.

    For GET and HEAD; *response* has an ``ETag``.

    :raises PreconditionFailed: if ``If-Match`` names another state (412).
    """
    if not expects_something():
        return response
    tag, _ = response.get_etag()
    if tag is None:
        return response
    if "If-Match" in request.headers:
        if not request.if_match.contains(tag):
            raise PreconditionFailed
        return response
    if not request.if_none_match.contains_weak(tag):
        return response
    kept = [(name, value) for name, value in response.headers if name.lower() not in _OF_CONTENT]
    return empty(304, kept)


def conditional(view: View) -> View:
    """Give a view that reads an ``ETag``, and answer 304 to who has its answer already.

    Place it between the route and what it answers::

        @api.get("/orders/<int:order_id>")
        @conditional
        @api.output(OrderOut)
        def get_order(order_id): ...

    The tag is made from the answer; a view that sets one itself keeps it. Other answers than
    200, and streams, pass through.
    """

    @wraps(view)
    def revalidating(*args: Any, **kwargs: Any) -> Any:
        response = current_app.make_response(current_app.ensure_sync(view)(*args, **kwargs))
        if request.method not in _SAFE or response.status_code != _OK:
            return response
        if "ETag" not in response.headers:
            if response.is_streamed or response.direct_passthrough:
                return response
            _label(response, _tag(response.get_data()))
        return revalidated(response)

    describe_read(revalidating)
    return cast("View", revalidating)


def describe_read(view: Callable[..., Any]) -> None:
    """Tell the OpenAPI document that a view answers with a tag, and 304."""
    operation = declare_apart(view)
    operation.parameters.append(_header("If-None-Match", _IF_NONE_MATCH))
    described = {"304": {"description": "The caller has this already", "headers": _TAG}}
    if operation.output is None or operation.output.status == _OK:
        described["200"] = {"headers": _TAG}
    operation.extra["responses"] = {**operation.extra.get("responses", {}), **described}


def describe_write(view: Callable[..., Any], *, required: bool = False) -> None:
    """Tell the OpenAPI document that a view compares preconditions."""
    operation = declare_apart(view)
    operation.parameters.append(_header("If-Match", _IF_MATCH, required=required))
    operation.errors.setdefault(412, "It is not, or no longer, as the caller read it.")
    if required:
        operation.errors.setdefault(428, PreconditionRequired.message)


def _header(name: str, meaning: str, *, required: bool = False) -> dict[str, Any]:
    place = {"name": name, "in": "header", "required": required}
    return {**place, "description": meaning, "schema": {"type": "string"}}


def _label(response: Response, tag: str) -> None:
    response.set_etag(tag)
    response.headers.setdefault("Cache-Control", _CACHE)


def _tag(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()
