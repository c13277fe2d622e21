"""The contexts of a request, with what is in them made when it is asked for."""

from __future__ import annotations

from typing import Any

from flask import ctx
from flask.globals import _cv_request
from werkzeug.exceptions import HTTPException

from carboy.fast.flask.lazily import lazily

__all__ = ["AppContext", "RequestContext", "current"]


def current() -> Any:
    """Find the context of the request at hand, the lane's or Flask's, or ``None``.

    What the proxies of :mod:`flask` look up at every touch, looked up once.
    """
    return _cv_request.get(None)


class AppContext(ctx.AppContext):
    """A :class:`flask.ctx.AppContext` without ``g`` and a URL adapter until they are used."""

    @lazily
    def g(self) -> Any:
        """See :data:`flask.g`."""
        return self.app.app_ctx_globals_class()

    @lazily
    def url_adapter(self) -> Any:
        """For URLs without a request."""
        return self.app.create_url_adapter(None)


class RequestContext(ctx.RequestContext):
    """A :class:`flask.ctx.RequestContext` whose session is opened when it is touched."""

    flashes = None
    opened: Any = None

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
