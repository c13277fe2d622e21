"""The response side of an operation: what a success and every failure look like."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from http import HTTPStatus

from flask import Flask
from marshmallow import Schema as Marshmallow

from carboy.api.envelope import Envelope, status_sent
from carboy.api.limits.headers import described as limit_headers
from carboy.api.limits.headers import refusals
from carboy.api.limits.plan import plan_of
from carboy.api.openapi.errors import ERROR, FAIL, Body, Errors
from carboy.api.openapi.kinds import Schema
from carboy.api.openapi.routes import Route
from carboy.api.openapi.schemas import Converter
from carboy.api.operation import Output
from carboy.errors import for_status

_BODILESS = frozenset({204, 205, 304})
_PHRASED = frozenset(HTTPStatus)


def responses(route: Route, app: Flask, convert: Converter, errors: Errors, hint: str) -> Schema:
    """Describe everything one operation may answer.

    Failures of statuses that are not listed, such as 429, 500 and 503, are under ``default``.
    """
    envelope = errors.envelope(route)
    made = _successes(route, envelope, convert, hint)
    sent = _sent(route, app, errors)
    for status, (meaning, bodies) in sorted(sent.items()):
        made[str(status)] = {"description": meaning, "content": errors.content(bodies)}
    made["default"] = {
        "description": "Any other failure",
        "content": errors.content(
            [(status, one) for one in errors.outside(envelope) for status in (FAIL, ERROR)]
        ),
    }
    causes = {str(code): {status for status, _ in bodies} for code, (_, bodies) in sent.items()}
    for code, described in made.items():
        said = _headers(code, causes.get(code, set()), route, app)
        if said:
            described["headers"] = {**said, **described.get("headers", {})}
    return made


def _headers(code: str, causes: AbstractSet[int], route: Route, app: Flask) -> Schema:
    """Describe the headers that come from around the view.

    :param code: what is sent.
    :param causes: statuses of the errors for which an envelope sends it.
    """
    said: Schema = {}
    if plan_of(app, route.endpoint, route.method.upper()) is not None:
        said |= limit_headers(causes - route.operation.errors.keys())
    if route.idempotency is not None:
        for status in sorted(map(str, causes)) or [code]:
            said = {**route.idempotency.headers(status), **said}
    if route.deprecation is not None:
        # A refusal may come from outside of the view, without its headers.
        said |= route.deprecation.described(required=code[0] in "23")
    return said


def addressed(extra: Schema, made: Schema, envelope: Envelope) -> Schema:
    """Lead what *extra* adds to the response of an error to the status that is sent for it.

    :param made: the responses there are.
    """
    moved: Schema = {}
    for code, added in extra.get("responses", {}).items():
        is_whole = code in made or "description" in added or not code.isdigit()
        final = code if is_whole else str(status_sent(envelope, int(code)))
        moved[final] = merged(moved.get(final, {}), added)
    return {**extra, "responses": moved} if moved else extra


def merged(under: Schema, over: Schema) -> Schema:
    """Lay *over* onto *under*: objects are merged, everything else is replaced."""
    made = dict(under)
    for key, value in over.items():
        known = made.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            value = merged(known, value)  # noqa: PLW2901 - the same value, completed
        made[key] = value
    return made


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
    found = _of_inputs(route, app)
    if route.parameters:
        found[404] = "There is nothing at this address"
    if route.operation.security:
        found[401] = "The caller is not known"
        if route.operation.refuses:
            found[403] = "The caller may not do this"
    for status, meaning in route.operation.errors.items():
        found[status] = meaning or for_status(status).message
    plan = plan_of(app, route.endpoint, route.method.upper())
    of_idempotency = route.idempotency.failures() if route.idempotency is not None else {}
    for more in (refusals(plan), of_idempotency):
        for status, meaning in more.items():
            found[status] = f"{found[status]}, or: {meaning}" if status in found else meaning
    return found


def _of_inputs(route: Route, app: Flask) -> dict[int, str]:
    locations = {one.location for one in route.operation.inputs}
    found: dict[int, str] = {}
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
    return found
