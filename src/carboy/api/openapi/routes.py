"""Which routes belong into the document, and how Flask's rules are written there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.sansio.blueprints import Blueprint
from werkzeug.routing import (
    AnyConverter,
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    Rule,
    UnicodeConverter,
    UUIDConverter,
)
from werkzeug.routing.converters import NumberConverter

from carboy.api.deprecation import Deprecation
from carboy.api.openapi.kinds import Schema
from carboy.api.operation import UNSAFE, Operation, operation_of

if TYPE_CHECKING:
    from carboy.api.idempotency import Idempotent

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
_VARIABLE = re.compile(r"<(?:[a-zA-Z_]\w*(?:\(.*?\))?:)?(?P<name>[a-zA-Z_]\w*)>")
_LENGTH = re.compile(r"\{(\d+)(,?)(\d*)\}")


@dataclass(frozen=True)
class Route:
    """One rule and method of a documented view.

    :param path: as OpenAPI writes it: ``/users/{id}``.
    :param blueprint: the one it is registered on, ``None`` for the app itself.
    :param deprecation: the view's own, or that of the innermost blueprint which has one.
    """

    path: str
    method: str
    endpoint: str
    view: Callable[..., Any]
    operation: Operation
    parameters: tuple[Schema, ...]
    blueprint: Blueprint | None
    deprecation: Deprecation | None = None

    @property
    def idempotency(self) -> Idempotent | None:
        """What becomes of this request when it is sent again, by the view or its blueprint."""
        found: Idempotent | None = self.operation.idempotency
        found = found or getattr(self.blueprint, "idempotency", None)
        acts = found is not None and not found.ignored and self.method.upper() in UNSAFE
        return found if acts else None


def documented(app: Flask) -> Iterator[Route]:
    """Walk the app's routes in the order of registration.

    Documented is a view that declares something, or that stands on one of Carboy's
    blueprints; hidden ones and every other Flask view are left out.
    """
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        if view is None or rule.alias or rule.build_only or rule.redirect_to or rule.websocket:
            continue
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        for method in METHODS:
            if method not in (rule.methods or ()):
                continue
            answering = _for_method(view, method)
            operation = operation_of(answering) or operation_of(view)
            if operation is None and hasattr(blueprint, "envelope"):
                operation = Operation()
            if operation is None or operation.hidden:
                continue
            for describe in app.extensions.get("carboy.describers", ()):
                operation = describe(rule.endpoint, method, operation)
            yield Route(
                path=path_of(rule),
                method=method.lower(),
                endpoint=rule.endpoint,
                view=answering,
                operation=operation,
                parameters=tuple(_parameters(rule)),
                blueprint=blueprint,
                deprecation=_deprecation(app, rule.endpoint, operation, operation_of(view)),
            )


def path_of(rule: Rule) -> str:
    """Write a rule as OpenAPI does: ``/users/{id}``."""
    return _VARIABLE.sub(r"{\g<name>}", rule.rule)


def _deprecation(app: Flask, endpoint: str, *declared: Operation | None) -> Deprecation | None:
    for operation in declared:
        if operation is not None and operation.deprecation is not None:
            return operation.deprecation
    name = endpoint
    while "." in name:
        name = name.rpartition(".")[0]
        found: Deprecation | None = getattr(app.blueprints.get(name), "deprecation", None)
        if found is not None:
            return found
    return None


def _for_method(view: Callable[..., Any], method: str) -> Callable[..., Any]:
    """Find what answers *method*: of a class-based view, the method of that name."""
    kind = getattr(view, "view_class", None)
    found: Callable[..., Any] = getattr(kind, method.lower(), view)
    return found


def _parameters(rule: Rule) -> Iterator[Schema]:
    converters: dict[str, BaseConverter] = rule._converters  # noqa: SLF001 - Werkzeug has no public way
    for found in _VARIABLE.finditer(rule.rule):
        name = found["name"]
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": converter_schema(converters[name]),
        }


def converter_schema(converter: BaseConverter) -> Schema:
    """Describe what a converter of a rule accepts; one unknown to Werkzeug takes text."""
    if isinstance(converter, NumberConverter):
        return _number(converter)
    if isinstance(converter, AnyConverter):
        return {"type": "string", "enum": sorted(converter.items)}
    if isinstance(converter, UUIDConverter):
        return {"type": "string", "format": "uuid"}
    if isinstance(converter, PathConverter):
        return {"type": "string", "minLength": 1, "x-converter": "path"}
    if isinstance(converter, UnicodeConverter):
        return _text(converter)
    return {"type": "string"}


def _number(converter: NumberConverter) -> Schema:
    kind = "integer" if isinstance(converter, IntegerConverter) else "number"
    made: Schema = {"type": kind}
    low = converter.min
    if not converter.signed:
        low = 0 if low is None else max(0, low)
    if low is not None:
        made["minimum"] = low
    if converter.max is not None:
        made["maximum"] = converter.max
    if isinstance(converter, FloatConverter):
        made["description"] = "Written with a decimal point."
    elif converter.fixed_digits:
        made["description"] = f"Written with {converter.fixed_digits} digits."
    return made


def _text(converter: UnicodeConverter) -> Schema:
    made: Schema = {"type": "string", "minLength": 1}
    found = _LENGTH.search(converter.regex)
    if found is not None:
        made["minLength"] = int(found[1])
        longest = found[3] if found[2] else found[1]
        if longest:
            made["maxLength"] = int(longest)
    return made
