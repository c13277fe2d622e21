"""The request side of an operation: parameters and body."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema as Marshmallow
from marshmallow import fields
from webargs.fields import DelimitedFieldMixin

from carboy.api.files.uploads import File
from carboy.api.openapi.components import camel
from carboy.api.openapi.constraints import constrain, narrow, types_of
from carboy.api.openapi.kinds import Schema
from carboy.api.openapi.schemas import Converter
from carboy.api.operation import Input, Location

_BODIES: tuple[Location, ...] = ("json", "form", "files")
_PLACES = {"query": "query", "headers": "header", "cookies": "cookie"}
# OpenAPI 3.1, section 4.8.12.1: a parameter of these names is ignored
_IGNORED_HEADERS = {"accept", "authorization", "content-type"}
_STYLES = {",": "form", " ": "spaceDelimited", "|": "pipeDelimited"}
_ABOVE_SCHEMA = ("description", "deprecated")
_FILE = {"type": "string", "format": "binary"}


def parameters(inputs: list[Input], convert: Converter) -> list[Schema]:
    """Describe every query, header and cookie field as a parameter."""
    made = []
    for one in inputs:
        place = _PLACES.get(one.location)
        if place is None:
            continue
        for name, field in one.schema.load_fields.items():
            parameter = _parameter(field.data_key or name, place, field, one, convert)
            if place != "header" or parameter["name"].lower() not in _IGNORED_HEADERS:
                made.append(parameter)
    return made


def _parameter(
    name: str, place: str, field: fields.Field[Any], given: Input, convert: Converter
) -> Schema:
    schema = convert.field(field, "request", base=camel(name))
    made: Schema = {"name": name, "in": place, "required": _required(given.schema, field)}
    made |= _style(field, place)
    if "style" in made and isinstance(field, DelimitedFieldMixin):
        schema = _undelimited(field, schema, convert)
    made |= {key: schema.pop(key) for key in _ABOVE_SCHEMA if key in schema}
    made["schema"] = schema
    if isinstance(given.example, dict) and name in given.example:
        made["example"] = given.example[name]
    return made


def _required(schema: Marshmallow, field: fields.Field[Any]) -> bool:
    partial = schema.partial
    if partial is True or (partial and field.name in partial):
        return False
    return bool(field.required)


def _style(field: fields.Field[Any], place: str) -> Schema:
    """Say how a list is written: repeated, or in one value with a delimiter."""
    if isinstance(field, DelimitedFieldMixin):
        style = _STYLES.get(field.delimiter) if place == "query" else None
        if place == "header" and field.delimiter == ",":
            style = "simple"
        return {"style": style, "explode": False} if style else {}
    if isinstance(field, fields.List | fields.Tuple) and place != "header":
        return {"style": "form", "explode": True}
    return {}


def _undelimited(field: Any, schema: Schema, convert: Converter) -> Schema:
    """Where a style says how it is delimited, the schema is that of the list."""
    delimiter = getattr(field, "delimiter", ",")
    if isinstance(field, fields.List):
        parts: Schema = {"items": _without(delimiter, convert.field(field.inner, "request"))}
    else:
        inner = [_without(delimiter, convert.field(part, "request")) for part in field.tuple_fields]
        parts = {"prefixItems": inner, "minItems": len(inner), "maxItems": len(inner)}
    made: Schema = {"type": "array", **parts}
    constrain(field, made)
    notes = {key: schema[key] for key in ("title", *_ABOVE_SCHEMA, "examples") if key in schema}
    return {**made, **notes}


def _without(delimiter: str, item: Schema) -> Schema:
    """Say of text that it cannot hold what parts it from the next."""
    if "string" in types_of(item) and not {"enum", "const", "format"} & item.keys():
        narrow(item, {"pattern": f"^[^{delimiter}]*$"})
    return item


def body(inputs: list[Input], convert: Converter, hint: str) -> Schema | None:
    """Describe the request body; ``None`` where no input is read from one.

    :param hint: name for the component of a schema that has none of its own.
    """
    # An endpoint takes one input from each place, and JSON never beside a form.
    by_place = {one.location: one for one in inputs}
    json, form, files = (by_place.get(place) for place in _BODIES)
    content: Schema = {}
    if json is not None:
        schema = convert.convert(json.schema, "request", hint)
        content = dict.fromkeys(json.media_types, _media(schema, json))
    elif files is not None:
        parts = [files] if form is None else [form, files]
        media = _media(_multipart(parts, convert, hint), *parts)
        content["multipart/form-data"] = media | _encoding(files)
    elif form is not None:
        media = _media(convert.convert(form.schema, "request", hint), form)
        content = dict.fromkeys(("application/x-www-form-urlencoded", "multipart/form-data"), media)
    return {"required": True, "content": content} if content else None


def _media(schema: Schema, *inputs: Input) -> Schema:
    examples = [one.example for one in inputs if one.example is not None]
    return {"schema": schema, **({"example": examples[0]} if len(examples) == 1 else {})}


def _multipart(inputs: list[Input], convert: Converter, hint: str) -> Schema:
    made: Schema = {"type": "object", "properties": {}}
    required: list[str] = []
    for one in inputs:
        inner = convert.convert(one.schema, "request", hint, inline=True)
        if one.location == "files":
            for name, field in one.schema.load_fields.items():
                key = field.data_key or name
                inner["properties"][key] = _file(field, inner["properties"][key])
        made["properties"] |= inner["properties"]
        required += inner.get("required", [])
    if required:
        made["required"] = required
    return made


def _file(field: fields.Field[Any], described: Schema) -> Schema:
    notes: Schema = {
        key: described[key]
        for key in ("title", "description", "deprecated", "minItems", "maxItems")
        if key in described
    }
    if isinstance(field, fields.List):
        return {"type": "array", "items": _file(field.inner, {}), **notes}
    bounds: Schema = {}
    if isinstance(field, File):  # lengths of binary data are in bytes (OpenAPI 3.1.0, 4.8.14.2)
        bounds = {"minLength": 0 if field.empty else 1, "maxLength": field.size_max}
    return {**_FILE, **bounds, **notes}


def _encoding(files: Input) -> Schema:
    """Say which content types each part may have (OpenAPI 3.1.0, section 4.8.15)."""
    types: Schema = {}
    for name, field in files.schema.load_fields.items():
        one = field.inner if isinstance(field, fields.List) else field
        if isinstance(one, File) and one.types:
            types[field.data_key or name] = {"contentType": ", ".join(one.types)}
    return {"encoding": types} if types else {}
