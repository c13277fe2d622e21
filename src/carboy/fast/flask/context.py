"""The contexts of a request, with what is in them made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from flask import ctx
from flask.globals import _cv_request
from werkzeug.exceptions import HTTPException

from carboy.fast.flask.lazily import lazily
from carboy.fast.flask.making import request_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from flask import Flask

    from carboy.fast.flask.plan import Plan
    from carboy.fast.flask.request import Request
    from carboy.fast.flask.rules import Route

__all__ = ["AppContext", "RequestContext", "current", "ends_globals", "of_globals"]

_OF_GLOBALS = "__carboy_of_globals__"
Teardown = TypeVar("Teardown", bound=Callable[..., Any])


def current() -> Any:
    """Find the context of the request at hand, the lane's or Flask's, or ``None``.

    What the proxies of :mod:`flask` look up at every touch, looked up once.
    """
    return _cv_request.get(None)


def of_globals(teardown: Teardown) -> Teardown:
    """Mark a function that tears down what is in :data:`flask.g` and nothing else.

    The lane need not call it after a request that left :data:`flask.g` alone.
    """
    setattr(teardown, _OF_GLOBALS, teardown)
    return teardown


def ends_globals(teardown: Callable[..., Any]) -> bool:
    """Tell whether :func:`of_globals` has marked this very function."""
    # A decorator that uses functools.wraps copies the attribute onto a function of its own.
    return getattr(teardown, _OF_GLOBALS, None) is teardown


class AppContext(ctx.AppContext):
    """A :class:`flask.ctx.AppContext` without ``g`` and a URL adapter until they are used.

    :ivar token: of the variable it was put into by the lane; ``None`` once it was taken back.
    :ivar pushed: what has become of the tokens, if somebody else has looked at them.
    """

    token: Any = None
    pushed: list[Any] | None = None

    @property
    def _cv_tokens(self) -> list[Any]:
        tokens = self.pushed
        if tokens is None:
            tokens = self.pushed = [] if self.token is None else [self.token]
        return tokens

    @_cv_tokens.setter
    def _cv_tokens(self, tokens: list[Any]) -> None:
        self.pushed = tokens

    @lazily
    def g(self) -> Any:
        """See :data:`flask.g`."""
        return self.app.app_ctx_globals_class()

    @lazily
    def url_adapter(self) -> Any:
        """For URLs without a request."""
        return self.app.create_url_adapter(None)


class RequestContext(ctx.RequestContext):
    """A :class:`flask.ctx.RequestContext` whose request and session are made when touched.

    :ivar route: what matched, if the lane found it; with the values of the path, ``values``.
    :ivar made: the request, once it is made.
    :ivar after: what runs after this request, if there is anything.
    :ivar token: see :class:`AppContext`, and ``pushed``.
    """

    flashes = None
    opened: Any = None
    route: Route | None = None
    values: Any = None
    made: Request | None = None
    after: list[Any] | None = None
    token: Any = None
    pushed: list[Any] | None = None
    plan: Plan
    environ: WSGIEnvironment
    path: str
    host: str
    app_context: Any

    def __init__(
        self, app: Flask, environ: WSGIEnvironment, request: Any = None, session: Any = None
    ) -> None:
        """Make a copy for work beside the request, such as a thread; the lane goes without this.

        See :meth:`flask.ctx.RequestContext.copy`.
        """
        super().__init__(app, environ, request, session)
        self.environ = environ
        self.made = self.request

    request = lazily(request_of)

    @property
    def method(self) -> str:
        """Of the request, without making it; whoever has looked at one may have changed it."""
        made = self.made
        return self.environ["REQUEST_METHOD"] if made is None else made.method

    @property
    def url_rule(self) -> Any:
        """The rule that matched."""
        route = self.route
        if route is None or self.made is not None:
            return self.request.url_rule
        return route.rule

    @property
    def _after_request_functions(self) -> list[Any]:
        functions = self.after
        if functions is None:
            functions = self.after = []
        return functions

    @_after_request_functions.setter
    def _after_request_functions(self, functions: list[Any]) -> None:
        self.after = functions

    @property
    def _cv_tokens(self) -> list[Any]:
        tokens = self.pushed
        if tokens is None:
            own = self.token
            tokens = self.pushed = [] if own is None else [(own, self.app_context)]
        return tokens

    @_cv_tokens.setter
    def _cv_tokens(self, tokens: list[Any]) -> None:
        self.pushed = tokens

    @property
    def _session(self) -> Any:
        """The session; opening it is what :meth:`push` would have done."""
        session = self.opened
        if session is None:
            interface = self.app.session_interface
            session = interface.open_session(self.app, self.request)
            if session is None:
                session = interface.make_null_session(self.app)
            self.opened = session
        return session

    @_session.setter
    def _session(self, session: Any) -> None:
        self.opened = session

    @lazily
    def url_adapter(self) -> Any:
        """What :meth:`flask.Flask.create_url_adapter` makes; the host was judged before."""
        app = self.app
        subdomain = None
        server_name = app.config["SERVER_NAME"]
        if app.url_map.host_matching:
            server_name = None
        elif not app.subdomain_matching:
            subdomain = app.url_map.default_subdomain or ""
        try:
            return app.url_map.bind_to_environ(
                self.request.environ, server_name=server_name, subdomain=subdomain
            )
        except HTTPException:
            return None
