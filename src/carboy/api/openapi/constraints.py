"""What each marshmallow validator says, as JSON Schema keywords.

Source: JSON Schema Validation 2020-12, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from marshmallow import validate
from marshmallow.fields import Field

from carboy.api.openapi.kinds import Schema
from carboy.api.openapi.patterns import to_ecma

_LETTERS = (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL), ("x", re.VERBOSE))
_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_EMAIL_HOST = r"@(?:localhost|[^@]*\.[^@.]{2,}|\[[0-9.]+\])$"
_NARROWEST: dict[str, Callable[[Any, Any], Any]] = {
    "minimum": max, "exclusiveMinimum": max, "maximum": min, "exclusiveMaximum": min,
    "minLength": max, "maxLength": min, "minItems": max, "maxItems": min,
    "minProperties": max, "maxProperties": min,
}  # fmt: skip


def constrain(field: Field[Any], schema: Schema) -> None:
    """Add to *schema* what every validator of *field* demands, nested ones included.

    Callables and ``Predicate`` say nothing that a schema could; they add nothing.
    """
    for validator in _flat(field.validators):
        for kind, piece in _PIECES:
            if isinstance(validator, kind):
                narrow(schema, piece(validator, field, schema))
                break


def narrow(schema: Schema, piece: Schema) -> None:
    """Demand *piece* of what *schema* describes, besides all that it demands already."""
    rest: Schema = {}
    for key, value in piece.items():
        if key not in schema:
            schema[key] = value
        elif key in _NARROWEST:
            schema[key] = _NARROWEST[key](schema[key], value)
        elif key == "enum":
            schema[key] = [choice for choice in schema[key] if choice in value]
        elif schema[key] != value:
            rest[key] = value
    if rest:
        schema.setdefault("allOf", []).append(rest)


def types_of(schema: Schema) -> list[str]:
    """Name the JSON types *schema* allows; empty: any."""
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _flat(validators: Iterable[Any]) -> Iterator[Any]:
    for validator in validators:
        if isinstance(validator, validate.And):
            yield from _flat(validator.validators)
        else:
            yield validator


def _dumped(field: Field[Any], values: Iterable[Any]) -> list[Any]:
    return [_dump(field, value) for value in values]


def _dump(field: Field[Any], value: Any) -> Any:
    """Write *value* as the field would; as it is where the field cannot."""
    try:
        return field._serialize(value, None, None)  # noqa: SLF001 - what apispec calls too
    except (AttributeError, TypeError, ValueError, ArithmeticError):
        return value


def _length(validator: validate.Length, _field: Field[Any], schema: Schema) -> Schema:
    piece: Schema = {}
    low = validator.min if validator.equal is None else validator.equal
    high = validator.max if validator.equal is None else validator.equal
    for kind in types_of(schema):
        if kind in _LENGTHS:
            names = _LENGTHS[kind]
            piece |= {
                name: limit
                for name, limit in zip(names, (low, high), strict=True)
                if limit is not None
            }
    return piece


def _range(validator: validate.Range, field: Field[Any], schema: Schema) -> Schema:
    # Keywords for numbers are ignored by strings, so these say it in an extension too.
    piece: Schema = {}
    kinds = set(types_of(schema))
    for limit, inclusive, name in (
        (validator.min, validator.min_inclusive, "minimum"),
        (validator.max, validator.max_inclusive, "maximum"),
    ):
        if limit is None:
            continue
        key = name if inclusive else f"exclusive{name.title()}"
        shown = _dump(field, limit)
        if kinds & {"integer", "number"}:
            piece[key] = _number(shown)
        if not kinds <= {"integer", "number"}:
            piece[f"x-{key}"] = shown
    return piece


def _number(shown: Any) -> Any:
    if isinstance(shown, int | float):
        return shown
    number = float(shown)
    return int(number) if number.is_integer() else number


def _one_of(validator: validate.OneOf, field: Field[Any], _schema: Schema) -> Schema:
    piece: Schema = {"enum": _dumped(field, validator.choices)}
    labels = [str(label) for label in validator.labels]
    return {**piece, "x-enumNames": labels} if labels else piece


def _equal(validator: validate.Equal, field: Field[Any], _schema: Schema) -> Schema:
    return {"const": _dump(field, validator.comparable)}


def _none_of(validator: validate.NoneOf, field: Field[Any], _schema: Schema) -> Schema:
    return {"not": {"enum": _dumped(field, validator.iterable)}}


def _contains_only(validator: validate.ContainsOnly, field: Field[Any], schema: Schema) -> Schema:
    choices = _dumped_items(field, validator.choices)
    if "string" in types_of(schema):
        return {"pattern": f"^{_characters(choices)}*$"}
    if "object" in types_of(schema):
        return {"propertyNames": {"enum": choices}}
    items = dict(schema.get("items", {}))
    narrow(items, {"enum": choices})
    schema["items"] = items
    return {}


def _contains_none_of(
    validator: validate.ContainsNoneOf, field: Field[Any], schema: Schema
) -> Schema:
    values = _dumped_items(field, validator.iterable)
    if "string" in types_of(schema):
        return {"not": {"pattern": _characters(values)}}
    if "object" in types_of(schema):
        return {"propertyNames": {"not": {"enum": values}}}
    return {"not": {"contains": {"enum": values}}}


def _dumped_items(field: Field[Any], values: Iterable[Any]) -> list[Any]:
    inner = getattr(field, "inner", None) or getattr(field, "key_field", None)
    return list(values) if inner is None else _dumped(inner, values)


def _characters(choices: Iterable[Any]) -> str:
    """Match one of these characters; ``in`` on a string compares character by character."""
    escaped = "".join(f"\\{one}" if one in "\\]^-[" else str(one) for one in choices)
    return f"[{escaped}]"


def _regexp(validator: validate.Regexp, _field: Field[Any], _schema: Schema) -> Schema:
    pattern: Any = validator.regex
    if isinstance(pattern.pattern, bytes):
        return {}
    translated = to_ecma(pattern)
    if translated is not None:
        return {"pattern": translated}
    letters = "".join(letter for letter, flag in _LETTERS if pattern.flags & flag)
    prefix = f"(?{letters})" if letters else ""
    return {"x-pattern": f"{prefix}{pattern.pattern}"}


def _url(validator: validate.URL, _field: Field[Any], _schema: Schema) -> Schema:
    return {"format": "uri-reference" if validator.relative else "uri"}


def _email(_validator: validate.Email, _field: Field[Any], _schema: Schema) -> Schema:
    # The format allows any host (RFC 5321, section 4.1.2); marshmallow wants one with a dot.
    return {"format": "email", "pattern": _EMAIL_HOST}


# Subclasses come before the class they extend.
_PIECES: tuple[tuple[type[Any], Callable[[Any, Field[Any], Schema], Schema]], ...] = (
    (validate.Length, _length),
    (validate.Range, _range),
    (validate.ContainsOnly, _contains_only),
    (validate.ContainsNoneOf, _contains_none_of),
    (validate.OneOf, _one_of),
    (validate.NoneOf, _none_of),
    (validate.Equal, _equal),
    (validate.Regexp, _regexp),
    (validate.URL, _url),
    (validate.Email, _email),
)
