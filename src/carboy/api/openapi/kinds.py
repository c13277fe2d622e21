"""What each marshmallow field looks like in JSON, on the way in and on the way out.

The way in may be wider: a decimal is taken as a number or as text, and answered as text.
Formats: OpenAPI format registry, https://spec.openapis.org/registry/format/.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, getcontext
from typing import Any, Literal

from marshmallow import fields, validate
from webargs import fields as webfields

Direction = Literal["request", "response"]
Schema = dict[str, Any]
Convert = Callable[[fields.Field[Any]], Schema]

_ISO = {None, "iso", "iso8601"}
_RFC = {"rfc", "rfc822"}
# RFC 5322, section 3.3, as email.utils writes it
_RFC_PATTERN = (
    "^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?[0-9]{1,2} "
    "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    "[0-9]{2}:[0-9]{2}:[0-9]{2} (?:[A-Z]{1,3}|[+-][0-9]{4})$"
)

SIMPLE: dict[type, tuple[str | None, str | None]] = {
    fields.Field: (None, None),
    fields.String: ("string", None),
    fields.Url: ("string", None),  # its validator tells uri from uri-reference
    fields.Email: ("string", "email"),
    fields.UUID: ("string", "uuid"),
    fields.Boolean: ("boolean", None),
    fields.Integer: ("integer", None),
    fields.Float: ("number", None),
    fields.TimeDelta: ("number", None),
    fields.IP: ("string", None),
    fields.IPv4: ("string", "ipv4"),
    fields.IPv6: ("string", "ipv6"),
    fields.IPInterface: ("string", "ip-interface"),
    fields.IPv4Interface: ("string", "ipv4-interface"),
    fields.IPv6Interface: ("string", "ipv6-interface"),
    fields.Mapping: ("object", None),
    fields.List: ("array", None),
    fields.Tuple: ("array", None),
}
"""Field class → type and format; the nearest ancestor of a class of your own counts."""


def details(field: fields.Field[Any], direction: Direction, convert: Convert) -> Schema:
    """Say what type and format alone do not.

    :param convert: turns a field inside this one into its schema.
    """
    for kind, describe in _DETAILS:
        if isinstance(field, kind):
            return describe(field, direction, convert)
    return {}


def _number(field: Any, direction: Direction, _convert: Convert) -> Schema:
    if not field.as_string:
        return {}
    kind = "integer" if isinstance(field, fields.Integer) else "number"
    pattern = "^-?[0-9]+$" if kind == "integer" else None
    types: Any = "string" if direction == "response" else [kind, "string"]
    return {"type": types, **({"pattern": pattern} if pattern else {})}


def _decimal(field: fields.Decimal, direction: Direction, _convert: Convert) -> Schema:
    if direction == "request":
        return {
            "type": ["string", "number"],
            "format": "decimal",
            "pattern": f"^{_sign(field)}{_whole_digits(field)}(?:\\.[0-9]+)?$",
        }
    if field.places is None:
        exponent = "" if field.as_string else "(?:E[+-]?[0-9]+)?"
        return {
            "type": "string",
            "format": "decimal",
            "pattern": f"^-?[0-9]+(?:\\.[0-9]+)?{exponent}$",
        }
    places = _places(field)
    fraction = f"\\.[0-9]{{{places}}}" if places else ""
    return {"type": "string", "format": "decimal", "pattern": f"^-?[0-9]+{fraction}$"}


def _sign(field: fields.Decimal) -> str:
    """Leave out the minus where a range refuses every negative number."""
    floors = [one.min for one in field.validators if isinstance(one, validate.Range)]
    return "" if any(floor is not None and floor >= 0 for floor in floors) else "-?"


def _whole_digits(field: fields.Decimal) -> str:
    """Quantizing refuses numbers that need more digits than the decimal context has."""
    if field.places is None:
        return "[0-9]+"
    return f"[0-9]{{1,{max(1, getcontext().prec - _places(field))}}}"


def _places(field: fields.Decimal) -> int:
    exponent = (field.places or Decimal(1)).as_tuple().exponent
    return max(0, -int(exponent))


def _datetime(field: fields.DateTime, direction: Direction, _convert: Convert) -> Schema:
    if field.format in _ISO:
        naive = isinstance(field, fields.NaiveDateTime) and (
            field.timezone is None or direction == "response"
        )
        return {"type": "string", "format": "date-time-local" if naive else "date-time"}
    if field.format in _RFC:
        return {"type": "string", "pattern": _RFC_PATTERN}
    if field.format in {"timestamp", "timestamp_ms"}:
        unit = "seconds" if field.format == "timestamp" else "milliseconds"
        floor = {"minimum": 0} if direction == "request" else {}
        return {"type": "number", "format": "unixtime", "x-unit": unit, **floor}
    return {"type": "string", "x-format": field.format}


def _date(field: fields.Date, _direction: Direction, _convert: Convert) -> Schema:
    if field.format in _ISO:
        return {"type": "string", "format": "date"}
    return {"type": "string", "x-format": field.format}


def _time(field: fields.Time, _direction: Direction, _convert: Convert) -> Schema:
    if field.format in _ISO:
        return {"type": "string", "format": "time-local"}
    return {"type": "string", "x-format": field.format}


def _timedelta(field: fields.TimeDelta, _direction: Direction, _convert: Convert) -> Schema:
    return {"x-unit": field.precision}


def _ip(_field: fields.IP, _direction: Direction, _convert: Convert) -> Schema:
    return {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


def _nothing(_field: fields.IP, _direction: Direction, _convert: Convert) -> Schema:
    return {}


def _enum(field: fields.Enum[Any], _direction: Direction, convert: Convert) -> Schema:
    values = [one.value if field.by_value else name for name, one in _members(field)]
    inner = field.field
    dumped = [inner._serialize(value, None, None) for value in values]  # noqa: SLF001
    described = {**convert(inner), "enum": dumped}
    if field.by_value and dumped != [name for name, _ in _members(field)]:
        described["x-enumNames"] = [name for name, _ in _members(field)]
    return described


def _members(field: fields.Enum[Any]) -> list[tuple[str, Any]]:
    """By name, aliases count as well."""
    kind: Any = field.enum
    if field.by_value:
        return [(one.name, one) for one in kind]
    return list(kind.__members__.items())


def _list(field: fields.List[Any], _direction: Direction, convert: Convert) -> Schema:
    return {"items": convert(field.inner)}


def _tuple(field: fields.Tuple, _direction: Direction, convert: Convert) -> Schema:
    parts = [convert(part) for part in field.tuple_fields]
    return {
        "prefixItems": parts,
        "items": False,
        "minItems": len(parts),
        "maxItems": len(parts),
    }


def _delimited(_field: Any, _direction: Direction, _convert: Convert) -> Schema:
    return {"type": "string"}


def _mapping(field: fields.Mapping[Any], _direction: Direction, convert: Convert) -> Schema:
    made: Schema = {
        "additionalProperties": convert(field.value_field) if field.value_field else True
    }
    if field.key_field:
        made["propertyNames"] = {**convert(field.key_field), "type": "string"}
    return made


def _pluck(field: fields.Pluck, _direction: Direction, convert: Convert) -> Schema:
    inner = convert(field.schema.fields[field.field_name])
    return {"type": "array", "items": inner} if field.many else inner


def _constant(field: fields.Constant[Any], _direction: Direction, _convert: Convert) -> Schema:
    return {"const": field.constant}


# Subclasses come before the class they extend.
_DETAILS: tuple[tuple[type[Any], Callable[[Any, Direction, Convert], Schema]], ...] = (
    (fields.Decimal, _decimal),
    (fields.Number, _number),
    (fields.DateTime, _datetime),
    (fields.Date, _date),
    (fields.Time, _time),
    (fields.TimeDelta, _timedelta),
    (fields.IPv4, _nothing),
    (fields.IPv6, _nothing),
    (fields.IP, _ip),
    (fields.Enum, _enum),
    (webfields.DelimitedFieldMixin, _delimited),
    (fields.List, _list),
    (fields.Tuple, _tuple),
    (fields.Mapping, _mapping),
    (fields.Pluck, _pluck),
    (fields.Constant, _constant),
)
