"""A Flask blueprint whose views say what they take and what they answer."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import flask

from carboy.api.auth.access import Requirement, enforce, requirement
from carboy.api.deprecation import Deprecation
from carboy.api.endpoint import Endpoint
from carboy.api.envelope import Envelope
from carboy.api.limits.declaration import Limit, limit_given
from carboy.api.operation import Input, Link, Location, Output, declare, operation_of, parts_of
from carboy.api.parsing import Unknown
from carboy.api.schemas import SchemaLike, instance, wrapped

if TYPE_CHECKING:
    from flask.sansio.blueprints import BlueprintSetupState

    from carboy.api.idempotency import Idempotent
    from carboy.api.resource import Resource

__all__ = ["Blueprint", "SchemaLike"]

View = TypeVar("View", bound=Callable[..., Any])
_ARGUMENTS: Mapping[Location, str] = {
    "json": "data",
    "form": "data",
    "query": "query",
    "files": "files",
    "headers": "headers",
    "cookies": "cookies",
}


class Blueprint(flask.Blueprint):
    """A :class:`flask.Blueprint` with inputs, outputs and an envelope.

    Everything of Flask's works as before. In addition a view may return a dictionary, a
    list or ``None``, and it is wrapped in the envelope; text and responses are Flask's.

    :param envelope: how answers of this blueprint and those nested in it are wrapped; by
        default as the outer blueprint's, or the app's.
    :param idempotency: made by :func:`~carboy.idempotent`: what becomes of requests that are
        sent again, for every view of this blueprint that does not say otherwise itself.
    :param tags: headings under which the OpenAPI document lists the views.
    :param deprecation: made by :func:`~carboy.deprecated`: every answer of this blueprint
        and those nested in it says that it will go.
    :param limit: such as ``"100/minute"``, or made by :func:`~carboy.limit`: how often a caller
        may use this blueprint and those nested in it, all views without a limit of their own
        together.
    :param requires: closes this blueprint and those nested in it: a permission, several, or
        ``True`` for whoever is signed in. Single views are opened with
        :func:`~carboy.public`.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        name: str,
        import_name: str,
        *args: Any,
        envelope: Envelope | None = None,
        tags: Sequence[str] = (),
        idempotency: Idempotent | None = None,
        deprecation: Deprecation | None = None,
        limit: str | Limit | None = None,
        requires: Requirement | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, import_name, *args, **options)
        self.envelope = envelope
        self.tags = list(tags)
        self.idempotency = idempotency
        self.deprecation = deprecation
        self.limit = limit_given(limit)
        if deprecation is not None:
            self.after_request(deprecation.mark)
        self.access = requirement(requires)
        if self.access is not None:
            self.before_request(enforce)
        self._endpoints: dict[Callable[..., Any], Callable[..., Any]] = {}

    if TYPE_CHECKING:  # Flask's own, for views that return any data

        def route(self, rule: str, **options: Any) -> Callable[[View], View]:
            """See :meth:`flask.Blueprint.route`."""
            ...

        get = post = put = patch = delete = route

    def input(  # noqa: PLR0913 - keywords, each with a default
        self,
        schema: SchemaLike,
        location: Location = "json",
        *,
        argument: str | None = None,
        example: Any = None,
        partial: bool | None = None,
        unknown: Unknown | None = None,
        wrap: str = "",
    ) -> Callable[[View], View]:
        """Check a part of the request and pass it to the view as a keyword argument.

        Place it below the route. All inputs that stand together are checked before
        anything is answered: one 422 lists every field of every input.

        :param location: where to look. ``json`` takes ``application/json`` and types that
            end in ``+json``.
        :param argument: name of the view's parameter; by default ``data`` for ``json`` and
            ``form``, else the location.
        :param example: shown in the OpenAPI document.
        :param partial: no field is required, as in a ``PATCH``; for a schema given as a class
            or as fields.
        :param unknown: ``marshmallow.RAISE``, ``EXCLUDE`` or ``INCLUDE``. By default the
            schema decides for ``json`` and ``form``, and other places ignore what they
            do not know. ``headers`` always do.
        :param wrap: the body is an object with one field of this name, ``{"user": {...}}``;
            the view receives what is in it.
        :raises TypeError: if the declaration contradicts another one or the view.
        """
        if location not in _ARGUMENTS:
            raise TypeError(
                f"There is no location {location!r}. Use one of {', '.join(_ARGUMENTS)}."
            )
        if location == "headers" and unknown is not None:
            raise TypeError("Requests always have more headers than a schema; leave out unknown=.")
        if wrap and location != "json":
            raise TypeError(f"Only a JSON body is wrapped; leave out wrap= for {location}.")
        declared = Input(
            schema=wrapped(instance(schema, partial=partial, unknown=unknown), wrap, unknown),
            location=location,
            argument=argument or _ARGUMENTS[location],
            example={wrap: example} if wrap and example is not None else example,
            wrap=wrap,
        )

        def decorate(view: View) -> View:
            endpoint = self._around(view, "input")
            endpoint.takes(declared, unknown)
            return cast("View", endpoint.function)

        return decorate

    def output(  # noqa: PLR0913 - keywords, each with a default
        self,
        schema: SchemaLike | None,
        status: int = 200,
        *,
        description: str = "",
        headers: Mapping[str, str] | None = None,
        example: Any = None,
        wrap: str = "",
    ) -> Callable[[View], View]:
        """Serialise what the view returns, and answer with *status*.

        Place it below the route. The view returns data, ``(data, status)`` or
        ``(data, status, headers)``; a response passes through untouched.

        :param schema: ``Schema(many=True)`` for a list, ``None`` for no body.
        :param description: when this is answered, for the OpenAPI document.
        :param headers: response header → what it means, for the OpenAPI document.
        :param example: of the data, for the OpenAPI document.
        :param wrap: answer with an object that has the data in one field of this name.
        :raises TypeError: if the view declares two outputs.
        """
        declared = Output(
            schema=None if schema is None else wrapped(instance(schema), wrap),
            status=status,
            description=description,
            headers=dict(headers or {}),
            example={wrap: example} if wrap and example is not None else example,
            wrap=wrap,
        )

        def decorate(view: View) -> View:
            endpoint = self._around(view, "output")
            endpoint.answers(declared)
            return cast("View", endpoint.function)

        return decorate

    def doc(  # noqa: PLR0913 - keywords, each with a default
        self,
        *,
        summary: str = "",
        description: str = "",
        tags: Sequence[str] = (),
        operation_id: str = "",
        deprecated: bool = False,
        hidden: bool = False,
        errors: Mapping[int, str] | None = None,
        security: Sequence[str] | None = None,
        links: Mapping[str, Mapping[str, str]] | None = None,
        **extra: Any,
    ) -> Callable[[View], View]:
        """Tell the OpenAPI document more about a view; nothing changes in what it does.

        Summary and description are by default those of the docstring.

        :param hidden: leave the view out of the document.
        :param errors: status → when it is answered: ``{404: "No such user."}``.
        :param security: names of security schemes, any of which will do; an empty list: none.
        :param links: view of this blueprint, or operation id → its parameter → field of the
            answer: ``{"read_user": {"user_id": "id"}}``; see :class:`~carboy.api.operation.Link`.
        :param extra: merged into the operation object as it is.
        """

        def decorate(view: View) -> View:
            operation = declare(view)
            operation.summary = summary or operation.summary
            operation.description = description or operation.description
            operation.tags = list(tags) or operation.tags
            operation.operation_id = operation_id or operation.operation_id
            operation.deprecated = operation.deprecated or deprecated
            operation.hidden = operation.hidden or hidden
            operation.errors.update(errors or {})
            operation.security = operation.security if security is None else list(security)
            operation.links += [Link(to, given) for to, given in (links or {}).items()]
            operation.extra.update(extra)
            return view

        return decorate

    def resource(self, rule: str, kind: type[Resource], *, endpoint: str | None = None) -> None:
        """Route a :class:`~carboy.Resource`: its list at *rule*, each row one step below.

        :param endpoint: of the list, by default *kind* in small letters; that of a row ends
            in ``_item``.
        :raises TypeError: if what *kind* declares contradicts itself.
        """
        from carboy.api.resource.views import Routed  # a database is not needed by every app

        routed = Routed(kind, rule, endpoint or kind.__name__.lower())
        for each, name, view in routed.views():
            self.add_url_rule(each, name, view)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,  # noqa: FBT001 - Flask's signature
        **options: Any,
    ) -> None:
        """See :meth:`flask.Blueprint.add_url_rule`; the view's answers get the envelope."""
        if view_func is not None:
            view_func = self._registered(view_func, rule)
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)

    def _registered(self, view: Callable[..., Any], rule: str) -> Callable[..., Any]:
        function = self._endpoints.get(view)
        if function is None:
            function = self._endpoints[view] = Endpoint.around(view).function
            self._tag(function)
            self._make_idempotent(function)
        operation = operation_of(function)
        for declared in operation.inputs if operation is not None else ():
            if re.search(rf"[<:]{re.escape(declared.argument)}>", rule):
                raise TypeError(
                    f"{declared.argument!r} is a variable of {rule} and an input of its view; "
                    "give one of them another name."
                )
        return function

    def _make_idempotent(self, function: Callable[..., Any]) -> None:
        if self.idempotency is not None:
            self.idempotency.cover(function, self._is_asked)
        declared = [operation_of(part) for part in parts_of(function)]
        found = self.idempotency, *(one.idempotency for one in declared if one is not None)
        for idempotency in filter(None, found):
            self.record_once(functools.partial(_init_app, idempotency))

    def _is_asked(self) -> bool:
        return flask.current_app.blueprints.get(flask.request.blueprint or "") is self

    def _tag(self, function: Callable[..., Any]) -> None:
        for part in parts_of(function):
            if self.tags and (part is function or operation_of(part)):
                operation = declare(part)
                operation.tags = operation.tags or list(self.tags)

    def _around(self, view: Callable[..., Any], decorator: str) -> Endpoint:
        if view in self._endpoints:
            raise TypeError(
                f"{view.__qualname__} is routed already: place @{self.name}.{decorator} below "
                "the route, or it would have no effect."
            )
        return Endpoint.around(view)


def _init_app(idempotency: Idempotent, state: BlueprintSetupState) -> None:
    idempotency.init_app(cast("flask.Flask", state.app))
