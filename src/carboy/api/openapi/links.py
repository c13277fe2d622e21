"""Links: where to go from an answer, and what of it to take along.

Source: OpenAPI 3.1.0, sections 4.8.20 (Link Object) and 4.8.20.4 (Runtime Expressions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import fields

from carboy.api.envelope import Envelope
from carboy.api.openapi.kinds import Schema
from carboy.api.openapi.routes import Route
from carboy.api.operation import Link
from carboy.errors import CarboyError

__all__ = ["Links"]

_MARK = {"$ref": "carboy-mark"}
_NOWHERE = "the envelope does not say where the data is"


class Links:
    """The links of one document, whose operations have their names.

    :param names: the operation id of each of *routes*.
    """

    def __init__(self, routes: Sequence[Route], names: Sequence[str]) -> None:
        self._by_id = dict(zip(names, routes, strict=True))

    def add(self, route: Route, responses: Schema, envelope: Envelope) -> None:
        """Write the links of *route* into the successes among its *responses*.

        :raises CarboyError: if one leads nowhere or takes what is not there.
        """
        found = dict(
            filter(None, (self._link(route, one, envelope) for one in route.operation.links))
        )
        if not found:
            return
        for code, response in responses.items():
            if code.startswith("2"):
                response["links"] = {**found, **response.get("links", {})}

    def _link(self, route: Route, link: Link, envelope: Envelope) -> tuple[str, Schema] | None:
        name = self._target(route, link)
        if name is None:
            if link.optional:
                return None
            raise _broken(
                route, link, "the document has no such operation, or several of that name"
            )
        target = self._by_id[name]
        given = {
            parameter: _expression(route, link, source, envelope)
            for parameter, source in link.parameters.items()
        }
        if None in given.values():
            return None
        passed = {each: f"$request.path.{each}" for each in _variables(target) & _variables(route)}
        made: Schema = {"operationId": name}
        if parameters := dict(sorted((passed | given).items())):
            made["parameters"] = parameters
        return name, made

    def _target(self, route: Route, link: Link) -> str | None:
        """Find the one operation *link* names: among the neighbours first, then anywhere."""
        owner = route.endpoint.rpartition(".")[0]
        near = f"{owner}.{link.to}" if owner else link.to
        meant = {name: one for name, one in self._by_id.items() if link.method in ("", one.method)}
        found = [name for name, one in meant.items() if one.endpoint == near]
        found = found or [name for name in meant if name == link.to]
        return found[0] if len(found) == 1 else None


def _variables(route: Route) -> set[str]:
    return {one["name"] for one in route.parameters}


def _expression(route: Route, link: Link, source: str, envelope: Envelope) -> str | None:
    if source.startswith("$"):
        return source
    output = route.operation.output
    if output is None or output.schema is None or route.operation.answers:
        raise _broken(route, link, f"it takes {source!r} of an answer that is no data")
    path = ".".join(filter(None, (output.wrap, source)))
    if not _leads_somewhere(output.schema, output.schema.many, path.split(".")):
        raise _broken(route, link, f"{type(output.schema).__name__} answers no {source!r}")
    outside = next(_ways(envelope.success_schema(dict(_MARK))), None)
    if outside is None:
        if link.optional:
            return None
        raise _broken(route, link, _NOWHERE)
    steps = [*outside, *path.split(".")]
    return "$response.body#" + "".join(f"/{_escaped(one)}" for one in steps)


def _leads_somewhere(schema: Any, many: bool, steps: Sequence[str]) -> bool:  # noqa: FBT001
    """Tell whether an answer of *schema* may have something there; of unknown kinds, anything."""
    if not steps:
        return True
    if many:
        return steps[0].isdigit() and _leads_somewhere(schema, False, steps[1:])  # noqa: FBT003
    field = next(
        (
            field
            for name, field in schema.dump_fields.items()
            if steps[0] == (name if field.data_key is None else field.data_key)
        ),
        None,
    )
    rest = steps[1:]
    while isinstance(field, fields.List) and rest and rest[0].isdigit():
        field, rest = field.inner, rest[1:]
    if isinstance(field, fields.Nested) and not isinstance(field, fields.Pluck):
        return _leads_somewhere(field.schema, field.many or field.schema.many, rest)
    return field is not None and not (rest and isinstance(field, fields.List))


def _ways(schema: Any, so_far: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Find where in a body the marked schema is."""
    if schema == _MARK:
        yield so_far
    if not isinstance(schema, Mapping):
        return
    for name, one in schema.get("properties", {}).items():
        yield from _ways(one, (*so_far, name))
    for place, one in enumerate(schema.get("prefixItems", ())):
        yield from _ways(one, (*so_far, str(place)))
    for one in schema.get("allOf", ()):
        yield from _ways(one, so_far)


def _escaped(name: str) -> str:
    """Write a key as part of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _broken(route: Route, link: Link, why: str) -> CarboyError:
    return CarboyError(
        f"{route.endpoint} declares a link to {link.to!r}, and {why}. Name a view of the same "
        "blueprint or an operation id, and fields of the answer by their names in JSON."
    )
