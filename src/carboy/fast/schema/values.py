"""How a value is known to be right on its way in, and what it becomes."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from marshmallow import fields, validate
from marshmallow.fields import Field
from marshmallow.validate import Validator

from carboy.fast.schema.source import Source
from carboy.fast.schema.stock import field_kind

__all__ = ["Way", "way_in"]

_ISO = frozenset({"iso", "iso8601"})
_TESTS: Mapping[type, str] = {fields.String: "type(v) is str", fields.Integer: "type(v) is int"}
_PARSERS: Mapping[type, tuple[Any, str]] = {
    fields.DateTime: (dt.datetime.fromisoformat, "True"),
    fields.NaiveDateTime: (dt.datetime.fromisoformat, "w.tzinfo is None"),
    fields.AwareDateTime: (
        dt.datetime.fromisoformat,
        "w.tzinfo is not None and w.tzinfo.utcoffset(w) is not None",
    ),
    fields.Date: (dt.date.fromisoformat, "True"),
    fields.Time: (dt.time.fromisoformat, "True"),
}
_CALLS = {
    kind: kind.__call__
    for kind in (
        validate.Length,
        validate.Range,
        validate.OneOf,
        validate.Regexp,
        validate.Email,
    )
}
# Where one of these is set on a validator itself, it is not the class's.
_OWN = frozenset({"USER_REGEX", "DOMAIN_REGEX", "DOMAIN_WHITELIST", "__call__"})


class Way(NamedTuple):
    """How a value ``v`` comes in.

    :param test: true when the value is known to be right, or can be converted.
    :param value: what it becomes: ``v``, or an expression that raises for what is wrong.
    :param check: true when the result ``w`` of that is right.
    """

    test: str
    value: str = "v"
    check: str = "True"


def way_in(source: Source, field: Field[Any]) -> Way | None:
    """Say how a field loads a usual value; ``None``: only its own code knows."""
    kind = field_kind(field, loading=True)
    if kind is None or field.pre_load or field.post_load:
        return None
    if kind is fields.List:
        return _list_in(source, field)
    way = _scalar(source, kind, field)
    checks = [_validated(source, one, "v") for one in field.validators]
    if way is None or None in checks:
        return None
    written = "".join(f" and {check}" for check in checks if check)
    if way.value == "v":
        return Way(f"{way.test}{written}")
    return way._replace(check=f"{way.check}{_of('w', written)}")


def _of(name: str, test: str) -> str:
    """Write a test of ``v`` as one of another variable."""
    return re.sub(r"\bv\b", name, test)


def _scalar(source: Source, kind: type, field: Any) -> Way | None:  # noqa: PLR0911 - a kind each
    if kind in _TESTS:
        return Way(_TESTS[kind])
    if kind is fields.Float:
        return Way("type(v) is float" if field.allow_nan else "type(v) is float and v - v == 0.0")
    if kind is fields.Boolean and _usual_words(field):
        return Way("(v is True or v is False)")
    if kind is fields.UUID:
        return Way("type(v) is str", f"{source.name(uuid.UUID)}(v)")
    if kind is fields.Decimal and not field.allow_nan:
        return _decimal_in(source, field)
    if kind in _PARSERS and (field.format or field.DEFAULT_FORMAT) in _ISO:
        parser, check = _PARSERS[kind]
        return Way("type(v) is str", f"{source.name(parser)}(v)", check)
    return None


def _usual_words(field: Any) -> bool:
    stock = fields.Boolean
    return field.truthy is stock.truthy and field.falsy is stock.falsy


def _decimal_in(source: Source, field: fields.Decimal) -> Way:
    value = f"{source.name(Decimal)}(str(v))"
    if field.places is not None:
        places, rounding = source.name(field.places), source.name(field.rounding)
        value = f"{value}.quantize({places}, rounding={rounding})"
    return Way("(type(v) is str or type(v) is int)", value, "w.is_finite()")


def _list_in(source: Source, field: Any) -> Way | None:
    inner = field.inner
    kind = field_kind(inner, loading=True)
    if kind in (None, fields.List, fields.Nested):
        return None
    way = way_in(source, inner)
    checks = [_validated(source, one, "v") for one in field.validators]
    if way is None or way.value != "v" or None in checks:
        return None
    written = "".join(f" and {check}" for check in checks if check)
    each = _of("e", way.test)
    return Way(f"type(v) is list and all([{each} for e in v]){written}", "[*v]")


def _validated(source: Source, validator: Any, v: str) -> str | None:
    """Write what a validator of marshmallow's accepts; empty: all; ``None``: unknown."""
    kind = type(validator)
    if kind not in _CALLS or kind.__call__ is not _CALLS[kind] or _OWN & vars(validator).keys():
        return None
    written: str | None = _WRITTEN[kind](source, validator, v)
    return written


def _length(source: Source, validator: validate.Length, v: str) -> str:
    if validator.equal is not None:
        return f"len({v}) == {source.name(validator.equal)}"
    least = "" if validator.min is None else f"{source.name(validator.min)} <= "
    most = "" if validator.max is None else f" <= {source.name(validator.max)}"
    return f"{least}len({v}){most}" if least or most else ""


def _range(source: Source, validator: validate.Range, v: str) -> str:
    parts = []
    if validator.min is not None:
        parts.append(f"{v} {'>=' if validator.min_inclusive else '>'} {source.name(validator.min)}")
    if validator.max is not None:
        parts.append(f"{v} {'<=' if validator.max_inclusive else '<'} {source.name(validator.max)}")
    return " and ".join(parts)


def _one_of(source: Source, validator: validate.OneOf, v: str) -> str | None:
    if not isinstance(validator.choices, list | tuple | set | frozenset | dict | range):
        return None  # looking into an iterator would use it up
    return f"{v} in {source.name(validator.choices)}"


def _regexp(source: Source, validator: validate.Regexp, v: str) -> str:
    return f"{source.name(validator.regex.match)}({v}) is not None"


def _email(source: Source, validator: validate.Email, v: str) -> str:
    del validator
    kind = validate.Email  # its patterns are compiled when they are first looked at
    check = _email_check(kind.USER_REGEX, kind.DOMAIN_REGEX, tuple(kind.DOMAIN_WHITELIST))
    return f"{source.name(check)}({v})"


@lru_cache(maxsize=8)
def _email_check(
    users: re.Pattern[str], domains: re.Pattern[str], local: tuple[str, ...]
) -> Callable[[str], bool]:
    is_user, is_domain = users.match, domains.match

    def is_email(value: str) -> bool:
        user, at, domain = value.rpartition("@")
        return bool(at and is_user(user)) and (is_domain(domain) is not None or domain in local)

    return is_email


_WRITTEN: Mapping[type[Validator], Any] = {
    validate.Length: _length,
    validate.Range: _range,
    validate.OneOf: _one_of,
    validate.Regexp: _regexp,
    validate.Email: _email,
}
