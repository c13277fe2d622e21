"""The OpenAPI document of an app, built from what is registered on it.

Source: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections import Counter
from enum import Enum
from inspect import cleandoc
from math import isfinite
from typing import Any

from apispec import APISpec
from flask import Flask

from carboy.api.openapi.components import camel, resolve
from carboy.api.openapi.errors import Errors
from carboy.api.openapi.kinds import Schema
from carboy.api.openapi.links import Links
from carboy.api.openapi.requests import body, parameters
from carboy.api.openapi.responses import addressed, merged, responses
from carboy.api.openapi.routes import Route, documented
from carboy.api.openapi.schemas import Converter
from carboy.api.openapi.sharing import share_headers

OPENAPI_VERSION = "3.1.0"
_ORDER = ("openapi", "info", "servers", "tags", "paths", "components")
_log = logging.getLogger(__name__)
_VARIABLES = re.compile(r"\{[^}]*\}")


def build(app: Flask) -> Schema:
    """Describe every documented view of *app*; equal registrations give an equal document."""
    spec = APISpec(
        title=app.config.get("API_TITLE") or app.name,
        version=app.config.get("API_VERSION") or "1.0.0",
        openapi_version=OPENAPI_VERSION,
        info=_description(app),
        servers=[{"url": "/"}],
    )
    convert = Converter(spec)
    errors = Errors(app)
    routes = _distinct(documented(app))
    names = _operation_ids(routes)
    links = Links(routes, names)
    for route, name in zip(routes, names, strict=True):
        operation = _operation(route, app, convert, errors, name)
        links.add(route, operation["responses"], errors.envelope(route))
        spec.path(route.path, operations={route.method: operation})
    for name, scheme in app.extensions.get("carboy.security_schemes", {}).items():
        spec.components.security_scheme(name, scheme)
    for tag in dict.fromkeys(tag for route in routes for tag in _tags(route)):
        spec.tag({"name": tag})
    return _finish(spec, convert, errors)


def _description(app: Flask) -> Schema:
    text = app.config.get("API_DESCRIPTION")
    return {"description": text} if text else {}


def _finish(spec: APISpec, convert: Converter, errors: Errors) -> Schema:
    schemas, references = convert.registry.named()
    references |= errors.references(schemas)
    for name, schema in sorted((schemas | errors.schemas).items()):
        spec.components.schemas[name] = schema
    whole: Schema = _plain(resolve(spec.to_dict(), references))
    share_headers(whole)
    return {key: whole[key] for key in _ORDER if key in whole}


def _distinct(routes: Any) -> list[Route]:
    """Keep one route per place: OpenAPI tells paths apart by their fixed parts only.

    Source: OpenAPI 3.1.0, section 4.8.8.2.
    """
    paths: dict[str, str] = {}
    taken: dict[tuple[str, str], Route] = {}
    for route in routes:
        shape = _VARIABLES.sub("{}", route.path)
        if paths.setdefault(shape, route.path) != route.path or (shape, route.method) in taken:
            _log.warning(
                "%s %s is not in the OpenAPI document: %s, registered earlier, is the same "
                "path there. Hide one of them, or give it a fixed part of its own.",
                route.method.upper(), route.path, paths[shape],
            )  # fmt: skip
            continue
        taken[shape, route.method] = route
    return list(taken.values())


def _operation(route: Route, app: Flask, convert: Converter, errors: Errors, name: str) -> Schema:
    declared = route.operation
    summary, description = _words(route)
    hint = camel(name)
    made: Schema = {"operationId": name, "summary": summary}
    if description:
        made["description"] = description
    if _tags(route):
        made["tags"] = _tags(route)
    if declared.deprecated or route.deprecation is not None:
        made["deprecated"] = True
    listed = [*route.parameters, *parameters(declared.inputs, convert), *declared.parameters]
    if route.idempotency is not None:
        listed.append(route.idempotency.parameter())
    if listed:
        made["parameters"] = listed
    request_body = body(declared.inputs, convert, f"{hint}Input")
    if request_body is not None:
        made["requestBody"] = request_body
    made["responses"] = responses(route, app, convert, errors, f"{hint}Output")
    if declared.security is not None:
        made["security"] = [{scheme: []} for scheme in declared.security]
    extra = addressed(declared.extra, made["responses"], errors.envelope(route))
    return merged(made, extra)


def _tags(route: Route) -> list[str]:
    if route.operation.tags or route.blueprint is None:
        return list(route.operation.tags)
    return [route.blueprint.name]


def _words(route: Route) -> tuple[str, str]:
    """Take summary and description from the declaration, else from the docstring.

    What a docstring says of its parameters is for callers in Python, and left out.
    """
    text = cleandoc(route.view.__doc__ or "")
    prose = re.split(r"^:\w+.*:", text, maxsplit=1, flags=re.MULTILINE)[0].strip()
    head, _, rest = prose.partition("\n\n")
    line = " ".join(head.split()).replace("`", "")  # a summary is text, a description Markdown
    summary = route.operation.summary or line.removesuffix(".") or _name(route)
    return summary, route.operation.description or rest.strip()


def _name(route: Route) -> str:
    return route.endpoint.rpartition(".")[2].replace("_", " ").capitalize()


def _operation_ids(routes: list[Route]) -> list[str]:
    """Name each operation by its view, as far as needed by blueprint, method and number."""
    names = [route.operation.operation_id or route.endpoint.rpartition(".")[2] for route in routes]
    owners: dict[str, set[str]] = {}
    for name, route in zip(names, routes, strict=True):
        owners.setdefault(name, set()).add(route.endpoint)
    names = [
        name if len(owners[name]) == 1 else route.endpoint.replace(".", "_")
        for name, route in zip(names, routes, strict=True)
    ]
    count = Counter(names)
    names = [
        name if count[name] == 1 else f"{name}_{route.method}"
        for name, route in zip(names, routes, strict=True)
    ]
    count = Counter(names)
    reserved = {name for name in names if count[name] == 1}
    unique = []
    for name in names:
        final, number = name, 2
        while count[name] > 1 and final in reserved:
            final, number = f"{name}_{number}", number + 1
        reserved.add(final)
        unique.append(final)
    return unique


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one return per kind of value
    """Leave nothing that JSON cannot write: schemas may hold any Python value."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(one) for one in value), key=str)
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | None) else str(value)
