"""What a request brings, read in as few steps as its source has it."""

from __future__ import annotations

from typing import IO, Any, Final

import flask
from flask.globals import _cv_app
from werkzeug.exceptions import ClientDisconnected

from carboy.fast.flask.json_bytes import value_of
from carboy.fast.flask.provider import JSONProvider

__all__ = ["data_of", "exactly", "json_of"]

_JSON: Final = "application/json"
_LENGTH_DIGITS: Final = 18
_get_app: Final = _cv_app.get
_JSONProvider: Final = JSONProvider
_genuine: Final = flask.Request


def data_of(
    request: Any,
    cache: bool = True,  # noqa: FBT001, FBT002 - Werkzeug's signature
    as_text: bool = False,  # noqa: FBT001, FBT002
    parse_form_data: bool = False,  # noqa: FBT001, FBT002
) -> Any:
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
        return _genuine.get_data(request, cache, as_text, parse_form_data)  # type: ignore[call-overload]
    data = exactly(environ["wsgi.input"], length)
    own["_cached_data"] = data
    own["body_length"] = length
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


def json_of(
    request: Any,
    force: bool = False,  # noqa: FBT001, FBT002 - Werkzeug's signature
    silent: bool = False,  # noqa: FBT001, FBT002
    cache: bool = True,  # noqa: FBT001, FBT002
) -> Any:
    """Do what :meth:`werkzeug.wrappers.Request.get_json` does."""
    own: dict[str, Any] = request.__dict__
    provider = own["json_module"]
    if (
        not cache
        or type(provider) is not _JSONProvider
        or "_cached_json" in own
        or not (force or own["environ"].get("CONTENT_TYPE") == _JSON)
    ):
        return _genuine.get_json(request, force, silent, cache)
    data = request.get_data() if "get_data" in own else data_of(request)
    try:
        own_loads = type(data) is not bytes or "loads" in provider.__dict__
        value = provider.loads(data) if own_loads else value_of(data)
    except ValueError:  # what becomes of it is Werkzeug's business
        return _genuine.get_json(request, force, silent, cache)
    own["_cached_json"] = (value, value)
    return value


def exactly(source: IO[bytes], length: int) -> bytes:
    """Read just *length* bytes.

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
    return data
