"""What an app is like, looked at once: whether it can use the lane, and what runs around a view."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from copy import copy
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import flask
from flask import app as flask_app
from flask import ctx
from flask.sessions import SecureCookieSessionInterface
from flask.signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    request_finished,
    request_started,
    request_tearing_down,
)
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import get_host

from carboy.fast.flask import known, provider, request
from carboy.fast.flask.config import READ, Config
from carboy.fast.flask.json_bytes import OWN, SETTINGS
from carboy.fast.flask.map import Map
from carboy.fast.flask.provider import JSONProvider
from carboy.fast.flask.request import Request
from carboy.fast.flask.watch import UNTOUCHED, Watch, is_same

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["ATTRIBUTES", "Plan", "plan_of"]

_log: Final = logging.getLogger("carboy.flask")
_HOSTS_REMEMBERED: Final = 256
_READ: Final = (
    "after_request_funcs",
    "app_ctx_globals_class",
    "before_request_funcs",
    "config",
    "error_handler_spec",
    "guard",
    "json",
    "request_class",
    "response_class",
    "route_key",
    "session_interface",
    "subdomain_matching",
    "teardown_appcontext_funcs",
    "teardown_request_funcs",
    "url_map",
    "url_value_preprocessors",
    "view_functions",
)
ATTRIBUTES: Final = frozenset({*known.REPLACED, *_READ})
"""Of the app; when one of them is assigned, the plan is made anew."""

# What an app may have of its own: the lane then leaves that part to it.
_OPTIONAL: Final = frozenset(
    {"handle_http_exception", "handle_user_exception", "make_response", "wsgi_app"}
)
_ERROR_METHODS: Final = (
    "_find_error_handler",
    "_get_exc_class_and_code",
    "handle_http_exception",
    "handle_user_exception",
    "trap_http_exception",
)


class Plan:
    """How an app's requests are answered until it changes.

    :ivar closed: why every request goes through Flask's own code, if so.
    :ivar idle: functions of :attr:`teardown_app`, when all of them were seen to have nothing to
        do unless :data:`flask.g` was touched.
    """

    def __init__(self, app: Any, own: type) -> None:
        kind = type(app)
        self._own = own
        self.watch = Watch((kind, Request, JSONProvider, *known.LIBRARY), _look(kind))
        self.witness = self.watch.witness
        OWN.untouched = all(is_same(one.taken(), one.defined) for one in _METHODS)
        OWN.state = object()
        self.hosts: dict[tuple[str | None, str | None], str] = {}
        self.plain_functions: dict[int, Any] = {}
        self.idle: list[Any] = []
        self.request_kind: Any = Request
        self.preprocessors = app.url_value_preprocessors
        self.before = app.before_request_funcs
        self.after = app.after_request_funcs
        self.teardown = app.teardown_request_funcs
        self.teardown_app = app.teardown_appcontext_funcs
        self.handlers = app.error_handler_spec
        self.view_functions = app.view_functions
        self.started = request_started.receivers
        self.finished = request_finished.receivers
        self.tearing_down = request_tearing_down.receivers
        self.pushed = appcontext_pushed.receivers
        self.app_tearing_down = appcontext_tearing_down.receivers
        self.popped = appcontext_popped.receivers
        self.json = app.json
        self.url_map = app.url_map
        self.route_key: Any = app.route_key
        self.guard: Callable[[Any], Any] | None = app.guard
        config = app.config
        self.trusted = config.get("TRUSTED_HOSTS")
        self.trusted_seen = copy(self.trusted)  # a list may get others
        self.server_name = config.get("SERVER_NAME")
        self.cookie = config.get("SESSION_COOKIE_NAME")
        interface = app.session_interface
        self.opens_sessions = (
            type(interface) is not SecureCookieSessionInterface
            or bool(vars(interface))
            or type(app.json) is not JSONProvider  # a serialiser may try it
            or not _is_key(config.get("SECRET_KEY"), config.get("SECRET_KEY_FALLBACKS"))
            or not isinstance(self.cookie, str)
            or not self.cookie.isascii()
        )
        self.direct = (
            self._has(app, "make_response")
            and type(app.json) is JSONProvider
            and bool(app.json._app == app)
        )
        self.handles = all(self._has(app, name) for name in _ERROR_METHODS) and not (
            config.get("TRAP_HTTP_EXCEPTIONS") or config.get("TRAP_BAD_REQUEST_ERRORS")
        )
        self.closed = self._closed(app)

    def genuinely(self, app: Any) -> Any:
        """Give *app* with the methods that the lane stands before."""
        return super(self._own, app)

    def _has(self, app: Any, name: str) -> bool:
        """Tell whether the method is Flask's, or this package's own."""
        method = getattr(type(app), name)
        return name not in vars(app) and (
            method is getattr(flask_app.Flask, name) or method is getattr(self._own, name)
        )

    def _closed(self, app: Any) -> str | None:
        return known.unknown() or next((said for said, holds in self._unusual(app) if holds), None)

    def _unusual(self, app: Any) -> Iterator[tuple[str, bool]]:
        """Go through what the lane does not do, in words."""
        config = app.config
        yield "it is in debug mode", bool(config.get("DEBUG"))
        yield (
            "its configuration is of a class of its own",
            type(config) is not Config or not config.keys() >= READ,
        )
        yield "its url_map is of a class of its own", type(app.url_map) is not Map
        yield "it matches hosts", bool(app.url_map.host_matching)
        yield "it matches subdomains", bool(app.subdomain_matching)
        yield "its requests are of a class of their own", app.request_class is not flask.Request
        yield "its responses are of a class of their own", app.response_class is not flask.Response
        yield (
            "its flask.g is of a class of its own",
            app.app_ctx_globals_class is not ctx._AppCtxGlobals,
        )
        yield "its SERVER_NAME is none", not _can_be_bound(app)
        setting = type(app).__setattr__
        yield "it does not tell what is assigned to it", setting is not self._own.__setattr__
        for name in known.REPLACED:
            if name not in _OPTIONAL:
                yield f"it has a {name}() of its own", not self._has(app, name)

    def judge(self, app: Any, environ: WSGIEnvironment) -> str | None:
        """Have Werkzeug look at a host that was not seen before.

        :return: what ``request.host`` will be; ``None``: let Flask's own code say what is wrong.
        """
        if self.closed is not None or environ.get("wsgi.url_scheme") not in ("http", "https"):
            return None
        try:
            host = get_host(environ, self.trusted)
            app.url_map.bind_to_environ(
                environ,
                server_name=self.server_name,
                subdomain=app.url_map.default_subdomain or "",
            )
        except Exception:  # noqa: BLE001 - raised again where Flask would raise it
            return None
        name = environ.get("HTTP_HOST")
        if name is not None:
            if len(self.hosts) >= _HOSTS_REMEMBERED:
                self.hosts.clear()
            self.hosts[name, environ["wsgi.url_scheme"]] = host
        return host

    def is_handled(self, kinds: frozenset[type], code: int) -> bool:
        """Tell whether the app, outside its blueprints, handles an error of these classes."""
        by_code = self.handlers.get(None)
        return bool(by_code) and any(
            not kinds.isdisjoint(by_code[each]) for each in (code, None) if by_code.get(each)
        )


def plan_of(app: Any) -> Plan:
    """Give the plan of *app*, made anew if anything has changed."""
    current = app._current
    plan: Plan | None = current.plan
    if plan is not None:
        flags: int = plan.witness.__flags__
        if flags & UNTOUCHED or not plan.watch.changed():
            return plan
    renewed: Plan = current.renew(app)
    return renewed


_METHODS: Final = (request.METHODS, provider.METHODS)
_settings: Final = attrgetter(*SETTINGS)


def _look(kind: type) -> Callable[[], Any]:
    mine = attrgetter(*known.REPLACED)
    return lambda: (
        mine(kind),
        tuple(methods.taken() for methods in _METHODS),
        _settings(JSONProvider),
        known.snapshot(),
    )


def _is_key(key: Any, fallbacks: Any) -> bool:
    """Tell whether a session can be opened with *key* at any time without an error."""
    keys = [key, *fallbacks] if isinstance(fallbacks, (list, tuple)) else [key]
    return (fallbacks is None or isinstance(fallbacks, (list, tuple))) and all(
        each is None or isinstance(each, (str, bytes)) for each in keys
    )


def _can_be_bound(app: Any) -> bool:
    try:
        flask_app.Flask.create_url_adapter(app, None)
    except (HTTPException, AttributeError, TypeError, ValueError):
        return False
    return True
