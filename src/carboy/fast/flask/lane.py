"""One request, with as little as its app needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask.globals import _cv_app, _cv_request
from flask.signals import appcontext_popped
from werkzeug.exceptions import NotFound
from werkzeug.routing.exceptions import NoMatch, RequestAliasRedirect, RequestPath
from werkzeug.wsgi import ClosingIterator

from carboy.fast.flask import hooks
from carboy.fast.flask.answering import answer_of
from carboy.fast.flask.context import AppContext, RequestContext
from carboy.fast.flask.making import request_of
from carboy.fast.flask.matching import METHODS
from carboy.fast.flask.plan import Plan, plan_of
from carboy.fast.flask.response import own_direct, send

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from carboy.fast.flask.matching import Routes
    from carboy.fast.flask.rules import Route

__all__ = ["enter", "serve"]

_new: Final = object.__new__
# What is imported is looked for by its name at each use, what is final is there.
_AppContext: Final = AppContext
_RequestContext: Final = RequestContext
_set_app: Final = _cv_app.set
_get_app: Final = _cv_app.get
_reset_app: Final = _cv_app.reset
_set_request: Final = _cv_request.set
_get_request: Final = _cv_request.get
_reset_request: Final = _cv_request.reset


def enter(app: Any, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
    """Answer in the lane, or by Flask's own code."""
    plan = plan_of(app)
    host = plan.hosts.get((environ.get("HTTP_HOST"), environ.get("wsgi.url_scheme")))
    if host is None:
        host = plan.judge(app, environ)
    if (
        host is None
        or environ.get("REQUEST_METHOD") not in METHODS
        or "HTTP_UPGRADE" in environ
        or "werkzeug.debug.preserve_context" in environ
        or plan.pushed
        or plan.trusted != plan.trusted_seen
        or _get_app(None) is not None
    ):
        return plan.genuinely(app).wsgi_app(environ, start_response)
    return serve(app, plan, host, environ, start_response)


def serve(  # noqa: C901, PLR0912, PLR0915 - see below
    app: Any, plan: Plan, host: str, environ: WSGIEnvironment, start_response: StartResponse
) -> Any:
    """Do what :meth:`flask.Flask.wsgi_app` does, in its order.

    The request that nobody observes goes through in this one function: right after a query, each
    function more is more to fetch into the processor's caches than it has to do.

    :param host: as it was judged.
    :return: the body.
    """
    method = environ["REQUEST_METHOD"]
    path = environ.get("PATH_INFO") or ""
    if not path.isascii():
        path = path.encode("latin1").decode(errors="replace")
    app_context: Any = _new(_AppContext)
    app_context.app = app
    context: Any = _new(_RequestContext)
    context.app = app
    context.plan = plan
    context.environ = environ
    context.path = path
    context.host = host
    context.app_context = app_context
    app_token = app_context.token = _set_app(app_context)
    token = context.token = _set_request(context)
    response: Any = None
    error: BaseException | None = None
    try:
        try:
            if plan.opens_sessions or plan.cookie in environ.get("HTTP_COOKIE", ""):
                context._session  # noqa: B018 - opens it
            routes: Routes = plan.url_map.prepared or plan.url_map.prepare()
            values: Any = {}
            route = routes.known[method].get(path)
            if route is None:
                route, values = _match(plan, routes, context, path, method)
            elif context.made is None:
                context.route, context.values = route, values
            else:
                context.made.url_rule, context.made.view_args = route.rule, values
            if not app._got_first_request:
                app._got_first_request = True
            try:
                answer = None
                if (
                    route is None
                    or method == "OPTIONS"
                    or plan.started
                    or plan.preprocessors
                    or plan.before
                ):
                    answer = hooks.before(app, plan, context)
                    request = context.made
                    if request is None:
                        if method == "OPTIONS":
                            route = None
                    else:
                        values = request.view_args
                        if route is not None and (
                            request.method == "OPTIONS"
                            or request.url_rule is not route.rule
                            or request.routing_exception is not None
                        ):
                            route = None
                else:
                    if plan.route_key is not None:
                        environ[plan.route_key] = route.rule.rule
                    guard = plan.guard
                    if guard is not None and route.open_to.get(method) is not guard:
                        _ask(guard, context.request, route)
                if answer is None:
                    if route is None:
                        answer = _dispatch(app, plan, context.request)
                    else:
                        view = plan.view_functions[route.rule.endpoint]
                        if view is not route.view:
                            view = _view(app, route, view)
                        elif plan.direct:
                            view = route.direct
                        answer = view(**values) if values else view()
            except Exception as raised:  # noqa: BLE001 - Flask's own
                answer = app.handle_user_exception(raised)
            response = answer_of(app, plan, context, answer)
        except Exception as raised:  # noqa: BLE001 - Flask's own
            error = raised
            response = app.handle_exception(raised)
        except BaseException as raised:
            error = raised
            raise
        if type(response) is tuple:
            status, headers, body = response
            start_response(status, headers)
        else:
            body = send(response, environ, start_response)
    finally:
        made = context.made
        if (
            error is not None
            or plan.teardown
            or (
                plan.teardown_app
                and (plan.teardown_app != plan.idle or "g" in app_context.__dict__)
            )
            or plan.tearing_down
            or plan.app_tearing_down
            or plan.popped
            or (made is not None and made._carboy_form_read)
            or context.pushed is not None
            or app_context.pushed is not None
            or _get_request() is not context
            or _get_app() is not app_context
        ):
            _end(app, plan, context, app_context, error)
        else:
            context.token = app_context.token = None  # type: ignore[attr-defined]
            _reset_request(token)
            _reset_app(app_token)
            environ["werkzeug.request"] = None
    if body is None:
        body = response.response
        if response._on_close:  # by what tore down
            return ClosingIterator(body, response.close)
    return body


def _ask(guard: Any, request: Any, route: Route) -> None:
    """Let *guard* look at the request, and remember if it need not look again."""
    if guard(request) is True:
        route.open_to[request.method] = guard


_NOT_FOUND: Final = frozenset(NotFound.__mro__)
_NOWHERE: Final[tuple[None, dict[str, Any]]] = (None, {})


def _match(
    plan: Plan, routes: Routes, context: Any, path: str, method: str
) -> tuple[Route | None, dict[str, Any]]:
    """Find the rule; the route is given only where nothing more is to be known of it."""
    regular = path[:1] == "/" and path[1:2] != "/"
    found = routes.find(path, method) if regular else None
    if found is not None:
        context.route, context.values = found
        made = context.made
        if made is not None:
            made.url_rule, made.view_args = found[0].rule, found[1]
        return found
    request = context.made or request_of(context)
    if regular and routes.can_be_asked_twice:
        try:
            plan.url_map._matcher.match(routes.domain, path, method, websocket=False)
        except NoMatch as miss:
            if not miss.have_match_for and not miss.websocket_mismatch:
                request.routing_exception = NotFound()
                return _NOWHERE
        except (RequestPath, RequestAliasRedirect):
            pass
    if context.url_adapter is not None:
        context.match_request()
    return _NOWHERE


def _view(app: Any, route: Route, view: Any) -> Any:
    """Make *view* callable from here, and remember it if it is already."""
    called = app.ensure_sync(view)
    if called is view:
        route.direct = own_direct(view)
        route.view = view
    return called


def _dispatch(app: Any, plan: Plan, request: Any) -> Any:
    """Do what :meth:`flask.Flask.dispatch_request` does, and the rest for a path without a rule."""
    missing = request.routing_exception
    if missing is not None:
        if (
            type(missing) is NotFound
            and request.url_rule is None
            and plan.handles
            and not plan.is_handled(_NOT_FOUND, 404)
        ):
            return missing  # nothing would become of raising it
        app.raise_routing_exception(request)
    rule: Any = request.url_rule
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return app.make_default_options_response()
    view = plan.view_functions[rule.endpoint]
    return hooks.callable_of(app, plan, view)(**request.view_args)


def _end(app: Any, plan: Plan, context: Any, app_context: Any, error: BaseException | None) -> None:
    """Do what popping the contexts does."""
    if error is not None and app.should_ignore_error(error):
        error = None
    tokens, app_tokens = context.pushed, app_context.pushed
    if (tokens is not None and len(tokens) != 1) or (
        app_tokens is not None and len(app_tokens) != 1
    ):
        context.pop(error)
        return
    made = context.made
    try:
        if plan.teardown or plan.tearing_down or (made is not None and made._carboy_form_read):
            hooks.end(app, plan, context, error)
    finally:
        current: Any = _get_request()
        tokens = context.pushed
        _reset_request(context.token if tokens is None else tokens.pop()[0])
        context.token = None
        environ = current.request.environ if current is not context else context.environ
        environ["werkzeug.request"] = None
        try:
            if plan.teardown_app or plan.app_tearing_down:
                hooks.end_app(app, plan, error)
        finally:
            current_app = _get_app()
            app_tokens = app_context.pushed
            _reset_app(app_context.token if app_tokens is None else app_tokens.pop())
            app_context.token = None
        if current_app is not app_context:
            raise AssertionError(
                f"Popped wrong app context. ({current_app!r} instead of {app_context!r})"
            )
        if plan.popped:
            appcontext_popped.send(app, _async_wrapper=app.ensure_sync)
        if current is not context:
            raise AssertionError(
                f"Popped wrong request context. ({current!r} instead of {context!r})"
            )
