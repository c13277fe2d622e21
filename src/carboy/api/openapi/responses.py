"""The response side of an operation: what a success and every failure look like."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus

from flask import Flask
from marshmallow import Schema as Marshmallow

from carboy.api.envelope import Envelope, JSend, status_sent
from carboy.api.limits.headers import described as limit_headers
from carboy.api.limits.headers import refusals
from carboy.api.limits.plan import plan_of
from carboy.api.openapi.kinds import Schema
from carboy.api.openapi.routes import Route
from carboy.api.openapi.schemas import Converter
from carboy.api.operation import Output
from carboy.errors import for_status

_BODILESS = frozenset({204, 205, 304})
_FAIL, _ERROR, _ERRORS_FROM = 400, 500, 500
_PHRASED = frozenset(HTTPStatus)
_DEFAULT = JSend()
Body = tuple[int, Envelope]
"""The status of an error, and the envelope that writes it."""


class Errors:
    """The bodies of failures, one component for all that look the same."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._of_app: Envelope = app.extensions.get("carboy.envelope", _DEFAULT)
        self._names: dict[str, str] = {}
        self.schemas: dict[str, Schema] = {}

    def envelope(self, route: Route) -> Envelope:
        """Find the envelope of *route*: the innermost blueprint's that has one, or the app's."""
        name = route.endpoint
        while "." in name:
            name = name.rpartition(".")[0]
            found = getattr(self._app.blueprints.get(name), "envelope", None)
            if found is not None:
                envelope: Envelope = found
                return envelope
        return self._of_app

    def content(self, bodies: Iterable[Body]) -> Schema:
        """Describe the body of an error that is any of *bodies*."""
        by_type: dict[str, list[Schema]] = {}
        for status, envelope in bodies:
            reference = {"$ref": self._component(envelope, status)}
            known = by_type.setdefault(envelope.error_media_type, [])
            if reference not in known:
                known.append(reference)
        return {
            media_type: {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}
            for media_type, refs in by_type.items()
        }

    def outside(self, envelope: Envelope) -> list[Envelope]:
        """Name who may answer before a view is found: the app, and the blueprint for the rest."""
        return [envelope] if envelope is self._of_app else [envelope, self._of_app]

    def _component(self, envelope: Envelope, status: int) -> str:
        schema = envelope.error_schema(status)
        text = json.dumps(schema, sort_keys=True)
        if text not in self._names:
            name = next(
                name for name in _candidates(envelope, status, schema) if name not in self.schemas
            )
            self.schemas[name] = schema
            self._names[text] = f"carboy-error:{name}"
        return self._names[text]

    def references(self, taken: Iterable[str]) -> dict[str, str]:
        """Give the components their names among those *taken* by schemas of the app.

        :return: what every pending reference becomes; ``schemas`` is renamed with it.
        """
        occupied = set(taken)
        renamed: dict[str, Schema] = {}
        references: dict[str, str] = {}
        for name, schema in self.schemas.items():
            final = name
            while final in occupied:
                final += "Body"
            occupied.add(final)
            renamed[final] = schema
            references[f"carboy-error:{name}"] = f"#/components/schemas/{final}"
        self.schemas = renamed
        return references


def _candidates(envelope: Envelope, status: int, schema: Schema) -> Iterable[str]:
    if "title" in schema:
        yield "".join(str(schema["title"]).split())
    if schema == envelope.error_schema(_ERROR):
        plain = "Error"
    elif schema == envelope.error_schema(_FAIL):
        plain = "Fail"
    else:
        plain = type(for_status(status)).__name__
    yield plain
    named = f"{type(envelope).__name__}{plain}"
    yield named
    number = 2
    while True:
        yield f"{named}{number}"
        number += 1


def responses(route: Route, app: Flask, convert: Converter, errors: Errors, hint: str) -> Schema:
    """Describe everything one operation may answer.

    Failures of statuses that are not listed, such as 429, 500 and 503, are under ``default``.
    """
    envelope = errors.envelope(route)
    made = _successes(route, envelope, convert, hint)
    for status, (meaning, bodies) in sorted(_sent(route, app, errors).items()):
        made[str(status)] = {"description": meaning, "content": errors.content(bodies)}
    made["default"] = {
        "description": "Any other failure",
        "content": errors.content(
            [(status, one) for one in errors.outside(envelope) for status in (_FAIL, _ERROR)]
        ),
    }
    _add_headers(made, route, app)
    return made


def _add_headers(made: Schema, route: Route, app: Flask) -> None:
    """Describe the headers that come from around the view."""
    if plan_of(app, route.endpoint, route.method.upper()) is not None:
        for code, described in made.items():
            described["headers"] = {**limit_headers(code), **described.get("headers", {})}
    if route.idempotency is not None:
        for code, described in made.items():
            if said := route.idempotency.headers(code):
                described["headers"] = {**said, **described.get("headers", {})}
    if route.deprecation is not None:
        for code, described in made.items():
            # A refusal may come from outside of the view, without its headers.
            said = route.deprecation.described(required=code[0] in "23")
            described["headers"] = {**said, **described.get("headers", {})}


def _sent(route: Route, app: Flask, errors: Errors) -> dict[int, tuple[str, list[Body]]]:
    """Say which failures are answered, by the status that an envelope sends for them.

    :return: status → when it is answered, and what the body may look like.
    """
    envelope = errors.envelope(route)
    found: dict[int, tuple[str, list[Body]]] = {}
    for status, meaning in sorted(_failures(route, app).items()):
        who = [envelope] if status in route.operation.errors else errors.outside(envelope)
        for one in who:
            said, bodies = found.setdefault(status_sent(one, status), ("", []))
            if meaning not in said:
                said = f"{said}, or: {meaning}" if said else meaning
            found[status_sent(one, status)] = said, [*bodies, (status, one)]
    return found


def _successes(route: Route, envelope: Envelope, convert: Converter, hint: str) -> Schema:
    operation = route.operation
    if operation.answers:
        return {
            str(code): _answer(said, convert, hint)
            for code, said in sorted(operation.answers.items())
        }
    if operation.output is None:
        return {"200": {"description": _phrase(200)}}
    return {str(operation.output.status): _success(operation.output, envelope, convert, hint)}


def _answer(said: Schema, convert: Converter, hint: str) -> Schema:
    """Copy a response that was written by hand, in which a schema may be marshmallow's."""
    made = dict(said)
    if "content" in made:
        made["content"] = {
            kind: {**media, "schema": convert.convert(media["schema"], "response", hint)}
            if isinstance(media.get("schema"), Marshmallow)
            else media
            for kind, media in made["content"].items()
        }
    return made


def _success(output: Output, envelope: Envelope, convert: Converter, hint: str) -> Schema:
    made: Schema = {"description": output.description or _phrase(output.status)}
    if output.headers:
        made["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in output.headers.items()
        }
    if output.status in _BODILESS:
        return made
    if output.schema is None:
        if output.media_type is not None:
            made["content"] = {output.media_type: {}}
        return made
    schema = envelope.success_schema(convert.convert(output.schema, "response", hint))
    media: Schema = {"schema": schema}
    if output.example is not None:
        media["example"] = envelope.success(output.example, output.status)
    made["content"] = {output.media_type or envelope.media_type: media}
    return made


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in _PHRASED else "Success"


def _failures(route: Route, app: Flask) -> dict[int, str]:
    """Say which errors this operation answers by what it declares, and when."""
    locations = {one.location for one in route.operation.inputs}
    found: dict[int, str] = {}
    if route.parameters:
        found[404] = "There is nothing at this address"
    if locations:
        found[400] = "The request cannot be read"
        found[422] = "The request was read, and its content is not valid"
    if "json" in locations:
        depth = app.config.get("JSON_MAX_DEPTH")
        deep = f", or is nested deeper than {depth} levels" if depth else ""
        found[400] = f"The body is not JSON{deep}"
    if locations & {"json", "form", "files"}:
        found[413] = "The body is too large"
        limit = app.config.get("MAX_CONTENT_LENGTH")
        if limit:
            found[413] = f"The body is larger than {limit} bytes"
        found[415] = "The body is of another content type than those listed"
    if route.operation.security:
        found[401] = "The caller is not known"
        found[403] = "The caller may not do this"
    for status, meaning in route.operation.errors.items():
        found[status] = meaning or for_status(status).message
    plan = plan_of(app, route.endpoint, route.method.upper())
    of_idempotency = route.idempotency.failures() if route.idempotency is not None else {}
    for more in (refusals(plan), of_idempotency):
        for status, meaning in more.items():
            found[status] = f"{found[status]}, or: {meaning}" if status in found else meaning
    return found
