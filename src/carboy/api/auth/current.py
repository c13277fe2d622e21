"""``current_user``: the caller of the request at hand."""

from __future__ import annotations

from typing import cast

from flask import current_app, request
from werkzeug.local import LocalProxy

from carboy.api.auth.access import EXTENSION
from carboy.api.auth.caller import ANONYMOUS, Caller
from carboy.errors import ApiError, Unauthorized

__all__ = ["caller_key", "current_user", "identify"]

_KEY = "carboy.caller"


def identify() -> Caller:
    """Find out who calls, once per request.

    :raises Unauthorized: if credentials came that are not valid (401). A bad token never
        makes an anonymous caller: its holder should learn of it.
    """
    # Not on flask.g: a test that keeps an app context open shares that between requests.
    found = request.environ.get(_KEY)
    if found is None:
        auth = current_app.extensions.get(EXTENSION)
        try:
            found = ANONYMOUS if auth is None else auth.authenticate(request)
        except Unauthorized as error:
            found = error
        request.environ[_KEY] = found
    if isinstance(found, ApiError):
        raise type(found)(found.message, headers=found.headers, code=found.code)
    return cast("Caller", found)


def caller_key() -> str | None:
    """Give a text that differs for any two callers, ``None`` for anonymous ones.

    Other parts find it at ``app.extensions["carboy.caller"]``; a bad token is nobody here.
    """
    try:
        return identify().key
    except Unauthorized:
        return None


current_user = cast("Caller", LocalProxy(identify))
"""The caller of this request, see :class:`~carboy.api.auth.caller.Caller`."""
