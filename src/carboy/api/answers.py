"""From what a view returned or raised to a response in the envelope that applies."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, current_app
from flask.globals import _cv_request
from werkzeug.exceptions import BadRequestKeyError

from carboy.api.envelope import Bare, JSend, status_sent
from carboy.errors import ApiError, for_status
from carboy.fast.flask.context import RequestContext, current
from carboy.fast.flask.response import Written, bodiless, make
from carboy.fast.json import dumps

__all__ = [
    "BODILESS",
    "answer",
    "as_api_error",
    "empty",
    "envelope_in_use",
    "is_ordinary",
    "render",
    "succeed",
    "written",
]

BODILESS: Final = frozenset({204, 205, 304})  # RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5
_OK: Final = 200
_ERRORS_FROM, _ERRORS_BELOW = 400, 600
_get_request: Final = _cv_request.get
_RequestContext: Final = RequestContext
_EXTENSION: Final = "carboy.envelope"
_AROUND: Final = "carboy.blueprints"  # endpoint → blueprints around it
_DEFAULT: Final = JSend()
_OURS: Final = frozenset({JSend, Bare})


def envelope_in_use() -> Any:
    """Find the envelope of the request: the innermost blueprint's that has one, or the app's."""
    context: Any = _get_request(None)
    if context is None:
        return current_app.extensions.get(_EXTENSION, _DEFAULT)
    known = context.app.extensions
    # The lane's own context tells the rule without making the request.
    route = context.route if type(context) is _RequestContext and context.made is None else None
    rule = context.request.url_rule if route is None else route.rule
    if rule is not None and "." in rule.endpoint:
        around = known.get(_AROUND)
        blueprints = None if around is None else around.get(rule.endpoint)
        if blueprints is None:
            blueprints = _around(context.app, rule.endpoint)
        for blueprint in blueprints:
            found = getattr(blueprint, "envelope", None)
            if found is not None:
                return found
    return known.get(_EXTENSION, _DEFAULT)


def _around(app: Any, endpoint: str) -> tuple[Any, ...]:
    """Find the blueprints around an endpoint, innermost first, and remember them."""
    path = endpoint.rpartition(".")[0].split(".")
    names = [".".join(path[:length]) for length in range(len(path), 0, -1)]
    found = tuple(app.blueprints[name] for name in names if name in app.blueprints)
    if len(found) == len(names):
        app.extensions.setdefault(_AROUND, {})[endpoint] = found
    return found


def is_ordinary() -> bool:
    """Tell whether no code of the project's takes part in wrapping an answer."""
    context = current()
    return type(envelope_in_use()) in _OURS and context.app.response_class is Response


def succeed(data: Any, status: Any, headers: Any = None) -> Response:
    """Answer with *data* in the envelope; without a body where *status* allows none.

    :param headers: what Flask takes: a mapping, a list of pairs, or ``None``.
    """
    if status in BODILESS:
        return empty(status, headers)
    envelope = envelope_in_use()
    body = dumps(envelope.success(data, status))
    response = make(body, status, envelope.media_type)
    if headers:
        response.headers.update(headers)
    return response


def written(data: Any, status: Any, headers: Any = None) -> Response | Written:
    """Answer as :func:`succeed` does, to somebody who needs no response."""
    if headers or status in BODILESS or status < _OK:
        return succeed(data, status, headers)
    envelope = envelope_in_use()
    body = dumps(envelope.success(data, status))
    return Written(body, status, envelope.media_type)


def empty(status: Any, headers: Any = None) -> Response:
    """Answer without a body, and without the type of one.

    :param headers: as for :func:`succeed`.
    """
    response = bodiless(status)
    if headers:
        response.headers.update(headers)
    return response


def render(error: ApiError, envelope: Any) -> tuple[bytes, Any]:
    """Write the body of an error.

    :return: the body and its content type.
    """
    return dumps(envelope.error(error)), envelope.error_media_type


def answer(error: Any, envelope: Any = None) -> Response:
    """Make the response of an error: its status, its headers, its body in the envelope.

    :param envelope: by default that of the request at hand; it may send another status.
    """
    envelope = envelope or envelope_in_use()
    body, content_type = render(error, envelope)
    status: Any = status_sent(envelope, error.status)
    response = make(body, status, content_type)
    if error.headers:
        response.headers.update(error.headers)
    return response


def as_api_error(exception: Any) -> ApiError | None:
    """Translate an exception of Werkzeug, such as a 404 of the router or an ``abort``.

    The status stays, and so do headers that belong to it (``Allow``, ``Retry-After``,
    ``WWW-Authenticate`` …). The message is the description where the developer gave
    one, a sentence of ours otherwise.

    :return: ``None`` if the exception is not an error, as a redirect, or brings a response
        of its own: hand it to Flask as it is.
    """
    status = exception.code
    if exception.response is not None or status is None:
        return None
    if not _ERRORS_FROM <= status < _ERRORS_BELOW:
        return None
    return for_status(status, _given_description(exception), headers=_headers_of(exception))


def _given_description(exception: Any) -> Any:
    # The description of a missing key names it in debug mode only, and is Werkzeug's anyway.
    if isinstance(exception, BadRequestKeyError):
        return None
    given = vars(exception).get("description")
    if given is None:
        kind = type(exception)
        return None if kind.__module__.startswith("werkzeug.") else kind.description
    return str(given)


def _headers_of(exception: Any) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    for name, value in exception.get_headers():
        if name.lower() != "content-type":
            # Repeated fields are one list (RFC 9110, section 5.3).
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
