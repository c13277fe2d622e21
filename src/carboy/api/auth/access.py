"""Who may call a view: declared on the view and on its blueprints, enforced before either runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from flask import Flask, current_app, request

from carboy.api.auth.permissions import check_pattern
from carboy.errors import CarboyError

if TYPE_CHECKING:
    from carboy.api.auth.caller import Caller

__all__ = [
    "Access",
    "Gate",
    "Requirement",
    "access_of",
    "enforce",
    "public",
    "requirement",
    "requires",
]

EXTENSION = "carboy.auth"
_ATTRIBUTE = "__carboy_access__"
_METHODS = {"HEAD": "GET"}
View = TypeVar("View", bound=Callable[..., Any])
Requirement = bool | str | Sequence[str]
"""``True``: any signed-in caller; a permission; several of which all are needed."""


class Gate(Protocol):
    """What ``Auth`` leaves on the app."""

    def admit(self, access: Access) -> Caller:
        """Return the caller if *access* lets them pass.

        :raises Unauthorized: if nobody is signed in (401).
        :raises Forbidden: if a permission is missing (403).
        """
        ...


@dataclass(frozen=True)
class Access:
    """What a caller needs.

    :param open: nothing at all; then the rest is empty.
    :param permissions: all of them are needed; none: being signed in is enough.
    """

    open: bool = False
    permissions: tuple[str, ...] = ()


_SIGNED_IN = Access()
OPEN = Access(open=True)


def requirement(given: Requirement | None) -> Access | None:
    """Read what a blueprint was given.

    :raises TypeError: if it says neither who may call nor that all may.
    """
    if given is None:
        return None
    if isinstance(given, bool):
        if given:
            return _SIGNED_IN
        raise TypeError("requires=False closes nothing; leave it out, or write requires=True.")
    return Access(permissions=_permissions([given] if isinstance(given, str) else given))


def requires(*permissions: str) -> Callable[[View], View]:
    """Let only callers with all of *permissions* use a view; without any, all who signed in.

    Place it below the route. It is enforced before inputs are read, wherever it stands
    among the other decorators; several add up, also with what a blueprint requires.

    :param permissions: such as ``orders:read``.
    :raises TypeError: if the view is public.
    """
    if len(permissions) == 1 and callable(permissions[0]):
        raise TypeError("Write @requires(), with parentheses.")
    declared = Access(permissions=_permissions(permissions))

    def decorate(view: View) -> View:
        if isinstance(view, type):
            raise TypeError(
                f"Put requires() into the decorators of {view.__name__}, or on its methods."
            )
        whole = _both(_declared(view), declared, view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            _gate().admit(declared)
            return view(*args, **kwargs)

        @wraps(view)
        async def guarded_coroutine(*args: Any, **kwargs: Any) -> Any:
            _gate().admit(declared)
            return await view(*args, **kwargs)

        made = guarded_coroutine if inspect.iscoroutinefunction(view) else guarded
        setattr(made, _ATTRIBUTE, whole)
        return cast("View", made)

    return decorate


def public(view: View) -> View:
    """Let everybody use a view of a blueprint that is closed.

    Place it below the route.

    :raises TypeError: if the view requires something.
    """
    if _declared(view) not in (None, OPEN):
        raise TypeError(f"{view.__qualname__} is public and requires something; keep one.")
    setattr(view, _ATTRIBUTE, OPEN)
    return view


def access_of(app: Flask, endpoint: str, method: str = "GET") -> Access | None:
    """Say what a caller of an endpoint needs: the view's own, and that of its blueprints.

    :return: ``None`` where nothing was declared: everybody may call.
    """
    view = app.view_functions.get(endpoint)
    kind = getattr(view, "view_class", None)
    name = _METHODS.get(method, method).lower()
    own = [_declared(part) for part in (view, getattr(kind, name, None)) if part is not None]
    found = [access for access in own if access is not None and not access.open]
    if not found and OPEN in own:
        return OPEN
    found += _of_blueprints(app, endpoint)
    if not found:
        return None
    return Access(
        permissions=tuple(dict.fromkeys(one for each in found for one in each.permissions))
    )


def enforce() -> None:
    """Refuse a request whose caller may not use the view it reached.

    :raises Unauthorized: if nobody is signed in (401).
    :raises Forbidden: if a permission is missing (403).
    """
    if request.endpoint is None or request.url_rule is None:
        return  # the router's own answer follows
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    access = access_of(app, request.endpoint, request.method)
    if access is not None and not access.open:
        _gate().admit(access)


def _of_blueprints(app: Flask, endpoint: str) -> Iterator[Access]:
    name = endpoint
    while "." in name:
        name = name.rpartition(".")[0]
        access = getattr(app.blueprints.get(name), "access", None)
        if isinstance(access, Access):
            yield access


def _gate() -> Gate:
    gate = current_app.extensions.get(EXTENSION)
    if gate is None:
        raise CarboyError(
            "A view requires a caller, and this app cannot tell who calls. "
            "Make an Auth(...) and call its init_app(app)."
        )
    return cast("Gate", gate)


def _declared(view: Callable[..., Any]) -> Access | None:
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Access) else None


def _both(one: Access | None, other: Access, view: Callable[..., Any]) -> Access:
    if one is None:
        return other
    if one.open:
        raise TypeError(f"{view.__qualname__} is public and requires something; keep one.")
    return Access(permissions=tuple(dict.fromkeys([*other.permissions, *one.permissions])))


def _permissions(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(check_pattern(one) for one in given)
