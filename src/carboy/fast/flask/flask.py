"""The app."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.exceptions import HTTPException

from carboy.fast.flask.config import Config
from carboy.fast.flask.lane import enter
from carboy.fast.flask.lazily import lazily
from carboy.fast.flask.map import Map
from carboy.fast.flask.plan import ATTRIBUTES, Plan, plan_of
from carboy.fast.flask.provider import JSONProvider

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Flask"]

_log = logging.getLogger("carboy.flask")


class _Current:
    """The plan of an app, as long as nothing has changed."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.said: str | None = None
        self._lock = Lock()
        self._changes = 0

    def drop(self) -> None:
        """Have the next request look at the app again."""
        with self._lock:
            self._changes += 1
            self.plan = None

    def renew(self, app: Any) -> Plan:
        """Look at the app."""
        changes = self._changes
        plan = Plan(app, Flask)
        with self._lock:
            if changes == self._changes:
                self.plan = plan
        if plan.closed != self.said:
            self.said = plan.closed
            if plan.closed is not None:
                _log.info("%s goes through Flask's own code: %s.", app.name, plan.closed)
        return plan


class Flask(flask.Flask):
    """A :class:`flask.Flask` whose ordinary requests skip work that nobody observes.

    Everything else is Flask's: routes, hooks, signals, sessions, errors, and each answer to the
    byte. What this class does not know (a method that was replaced, classes of the project's own,
    debug mode) goes through Flask's code; :attr:`closed` says why.

    :ivar route_key: key of the WSGI environment that gets the rule that matched, such as
        ``carboy.route``; ``None``: it is not written.
    :ivar guard: is called with each request, once its rule is known and before anything of the
        app runs; what it raises is answered as an error of a view is. Where it gives ``True``, it
        need not be called again for requests of that rule and method.
    :ivar error_response: makes the response of an HTTP error that no error handler took, or
        gives ``None`` to leave it to Flask.
    :ivar unhandled: is asked what to answer to an exception that no error handler took; ``None``:
        it is raised.
    """

    config_class = Config
    url_map_class = Map
    json_provider_class = JSONProvider
    route_key: str | None = None
    guard: Callable[[flask.Request], Any] | None = None
    error_response: Callable[[HTTPException], flask.Response | None] | None = None
    unhandled: Callable[[Exception], Any] | None = None

    @lazily
    def _current(self) -> Any:
        return _Current()

    @property
    def closed(self) -> str | None:
        """Why every request goes through Flask's own code; ``None``: none has to."""
        return plan_of(self).closed

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ATTRIBUTES:
            if name == "config" and isinstance(value, Config):
                value.watch(self._current.drop)
            self._current.drop()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._current.drop()

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """See :meth:`flask.Flask.wsgi_app`."""
        return enter(self, environ, start_response)  # type: ignore[no-any-return]

    @property
    def quickest(self) -> WSGIApplication:
        """What does the same as :attr:`wsgi_app` is now, called as quickly as can be."""
        called = self.wsgi_app
        own = getattr(called, "__func__", None) is _WSGI_APP and "wsgi_app" not in vars(self)
        return partial(enter, self) if own else called

    def preprocess_request(self) -> Any:
        """See :meth:`flask.Flask.preprocess_request`."""
        request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]
        if self.route_key is not None and request.url_rule is not None:
            request.environ[self.route_key] = request.url_rule.rule
        if self.guard is not None:
            self.guard(request)
        return super().preprocess_request()

    def make_response(self, rv: Any) -> flask.Response:
        """See :meth:`flask.Flask.make_response`."""
        if self.error_response is not None and isinstance(rv, HTTPException):
            response = self.error_response(rv)
            if response is not None:
                return response
        return super().make_response(rv)

    def handle_user_exception(self, e: Exception) -> Any:
        """See :meth:`flask.Flask.handle_user_exception`."""
        if self.unhandled is None:
            return super().handle_user_exception(e)
        try:
            return super().handle_user_exception(e)
        except Exception as raised:
            answer = self.unhandled(e) if raised is e else None
            if answer is None:
                raise
            return answer


# Before anybody can have replaced it.
_WSGI_APP = Flask.wsgi_app
