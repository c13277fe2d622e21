"""Writing the functions that dump."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from marshmallow import Schema, missing
from marshmallow.fields import Field
from marshmallow.utils import get_value

from carboy.fast.schema.outgoing import Dumped, Way, way_out
from carboy.fast.schema.source import Source

__all__ = [
    "DumpMany",
    "DumpOne",
    "any_dumper",
    "list_dumper",
    "object_dumper",
    "row_dumper",
]

_UNREAD = object()
DumpOne = Callable[[Any], dict[str, Any]]
DumpMany = Callable[[Iterable[Any], type], list[dict[str, Any]]]


class _Shown(NamedTuple):
    """A field that is dumped.

    :param v: the variable that holds its value.
    :param way: ``None``: as the field itself does it.
    """

    name: str
    field: Field[Any]
    v: str
    way: Way | None

    @property
    def key(self) -> str:
        return self.name if self.field.data_key is None else self.field.data_key

    @property
    def attribute(self) -> str:
        return self.name if self.field.attribute is None else self.field.attribute

    def value(self, source: Source) -> str:
        """Write what is shown of what ``v`` holds."""
        # No class that ways are known of looks at the object that the value is from.
        otherwise = f"{source.name(self.field)}._serialize({self.v}, {self.name!r}, None)"
        return otherwise if self.way is None else self.way.shown(self.v, otherwise)


def _shown(source: Source, schema: Schema, dumped: Dumped) -> list[_Shown]:
    return [
        _Shown(name, field, f"v{place}", way_out(source, field, f"v{place}", dumped))
        for place, (name, field) in enumerate(schema.dump_fields.items())
    ]


def any_dumper(schema: Schema, dumped: Dumped) -> DumpOne:
    """Write a function that dumps whatever marshmallow reads."""
    source = Source()
    source.line(0, "def dump(obj):")
    _write_each(source, schema, _shown(source, schema, dumped), 1)
    source.line(1, "return shown")
    return source.function("dump")


def object_dumper(schema: Schema, dumped: Dumped, general: DumpOne, *, keys: bool) -> DumpOne:
    """Write a function that dumps a ``dict``, or an object whose class has no keys.

    :param general: dumps a dictionary that lacks a key.
    """
    source = Source()
    shown = _shown(source, schema, dumped)
    if not _are_direct(shown, keys=keys):
        return general
    source.line(0, "def dump(obj):")
    if keys:
        _write_keys(source, shown, general, "return {}", 1)
    else:
        _write_attributes(source, schema, shown, "return {}", 1)
    return source.function("dump")


def list_dumper(
    schema: Schema, dumped: Dumped, one: DumpOne, general: DumpOne, *, keys: bool
) -> DumpMany:
    """Write a function that dumps objects of one class; see :func:`object_dumper`.

    :param one: dumps what is of another class.
    """
    source = Source()
    shown = _shown(source, schema, dumped)
    other = source.name(one)
    source.line(0, "def dump(objs, kind):")
    if not _are_direct(shown, keys=keys):
        source.line(1, f"return [{other}(obj) for obj in objs]")
        return source.function("dump")
    source.line(1, "found = []")
    source.line(1, "add = found.append")
    source.line(1, "for obj in objs:")
    source.line(2, "if type(obj) is not kind:")
    source.line(3, f"add({other}(obj))")
    source.line(3, "continue")
    if keys:
        _write_keys(source, shown, general, "add({})", 2)
    else:
        _write_attributes(source, schema, shown, "add({})", 2)
    source.line(1, "return found")
    return source.function("dump")


def row_dumper(
    schema: Schema, dumped: Dumped, names: Sequence[str]
) -> Callable[[Iterable[Any]], list[dict[str, Any]]] | None:
    """Write a function that dumps tuples; ``None``: a dictionary of each must be made."""
    source = Source()
    places = {name: place for place, name in enumerate(names)}
    shown = []
    for name, field in schema.dump_fields.items():
        attribute = name if field.attribute is None else field.attribute
        v = f"v{places.get(attribute)}"
        way = way_out(source, field, v, dumped)
        # A field of another kind may need no value, and a dictionary has attributes of its own.
        if way is None or "." in attribute:
            return None
        if attribute in places:
            shown.append(_Shown(name, field, v, way))
        elif field.dump_default is not missing or hasattr(dict, attribute):
            return None
    if not names:
        return None
    row = ", ".join(f"v{place}" for place in range(len(names)))
    source.line(0, "def dump(rows):")
    source.line(1, f"return [{{{_pairs(source, shown)}}} for ({row},) in rows]")
    return source.function("dump")


def _are_direct(shown: Sequence[_Shown], *, keys: bool) -> bool:
    return bool(shown) and all(
        one.way is not None and ("." not in one.attribute if keys else _is_word(one.attribute))
        for one in shown
    )


def _is_word(name: str) -> bool:
    """Tell whether a name can stand in code; other letters than ASCII Python normalises."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def _pairs(source: Source, shown: Iterable[_Shown]) -> str:
    return ", ".join(f"{one.key!r}: {one.value(source)}" for one in shown)


def _write_keys(
    source: Source, shown: Sequence[_Shown], general: DumpOne, give: str, depth: int
) -> None:
    """Write how a dictionary is read, and shown if it has all keys; else it is *general*'s."""
    source.line(depth, "try:")
    for one in shown:
        source.line(depth + 1, f"{one.v} = obj[{one.attribute!r}]")
    source.line(depth, "except KeyError:")
    source.line(depth + 1, give.format(f"{source.name(general)}(obj)"))
    source.line(depth, "else:")
    source.line(depth + 1, give.format(f"{{{_pairs(source, shown)}}}"))


def _write_attributes(
    source: Source, schema: Schema, shown: Sequence[_Shown], give: str, depth: int
) -> None:
    """Write how attributes are read, and shown if all are there."""
    # What was read is not read again: a property may do anything.
    unread, gone = source.name(_UNREAD), source.name(missing)
    source.line(depth, f"{' = '.join(one.v for one in shown)} = {unread}")
    source.line(depth, "try:")
    for one in shown:
        source.line(depth + 1, f"{one.v} = obj.{one.attribute}")
    source.line(depth, "except AttributeError:")
    for place, one in enumerate(shown):
        # The first that was not read is the one that is not there.
        word = "elif" if place else "if"
        source.line(depth + 1, f"{word} {one.v} is {unread}: {one.v} = {gone}")
    _write_each(source, schema, shown, depth + 1, unread)
    source.line(depth + 1, give.format("shown"))
    source.line(depth, "else:")
    source.line(depth + 1, give.format(f"{{{_pairs(source, shown)}}}"))


def _write_each(
    source: Source, schema: Schema, shown: Sequence[_Shown], depth: int, unread: str = ""
) -> None:
    """Write the general case: each field for itself, what is unexpected by marshmallow.

    :param unread: what a variable holds whose value was not read yet; empty: none was.
    """
    accessor = source.name(schema.get_attribute)
    read, gone = source.name(get_value), source.name(missing)
    source.line(depth, "shown = {}")
    for one in shown:
        v, own = one.v, source.name(one.field)
        if one.way is None:
            source.line(depth, f"{v} = {own}.serialize({one.name!r}, obj, accessor={accessor})")
            source.line(depth, f"if {v} is not {gone}: shown[{one.key!r}] = {v}")
            continue
        when = f"if {v} is {unread}: " if unread else ""
        source.line(depth, f"{when}{v} = {read}(obj, {one.attribute!r})")
        source.line(depth, f"if {v} is {gone}:")
        source.line(depth + 1, f"{v} = {source.name(_default)}({own})")
        source.line(depth + 1, f"if {v} is not {gone}:")
        source.line(depth + 2, f"shown[{one.key!r}] = {own}._serialize({v}, {one.name!r}, obj)")
        source.line(depth, f"else: shown[{one.key!r}] = {one.value(source)}")


def _default(field: Field[Any]) -> Any:
    return field.dump_default() if callable(field.dump_default) else field.dump_default
