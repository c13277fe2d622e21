"""What a request brings, read in as few steps as its source has it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import flask
from flask.globals import _cv_app
from werkzeug.exceptions import ClientDisconnected

from carboy.fast.flask.json_bytes import OWN, value_of
from carboy.fast.flask.provider import JSONProvider

__all__ = ["as_much", "data_of", "exactly", "json_at_once", "json_of"]

_JSON: Final = "application/json"
_LENGTH_DIGITS: Final = 18
_get_app: Final = _cv_app.get
_JSONProvider: Final = JSONProvider
_genuine: Final = flask.Request
_LEFT: Final = object()


def data_of(request: Any, *, cache: Any, as_text: Any, parse_form_data: Any) -> Any:
    """Do what :meth:`werkzeug.wrappers.Request.get_data` does."""
    own: dict[str, Any] = request.__dict__
    environ: dict[str, Any] = own["environ"]
    announced: str | None = environ.get("CONTENT_LENGTH")
    if (
        as_text
        or parse_form_data
        or not cache
        or not announced
        or not announced.isdecimal()
        or not announced.isascii()
        or len(announced) > _LENGTH_DIGITS
        or "_cached_data" in own
        or "stream" in own
        or "wsgi.input_terminated" in environ
        or "HTTP_TRANSFER_ENCODING" in environ
        or own["shallow"]
        or not _fits(request, length := int(announced))
    ):
        return _genuine.get_data(request, cache, as_text, parse_form_data)
    data = exactly(environ["wsgi.input"], length)
    own["_cached_data"] = data
    own["_carboy_length"] = length
    return data


def _fits(request: Any, length: int) -> bool:
    """Tell whether a body of *length* bytes is within the limit, as far as one is known."""
    limit = request._max_content_length
    if limit is None:
        context: Any = _get_app(None)
        if context is None:
            return False
        limit = context.app.config["MAX_CONTENT_LENGTH"]
    return limit is None or length <= limit


def json_of(kind: Any, request: Any, *, force: Any, silent: Any, cache: Any) -> Any:
    """Do what :meth:`werkzeug.wrappers.Request.get_json` does.

    :param kind: the class of the lane's requests.
    """
    if cache and type(silent) is bool:
        value = _value(kind, request, force=force)
        if value is not _LEFT:
            return value
    return _genuine.get_json(request, force, silent, cache)


def json_at_once(kind: Any, request: Any) -> Any:
    """Give ``request.get_json()``, by fewer calls."""
    value = _value(kind, request, force=False)
    return request.get_json() if value is _LEFT else value


def _value(kind: Any, request: Any, *, force: Any) -> Any:
    """Read the JSON that was sent; :data:`_LEFT`: Werkzeug has to."""
    own: dict[str, Any] = request.__dict__
    provider = own.get("json_module")
    if (
        not OWN.untouched
        or type(request) is not kind
        or "get_json" in own
        or "get_data" in own
        or "_cached_json" in own
        or type(provider) is not _JSONProvider
        or "loads" in provider.__dict__
        or not (force or own["environ"].get("CONTENT_TYPE") == _JSON)
    ):
        return _LEFT
    data = data_of(request, cache=True, as_text=False, parse_form_data=False)
    try:
        value = value_of(data)
    except ValueError:
        return _LEFT
    own["_cached_json"] = (value, value)
    return value


def exactly(source: Any, length: int) -> bytes:
    """Read just *length* bytes.

    :param source: of whatever bytes: servers and tests differ.
    :raises ClientDisconnected: if there are fewer, as Werkzeug does.
    """
    data = as_much(source, length)
    if len(data) < length:
        raise ClientDisconnected
    return data


def as_much(source: Any, length: int) -> bytes:
    """Read *length* bytes, or what there is before the source ends or fails."""
    data: Any = b""
    with suppress(OSError, ValueError):
        while len(data) < length:
            more = source.read(length - len(data))
            if not more:
                break
            data = data + more if data else more
    return data if type(data) is bytes else bytes(data)
