"""``dump``, compiled."""

from __future__ import annotations

import datetime as dt
import keyword
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from marshmallow import Schema, fields, missing
from marshmallow.decorators import POST_DUMP, PRE_DUMP
from marshmallow.fields import Field
from marshmallow.utils import get_value

from carboy.fast.schema.source import Compiled, Source
from carboy.fast.schema.stock import are_names_text, field_kind, is_stock

__all__ = ["dump"]

_KEY = "_carboy_dump"
_UNREAD = object()
_ISO = frozenset({"iso", "iso8601"})
_DATES: Mapping[type, type] = {
    fields.DateTime: dt.datetime,
    fields.NaiveDateTime: dt.datetime,
    fields.AwareDateTime: dt.datetime,
    fields.Date: dt.date,
    fields.Time: dt.time,
}
_NUMBERS: Mapping[type, str] = {fields.Integer: "int", fields.Float: "float"}
Dumper = Callable[[Any], dict[str, Any]]


class _Dumpers(Compiled):
    """The compiled code of one schema instance.

    :ivar of: its fields when that was compiled.
    :ivar keys: dumps a ``dict``.
    :ivar attributes: dumps an object that has no keys.
    :ivar anything: dumps the rest.
    """

    __slots__ = ("anything", "attributes", "keys", "of")

    def __init__(self, schema: Schema) -> None:
        self.of = schema.dump_fields
        self.keys = _dumper(schema, "obj[{name}]", "(KeyError, AttributeError)")
        self.attributes = _dumper(schema, "obj.{bare}", "AttributeError")
        self.anything = _dumper(schema, "", "")


def dump(schema: Schema, obj: Any, *, many: bool | None = None) -> Any:
    """Serialise as ``schema.dump`` does, and give the same.

    A schema is compiled when it is first used: change its fields before that.

    :param schema: an instance; keep it, and what is compiled is kept with it.
    :param many: whether *obj* is a collection; by default what the schema says.
    """
    return dump_or(schema.dump, schema, obj, many)


def dump_or(genuine: Callable[..., Any], schema: Schema, obj: Any, many: bool | None) -> Any:  # noqa: FBT001 - passed on
    """Serialise by compiled code, or by *genuine* where there is none."""
    dumpers = _dumpers(schema)
    if dumpers is None:
        return genuine(obj, many=many)
    if not (schema.many if many is None else many):
        return _one(dumpers, obj)
    return genuine(obj, many=many) if obj is None else [_one(dumpers, each) for each in obj]


def _dumpers(schema: Schema) -> _Dumpers | None:
    known: _Dumpers | bool | None = vars(schema).get(_KEY, False)
    if isinstance(known, _Dumpers) and known.of is schema.dump_fields:
        return known
    if known is None:
        return None
    made = _Dumpers(schema) if _is_understood(schema) else None
    vars(schema)[_KEY] = made
    return made


def _is_understood(schema: Schema) -> bool:
    hooks = type(schema)._hooks  # noqa: SLF001 - marshmallow has no public word for it
    return (
        is_stock(schema, "dump", "_serialize", "get_attribute")
        and schema.dict_class is dict
        and are_names_text(schema.dump_fields)
        and not hooks.get(PRE_DUMP)
        and not hooks.get(POST_DUMP)
    )


def _one(dumpers: _Dumpers, obj: Any) -> dict[str, Any]:
    kind = type(obj)
    if kind is dict:
        return dumpers.keys(obj)
    # Of an object whose class has no __getitem__, marshmallow reads attributes. Classes are
    # left out: they may be subscriptable by themselves.
    if not hasattr(kind, "__getitem__") and not issubclass(kind, type):
        return dumpers.attributes(obj)
    return dumpers.anything(obj)


def _dumper(schema: Schema, reading: str, failing: str) -> Dumper:
    """Write a function that reads all values, and dumps them at once if all are as expected.

    :param reading: how a value is read; empty: as marshmallow does it.
    :param failing: what that raises when there is none.
    """
    source = Source()
    source.line(0, "def dump(obj):")
    shown = [
        (name, field, _way_out(source, field, f"v{place}"))
        for place, (name, field) in enumerate(schema.dump_fields.items())
    ]
    direct = bool(reading) and all(
        way is not None and _is_word(_attribute(name, field)) for name, field, way in shown
    )
    # What was read is not read again: a property may do anything.
    for place in range(len(shown)):
        source.line(1, f"v{place} = {source.name(_UNREAD)}")
    if direct and shown:
        _write_expected(source, shown, reading, failing)
    _write_each(source, schema, shown)
    return source.function("dump")


def _write_expected(source: Source, shown: list[Any], reading: str, failing: str) -> None:
    """Write the case in which every value is there and of the expected type."""
    source.line(1, "try:")
    for place, (name, field, _) in enumerate(shown):
        bare = _attribute(name, field)
        source.line(2, f"v{place} = {reading.format(name=repr(bare), bare=bare)}")
    source.line(1, f"except {failing}:")
    if failing == "AttributeError":
        # The first that was not read is the one that is not there.
        unread, gone = source.name(_UNREAD), source.name(missing)
        for place in range(len(shown)):
            word = "elif" if place else "if"
            source.line(2, f"{word} v{place} is {unread}: v{place} = {gone}")
    else:
        source.line(2, "pass")
    source.line(1, "else:")
    tests = [way.test for _, _, way in shown if way.test]
    source.line(2, f"if {' and '.join(tests) or 'True'}:")
    pairs = ", ".join(f"{_key(name, field)!r}: {way.value}" for name, field, way in shown)
    source.line(3, f"return {{{pairs}}}")


def _write_each(source: Source, schema: Schema, shown: list[Any]) -> None:
    """Write the general case: each field for itself, what is unexpected by marshmallow."""
    accessor = source.name(schema.get_attribute)
    read, gone, unread = source.name(get_value), source.name(missing), source.name(_UNREAD)
    source.line(1, "shown = {}")
    for place, (name, field, way) in enumerate(shown):
        own = source.name(field)
        key, v = _key(name, field), f"v{place}"
        if way is None:
            source.line(1, f"{v} = {own}.serialize({name!r}, obj, accessor={accessor})")
            source.line(1, f"if {v} is not {gone}: shown[{key!r}] = {v}")
            continue
        source.line(1, f"if {v} is {unread}: {v} = {read}(obj, {_attribute(name, field)!r})")
        source.line(1, f"if {v} is {gone}:")
        source.line(2, f"{v} = {source.name(_default)}({own})")
        source.line(2, f"if {v} is not {gone}:")
        source.line(3, f"shown[{key!r}] = {own}._serialize({v}, {name!r}, obj)")
        source.line(1, f"elif {way.test or 'True'}: shown[{key!r}] = {way.value}")
        source.line(1, f"else: shown[{key!r}] = {own}._serialize({v}, {name!r}, obj)")
    source.line(1, "return shown")


def _is_word(name: str) -> bool:
    """Tell whether a name can stand in code; other letters than ASCII Python normalises."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def _default(field: Field[Any]) -> Any:
    return field.dump_default() if callable(field.dump_default) else field.dump_default


def _attribute(name: str, field: Field[Any]) -> str:
    return name if field.attribute is None else field.attribute


def _key(name: str, field: Field[Any]) -> str:
    return name if field.data_key is None else field.data_key


class _Way(NamedTuple):
    """How a value leaves.

    :param test: true when *value* is known to be right; empty: always.
    :param value: what is shown.
    """

    test: str
    value: str


def _way_out(source: Source, field: Field[Any], v: str) -> _Way | None:
    """Say how the value *v* of a field is dumped; ``None``: as the field itself does it."""
    kind = field_kind(field, loading=False)
    if kind is None:
        return None
    if kind in (fields.Raw, fields.Boolean):
        return _Way("", v)
    if kind is fields.List:
        return _list_out(source, field, v)
    if kind is fields.Nested and type(field) is fields.Nested:
        return _Way("", f"{source.name(_Inner(field))}({v})")
    written = _written(source, kind, field, v)
    if written is None:
        return None
    test, value = written
    return _Way(f"({test} or {v} is None)", value if value == v else _unless_none(v, value))


def _unless_none(v: str, value: str) -> str:
    return f"(None if {v} is None else {value})"


def _written(source: Source, kind: type, field: Any, v: str) -> tuple[str, str] | None:
    """Give a test for the usual type of a value, and what such a value becomes."""
    if kind is fields.String:
        return f"type({v}) is str", v
    if kind in _NUMBERS:
        return f"type({v}) is {_NUMBERS[kind]}", f"str({v})" if field.as_string else v
    if kind is fields.UUID:
        return f"type({v}) is {source.name(uuid.UUID)}", f"str({v})"
    if kind is fields.Decimal:
        return _decimal_out(source, field, v)
    if kind in _DATES and (field.format or field.DEFAULT_FORMAT) in _ISO:
        return f"type({v}) is {source.name(_DATES[kind])}", f"{v}.isoformat()"
    return None


def _decimal_out(source: Source, field: fields.Decimal, v: str) -> tuple[str, str]:
    test = f"type({v}) is {source.name(Decimal)} and {v}.is_finite()"
    value = v
    if field.places is not None:
        places, rounding = source.name(field.places), source.name(field.rounding)
        value = f"{v}.quantize({places}, rounding={rounding})"
    return f"({test})", f"format({value}, 'f')" if field.as_string else value


def _list_out(source: Source, field: Any, v: str) -> _Way | None:
    inner = field.inner
    kind = field_kind(inner, loading=False)
    if kind is None:
        return None
    if kind is fields.Nested and type(inner) is fields.Nested:
        each = f"{source.name(_Inner(inner))}(e)"
    else:
        way = _way_out(source, inner, "e")
        if way is None or kind is fields.List:
            return None
        otherwise = f"{source.name(inner)}._serialize(e, None, None)"
        each = f"{way.value} if {way.test} else {otherwise}" if way.test else way.value
    return _Way("", _unless_none(v, f"[{each} for e in {v}]"))


class _Inner:
    """Dumps what is nested; its schema is looked up when it is first needed, as by marshmallow."""

    __slots__ = ("_field",)

    def __init__(self, field: fields.Nested) -> None:
        self._field = field

    def __call__(self, value: Any) -> Any:
        schema = self._field.schema
        if value is None:
            return None
        return dump(schema, value, many=schema.many or self._field.many)
