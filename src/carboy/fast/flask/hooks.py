"""What an app and its blueprints have registered around their views, in Flask's order."""

from __future__ import annotations

from functools import lru_cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final

from flask.globals import _cv_request
from flask.helpers import _split_blueprint_path
from flask.signals import (
    appcontext_tearing_down,
    request_finished,
    request_started,
    request_tearing_down,
)

from carboy.fast.flask.context import ends_globals

if TYPE_CHECKING:
    from carboy.fast.flask.plan import Plan

__all__ = ["after", "before", "end", "end_app"]

_REMEMBERED: Final = 4096


Names = tuple[tuple[str | None, ...], tuple[str | None, ...]]
_NO_BLUEPRINT: Final[Names] = (None,), (None,)


@lru_cache(_REMEMBERED)
def _names(blueprint: str) -> Names:
    """Give the names hooks are kept by: from the app inwards, and outwards again."""
    blueprints = _split_blueprint_path(blueprint)
    return (None, *reversed(blueprints)), (*blueprints, None)


def _names_of(rule: Any) -> Names:
    if rule is None or "." not in rule.endpoint:
        return _NO_BLUEPRINT
    return _names(rule.endpoint.rpartition(".")[0])


def callable_of(app: Any, plan: Plan, function: Any) -> Any:
    """Do what ``ensure_sync`` does, and remember which functions it leaves alone."""
    if id(function) in plan.plain_functions:
        return function
    if iscoroutinefunction(function):
        return app.ensure_sync(function)
    if len(plan.plain_functions) >= _REMEMBERED:
        plan.plain_functions.clear()
    plan.plain_functions[id(function)] = function  # kept, so that its id stays its own
    return function


def before(app: Any, plan: Plan, context: Any) -> Any:  # noqa: C901 - two kinds of hooks
    """Announce the request and run what stands before the view.

    :return: an answer that takes the place of the view's, or ``None``.
    """
    if plan.started:
        request_started.send(app, _async_wrapper=app.ensure_sync)
    rule = context.url_rule  # without making the request, which no hook may look at
    if plan.route_key is not None and rule is not None:
        context.environ[plan.route_key] = rule.rule
    if plan.guard is not None:
        plan.guard(context.request)
    names = _names_of(rule)[0]
    preprocessors = plan.preprocessors
    if preprocessors:
        request = context.request
        for name in names:
            if name in preprocessors:
                for preprocessor in preprocessors[name]:
                    preprocessor(request.endpoint, request.view_args)
    functions = plan.before
    if functions:
        for name in names:
            if name in functions:
                for function in functions[name]:
                    answer = callable_of(app, plan, function)()
                    if answer is not None:
                        return answer
    return None


def _announced(app: Any, response: Any) -> Any:
    signal = request_finished
    signal.send(app, _async_wrapper=app.ensure_sync, response=response)
    return response


def after(app: Any, plan: Plan, context: Any, response: Any) -> Any:
    """Run what stands behind the view, save the session and announce the response."""
    present: Any = _cv_request.get()
    if present is not context:  # a view has left another one behind
        left = app.process_response(response)
        return _announced(app, left)
    for function in context.after or ():
        response = app.ensure_sync(function)(response)
    functions = plan.after
    if functions:
        for name in _names_of(context.url_rule)[1]:
            if name in functions:
                for function in reversed(functions[name]):
                    response = callable_of(app, plan, function)(response)
    session = context.opened
    if session is not None:
        interface = app.session_interface
        if not interface.is_null_session(session):
            interface.save_session(app, session, response)
    if plan.finished:
        request_finished.send(app, _async_wrapper=app.ensure_sync, response=response)
    return response


def end(app: Any, plan: Plan, context: Any, error: BaseException | None) -> None:
    """Run what tears the request down; the context is still there."""
    functions = plan.teardown
    if functions:
        for name in _names_of(context.url_rule)[1]:
            if name in functions:
                for function in reversed(functions[name]):
                    callable_of(app, plan, function)(error)
    if plan.tearing_down:
        request_tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=error)
    made = context.made
    if made is not None and made._carboy_form_read:
        made.close()


def end_app(app: Any, plan: Plan, error: BaseException | None) -> None:
    """Run what tears the context of the app down."""
    functions = plan.teardown_app
    for function in reversed(functions):
        callable_of(app, plan, function)(error)
    if functions and functions != plan.idle and all(map(ends_globals, functions)):
        plan.idle = list(functions)
    if plan.app_tearing_down:
        appcontext_tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=error)
