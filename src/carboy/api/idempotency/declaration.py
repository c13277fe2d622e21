"""``@idempotent()``: the decorator, and what it puts around a view."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import IntegrityError

from carboy.api.endpoint import Endpoint
from carboy.api.idempotency import description
from carboy.api.idempotency.commands import commands
from carboy.api.idempotency.identity import caller_of, fingerprint, key_of
from carboy.api.idempotency.refusals import KeyReused, StillRunning
from carboy.api.idempotency.store import Identity, Store, replay
from carboy.api.idempotency.table import database_of, table_of
from carboy.api.operation import UNSAFE, operation_of

if TYPE_CHECKING:
    from carboy.backing.enclosure import Enclosure

__all__ = ["Idempotent", "idempotent"]

View = TypeVar("View", bound=Callable[..., Any])
_FAIL, _ERROR = 400, 500


@dataclass(frozen=True)
class Idempotent:
    """What :func:`idempotent` declares; a decorator of views, and a default for a blueprint."""

    required: bool
    ignored: bool
    caller: Callable[[], Any] | None

    def __call__(self, view: View) -> View:
        """Declare it of a view.

        :raises TypeError: if it is declared already, or the view streams.
        """
        _refuse_streams(view)
        endpoint = Endpoint.around(view)
        if endpoint.operation.idempotency is not None:
            raise TypeError(f"{endpoint.name} is declared idempotent twice; keep one.")
        endpoint.operation.idempotency = self
        if not self.ignored:
            endpoint.guards.append(self.answer)
        return cast("View", endpoint.function)

    def cover(self, view: Callable[..., Any], applies: Callable[[], bool]) -> None:
        """Be the default of a view that a blueprint registers.

        :param applies: whether the request at hand came through that blueprint.
        """
        operation = operation_of(view)
        if self.ignored or (operation is not None and operation.idempotency is not None):
            return
        kind = getattr(view, "view_class", None)
        methods = {method: getattr(kind, method.lower(), None) for method in UNSAFE}
        own = {method for method, part in methods.items() if part and _declares(part)}

        def guard(proceed: Callable[[], Any]) -> Any:
            if request.method in own or not applies():
                return proceed()
            return self.answer(proceed)

        Endpoint.innermost(view).guards.append(guard)

    def parameter(self) -> dict[str, Any]:
        """Describe the request header, for the OpenAPI document."""
        return description.parameter(required=self.required)

    def failures(self) -> dict[int, str]:
        """Say which refusals there are: status → when."""
        return description.failures(required=self.required)

    def headers(self, status: str) -> dict[str, Any]:
        """Describe response headers of one *status*, for the OpenAPI document."""
        return description.headers(status)

    def init_app(self, app: Flask) -> None:
        """Add the command to *app*, and look before workers start whether there is a table."""
        if commands.name not in app.cli.commands:
            app.cli.add_command(commands)
            app.extensions.setdefault("carboy.start", []).append(partial(_look, app))

    def answer(self, proceed: Callable[[], Any]) -> Any:
        """Give the first answer of the request's key, or *proceed* and keep what comes of it."""
        if request.method not in UNSAFE:
            return proceed()
        key = key_of(request, required=self.required)
        if key is None:
            return proceed()
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        database, table = database_of(app), table_of(app)
        identity = Identity(
            caller=caller_of(request, self.caller),
            key=key,
            operation=f"{request.method} {request.url_rule}",
            fingerprint=fingerprint(request),
        )
        with database.enclosing(identity.name) as enclosure:
            if enclosure is None:
                raise StillRunning
            store = Store(table, enclosure.connection)
            first = store.find(identity)
            if first is None:
                return _answer_first(proceed, enclosure, store, identity)
            if first.fingerprint != identity.fingerprint:
                raise KeyReused
            return replay(first)


def idempotent(
    *,
    required: bool = False,
    ignored: bool = False,
    caller: Callable[[], Any] | None = None,
) -> Idempotent:
    """Answer a request that is sent again with the answer of the first time.

    Place it below the route, anywhere among the inputs and outputs. It acts on requests
    that change something (POST, PUT, PATCH, DELETE) and carry an ``Idempotency-Key``. What
    the view commits with ``db.session`` and the answer are one transaction: both are there
    or neither. The table is a class of the project, see :class:`IdempotencyKeyMixin`.

    Kept is every answer below 400, and a 4xx if the view had committed something. A 5xx
    undoes what the view committed; the key can be used again.

    :param required: refuse requests without a key (400).
    :param ignored: the header means nothing to this view; for one of a blueprint whose
        default is another.
    :param caller: gives whatever tells callers apart, such as a user's id, or ``None``.

    Source: IETF draft-ietf-httpapi-idempotency-key-header.
    """
    return Idempotent(required=required, ignored=ignored, caller=caller)


def _answer_first(
    proceed: Callable[[], Any], enclosure: Enclosure, store: Store, identity: Identity
) -> Response:
    try:
        response = current_app.make_response(proceed())
    except Exception as error:
        if not enclosure.committed:
            raise
        response = current_app.make_response(current_app.handle_user_exception(error))
    status = response.status_code
    if status >= _ERROR or (status >= _FAIL and not enclosure.committed):
        return response
    if response.is_streamed:
        raise TypeError(
            f"{identity.operation} is idempotent and its answer is streamed: it cannot be kept. "
            "Return the data, or declare the view @idempotent(ignored=True)."
        )
    enclosure.leave()
    store.prune()
    try:
        store.add(identity, response)
    except IntegrityError as error:
        # Somebody without the lock came in between, as another isolation level allows.
        raise StillRunning from error
    enclosure.commit()
    return response


def _refuse_streams(view: Callable[..., Any]) -> None:
    if inspect.isgeneratorfunction(inspect.unwrap(view)):
        raise TypeError(
            f"{view.__module__}.{view.__qualname__} streams its answer, which cannot be kept: "
            "leave out @idempotent."
        )


def _look(app: Flask) -> None:
    table_of(app)


def _declares(part: Callable[..., Any]) -> bool:
    operation = operation_of(part)
    return operation is not None and operation.idempotency is not None
