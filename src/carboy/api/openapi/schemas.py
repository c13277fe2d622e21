"""Marshmallow schemas as JSON Schema, a request's and a response's told apart.

A request shows no ``dump_only`` field and refuses unknown ones as the schema does; a
response shows no ``load_only`` field.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from inspect import cleandoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import EXCLUDE, INCLUDE, fields, missing
from marshmallow import Schema as Marshmallow
from marshmallow.types import UnknownOption

from carboy.api.openapi.components import Entry, Registry, camel, component_name
from carboy.api.openapi.constraints import constrain, types_of
from carboy.api.openapi.kinds import SIMPLE, Direction, Schema, details

_ANNOTATIONS = ("title", "description", "default", "examples", "deprecated")
_TYPED_KEYWORDS = frozenset({"$ref", "allOf", "anyOf", "const", "not", "oneOf"})


@dataclass(frozen=True)
class Scope:
    """Where in a document a conversion stands.

    :param partial: which fields need not be there: all, or those named.
    :param base: name of the component it belongs to, from which nameless ones take theirs.
    """

    direction: Direction
    partial: bool | frozenset[str] = False
    base: str = ""


class Converter(OpenAPIConverter):
    """apispec's converter, told the direction; components are kept in ``registry``."""

    field_mapping = SIMPLE

    def __init__(self, spec: APISpec) -> None:
        self.registry = Registry()
        self.scope = Scope("request")
        super().__init__(spec.openapi_version, component_name, spec)

    def init_attribute_functions(self) -> None:
        """Name the steps that turn one field into its schema; later ones see the earlier."""
        self.attribute_functions = [
            self.field2type_and_format,
            self.field2details,
            self.nested2properties,
            self.field2constraints,
            self.metadata2properties,
            self.field2default,
            self.field2nullable,
        ]

    def convert(
        self, schema: Marshmallow, direction: Direction, hint: str, *, inline: bool = False
    ) -> Schema:
        """Turn *schema* into a reference to its component, in an array if it is of many.

        :param hint: name of the component if the class has none of its own.
        :param inline: give the object itself instead of a reference.
        """
        with self._within(Scope(direction, _partial_of(schema), hint)):
            return self._object(schema) if inline else self.resolve_nested_schema(schema)

    def field(self, field: fields.Field[Any], direction: Direction, base: str = "") -> Schema:
        """Turn one field into its schema."""
        with self._within(Scope(direction, base=base)):
            return dict(self.field2property(field))

    @contextmanager
    def _within(self, scope: Scope) -> Iterator[None]:
        before, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = before

    def resolve_nested_schema(self, schema: Any) -> Schema:
        """Refer to the component of *schema* in the present direction, made if need be."""
        entry, fresh = self.registry.entry(schema, self.scope)
        if fresh:
            with self._within(replace(self.scope, base=entry.base)):
                entry.schema = self._object(schema)
        return _many(entry, many=schema.many)

    def _object(self, schema: Marshmallow) -> Schema:
        made: Schema = {"type": "object"}
        meta = getattr(schema, "Meta", None)
        for key in ("title", "description"):
            if hasattr(meta, key):
                made[key] = getattr(meta, key)
        written = vars(type(schema)).get("__doc__")
        if written and "description" not in made:
            made["description"] = cleandoc(written)
        made["properties"] = self._properties(schema)
        required = [
            field.data_key or name
            for name, field in self._shown(schema).items()
            if self._is_required(name, field)
        ]
        if required:
            made["required"] = required
        if self.scope.direction == "request" and schema.unknown != EXCLUDE:
            made["additionalProperties"] = schema.unknown == INCLUDE
        return made

    def _shown(self, schema: Marshmallow) -> dict[str, fields.Field[Any]]:
        fields_of: dict[str, fields.Field[Any]] = (
            schema.load_fields if self.scope.direction == "request" else schema.dump_fields
        )
        return fields_of

    def _properties(self, schema: Marshmallow) -> Schema:
        properties: Schema = {}
        outer = self.scope
        for name, field in self._shown(schema).items():
            inner = replace(
                outer, partial=_below(outer.partial, name), base=f"{outer.base}{camel(name)}"
            )
            with self._within(inner):
                properties[field.data_key or name] = self.field2property(field)
        return properties

    def _is_required(self, name: str, field: fields.Field[Any]) -> bool:
        partial = self.scope.partial
        if partial is True or (partial and name in partial):
            return False
        if self.scope.direction == "response":
            return bool(field.required or field.dump_default is not missing)
        return bool(field.required)

    def field2details(self, field: fields.Field[Any], **_: Any) -> Schema:
        """Add what the field's class says beyond type and format."""
        return details(field, self.scope.direction, self.field2property)

    def nested2properties(self, field: fields.Field[Any], ret: Schema) -> Schema:  # noqa: ARG002 - as apispec calls it
        """Refer to the component of a nested schema; the field's own options win."""
        if not isinstance(field, fields.Nested) or isinstance(field, fields.Pluck):
            return {}
        schema = field.schema
        schema = _with_unknown(schema, field.unknown) if field.unknown else schema
        return self.resolve_nested_schema(schema)

    def field2constraints(self, field: fields.Field[Any], ret: Schema) -> Schema:
        """Add what the validators demand."""
        constrain(field, ret)
        return {}

    def metadata2properties(self, field: fields.Field[Any], **kwargs: Any) -> Schema:
        """Add the field's metadata that JSON Schema knows; it wins over what was derived."""
        made: Schema = super().metadata2properties(field, **kwargs)
        for key in ("nullable", "readOnly", "writeOnly", "required"):
            made.pop(key, None)
        if "example" in made:
            made.setdefault("examples", [made["example"]])
            del made["example"]
        return made

    def field2default(self, field: fields.Field[Any], **_: Any) -> Schema:
        """Add what stands in for a missing value, unless it is computed."""
        if "default" in field.metadata:
            return {}
        default = field.load_default if self.scope.direction == "request" else field.dump_default
        if default is missing or callable(default):
            return {}
        try:
            return {"default": field._serialize(default, None, None)}  # noqa: SLF001 - as apispec does
        except (AttributeError, TypeError, ValueError, ArithmeticError):
            return {"default": default}

    def field2nullable(self, field: fields.Field[Any], ret: Schema) -> Schema:
        """Allow null the way of OpenAPI 3.1; null is not put to the validators."""
        if field.allow_none:
            allow_null(ret)
        return {}


def allow_null(schema: Schema) -> None:
    """Let *schema* accept null as well, whatever else it demands."""
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if _TYPED_KEYWORDS & schema.keys():
        core = {key: schema.pop(key) for key in list(schema) if key not in _ANNOTATIONS}
        schema["anyOf"] = [core, {"type": "null"}]
    elif "type" in schema and "null" not in types_of(schema):
        schema["type"] = [*types_of(schema), "null"]


def _many(entry: Entry, *, many: bool) -> Schema:
    reference = {"$ref": entry.reference}
    return {"type": "array", "items": reference} if many else reference


def _partial_of(schema: Marshmallow) -> bool | frozenset[str]:
    partial = schema.partial
    if isinstance(partial, bool) or partial is None:
        return bool(partial)
    return frozenset(partial) or False


def _below(partial: bool | frozenset[str], name: str) -> bool | frozenset[str]:  # noqa: FBT001
    """Partial loading reaches into nested schemas, by dotted names."""
    if isinstance(partial, bool):
        return partial
    prefix = f"{name}."
    inner = {one.removeprefix(prefix) for one in partial if one.startswith(prefix)}
    return frozenset(inner) or False


def _with_unknown(schema: Marshmallow, unknown: UnknownOption) -> Marshmallow:
    """Copy *schema* for one place that treats unknown fields differently."""
    changed = copy(schema)
    changed.unknown = unknown
    return changed
