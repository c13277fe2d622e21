"""What a request brings, read in as few steps as its source has it."""

from __future__ import annotations

from typing import Any, Final

import flask
from flask.globals import _cv_app
from werkzeug.exceptions import ClientDisconnected

from carboy.fast.flask.json_bytes import value_of
from carboy.fast.flask.provider import JSONProvider

__all__ = ["data_of", "exactly", "json_at_once", "json_of"]

_JSON: Final = "application/json"
_LENGTH_DIGITS: Final = 18
_get_app: Final = _cv_app.get
_JSONProvider: Final = JSONProvider
_provider_loads: Final = JSONProvider.loads
_genuine: Final = flask.Request
_REFUSED: Final = object()


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


def json_of(request: Any, *, force: Any, silent: Any, cache: Any) -> Any:
    """Do what :meth:`werkzeug.wrappers.Request.get_json` does."""
    own: dict[str, Any] = request.__dict__
    if cache and _is_read_here(own, force=force):
        value = _value(own, request.get_data())
        if value is not _REFUSED:
            own["_cached_json"] = (value, value)
            return value
    return _genuine.get_json(request, force, silent, cache)


def json_at_once(kind: Any, get_json: Any, get_data: Any, request: Any) -> Any:
    """Give ``request.get_json()``, by fewer calls where nobody has replaced a method.

    :param kind: the class of the lane's requests, and what it had when it was defined.
    """
    own: dict[str, Any] = request.__dict__
    if (
        type(request) is kind
        and kind.get_json is get_json
        and kind.get_data is get_data
        and "get_json" not in own
        and "get_data" not in own
        and _is_read_here(own, force=False)
    ):
        value = _value(own, data_of(request, cache=True, as_text=False, parse_form_data=False))
        if value is not _REFUSED:
            own["_cached_json"] = (value, value)
            return value
    return request.get_json()


def _is_read_here(own: dict[str, Any], *, force: Any) -> bool:
    return (
        type(own.get("json_module")) is _JSONProvider
        and "_cached_json" not in own
        and bool(force or own["environ"].get("CONTENT_TYPE") == _JSON)
    )


def _value(own: dict[str, Any], data: Any) -> Any:
    """Read a document, or leave it to Werkzeug, which says what is wrong with it."""
    provider = own["json_module"]
    try:
        if (
            type(data) is bytes
            and _JSONProvider.loads is _provider_loads
            and "loads" not in provider.__dict__
        ):
            return value_of(data)
        return provider.loads(data)
    except ValueError:
        return _REFUSED


def exactly(source: Any, length: int) -> bytes:
    """Read just *length* bytes.

    :param source: of whatever bytes: servers and tests differ.
    :raises ClientDisconnected: if there are fewer, as Werkzeug does.
    """
    try:
        data = source.read(length) if length else b""
        while len(data) < length:
            more = source.read(length - len(data))
            if not more:
                raise ClientDisconnected
            data += more
    except (OSError, ValueError) as error:
        raise ClientDisconnected from error
    return data if type(data) is bytes else bytes(data)
