"""What of Flask and Werkzeug the lane replaces, and whether it is what the lane was written for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import version
from operator import attrgetter
from types import CodeType, FunctionType, MethodType
from typing import Any

import flask
from flask import app as flask_app
from flask import ctx
from flask.json import provider
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.signals import request_started
from werkzeug import exceptions, routing, wsgi
from werkzeug.datastructures import EnvironHeaders, Headers
from werkzeug.routing import converters, matcher

from carboy.fast.flask.watch import is_same

__all__ = ["LIBRARY", "REPLACED", "snapshot", "unknown"]

REPLACED = (
    "_find_error_handler",
    "_get_exc_class_and_code",
    "app_context",
    "async_to_sync",
    "create_url_adapter",
    "dispatch_request",
    "do_teardown_appcontext",
    "do_teardown_request",
    "ensure_sync",
    "finalize_request",
    "full_dispatch_request",
    "handle_http_exception",
    "handle_user_exception",
    "make_response",
    "preprocess_request",
    "process_response",
    "raise_routing_exception",
    "request_context",
    "trap_http_exception",
    "wsgi_app",
)
"""Methods of the app whose work the lane does itself."""

_CLASSES: dict[type, tuple[str, ...]] = {
    flask_app.Flask: REPLACED,
    ctx.AppContext: ("__init__", "pop", "push"),
    ctx.RequestContext: ("__init__", "copy", "match_request", "pop", "push", "session"),
    flask.Request: (
        "__init__",
        "_load_form_data",
        "blueprint",
        "blueprints",
        "close",
        "endpoint",
        "get_data",
        "get_json",
        "host",
        "is_json",
        "json",
        "max_content_length",
        "on_json_loading_failed",
        "stream",
    ),
    wsgi.LimitedStream: ("on_disconnect", "on_exhausted", "readall", "readinto"),
    flask.Response: (
        "__call__",
        "__init__",
        "_clean_status",
        "autocorrect_location_header",
        "automatically_set_content_length",
        "close",
        "default_mimetype",
        "default_status",
        "force_type",
        "get_app_iter",
        "get_wsgi_headers",
        "get_wsgi_response",
        "implicit_sequence_conversion",
        "iter_encoded",
        "set_data",
        "status",
        "status_code",
    ),
    EnvironHeaders: ("__getitem__", "__init__", "__iter__"),
    Headers: ("__init__", "__setitem__", "extend", "to_wsgi_list", "update"),
    provider.DefaultJSONProvider: ("_prepare_response_obj", "dumps", "loads", "response"),
    SecureCookieSessionInterface: (
        "get_cookie_name",
        "get_signing_serializer",
        "is_null_session",
        "make_null_session",
        "open_session",
        "save_session",
        "should_set_cookie",
    ),
    SecureCookieSession: ("__init__", "modified"),
    routing.Map: ("add", "bind", "bind_to_environ", "update"),
    routing.MapAdapter: ("__init__", "get_default_redirect", "match"),
    matcher.StateMachineMatcher: ("add", "match", "update"),
    converters.AnyConverter: ("part_isolating", "to_python"),
    converters.FloatConverter: ("signed_regex", "to_python"),
    converters.IntegerConverter: ("signed_regex", "to_python"),
    converters.PathConverter: ("part_isolating", "to_python"),
    converters.UnicodeConverter: ("part_isolating", "to_python"),
    converters.UUIDConverter: ("regex", "to_python"),
    exceptions.NotFound: (
        "__call__",
        "code",
        "description",
        "get_body",
        "get_description",
        "get_headers",
        "get_response",
    ),
    type(request_started): ("receivers_for", "send"),
}

LIBRARY = tuple(
    owner
    for owner in _CLASSES
    if not issubclass(owner, (flask_app.Flask, wsgi.LimitedStream, SecureCookieSession))
)
"""The classes that are watched beside the app's own: all that one class can inherit from."""

# Of Flask 3.1.3 and Werkzeug 3.1.9.
_FINGERPRINTS = frozenset(
    {
        "2960c0181b498b0bcdcf5fe32c687e6c",  # CPython 3.11
        "4331e7b04fccb89dd2b784c5e6b87486",  # from 3.12 on, which inlines comprehensions
    }
)


def _entries() -> list[tuple[type, str]]:
    return [(owner, name) for owner, names in _CLASSES.items() for name in names]


_getters = [(owner, attrgetter(*names)) for owner, names in _CLASSES.items()]


def snapshot() -> tuple[Any, ...]:
    """Take what the classes have at present, to be compared with later."""
    return tuple([get(owner) for owner, get in _getters])


def unknown() -> str | None:
    """Say why the lane cannot be used with this Flask and Werkzeug, if so."""
    return _judged(_Snapshot(snapshot()))


class _Snapshot:
    """Compared by what it is, not by what it equals."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values

    def __hash__(self) -> int:
        # Of a class a method is another one whenever somebody looks, though its function stays.
        return hash(
            tuple(id(getattr(value, "__func__", value)) for group in self.values for value in group)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Snapshot) and is_same(self.values, other.values)


@lru_cache(maxsize=8)
def _judged(taken: _Snapshot) -> str | None:
    values = [value for group in taken.values for value in group]
    for (owner, name), value in zip(_entries(), values, strict=True):
        code = _code(value)
        kind = type(value)
        # What wraps a function passes for it, save for its type.
        if callable(value) and kind not in (FunctionType, MethodType):
            return f"{owner.__module__}.{owner.__qualname__}.{name} has been replaced"
        if isinstance(code, CodeType) and code.co_qualname != f"{_defined(owner, name)}.{name}":
            return f"{owner.__module__}.{owner.__qualname__}.{name} has been replaced"
    if fingerprint(values) in _FINGERPRINTS:
        return None
    versions = f"Flask {version('flask')} with Werkzeug {version('werkzeug')}"
    return f"the lane does not know {versions}"


def _defined(owner: type, name: str) -> str:
    return next(kind.__qualname__ for kind in owner.__mro__ if name in vars(kind))


def fingerprint(values: Iterable[Any]) -> str:
    """Sum up code: what it names, and the texts and numbers in it.

    The bytes are another matter, since every Python has others.
    """
    digest = hashlib.sha256()
    for value in values:
        code = _code(value)
        shape = list(_shape(code)) if isinstance(code, CodeType) else repr(value)
        digest.update(repr(shape).encode())
    return digest.hexdigest()[:32]


def _code(value: Any) -> Any:
    """Find the code of a function, a method or a property."""
    if isinstance(value, property):
        value = value.fget
    return getattr(getattr(value, "__func__", value), "__code__", None)


def _shape(code: CodeType) -> Iterator[Any]:
    yield code.co_name, code.co_argcount, code.co_kwonlyargcount
    yield code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    yield code.co_names
    for constant in code.co_consts[1:]:  # the first one is the description
        if isinstance(constant, CodeType):
            yield from _shape(constant)
        elif isinstance(constant, (str, int, tuple)):
            yield constant
