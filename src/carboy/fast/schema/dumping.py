"""``dump``, compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from marshmallow import Schema, fields
from marshmallow.decorators import POST_DUMP, PRE_DUMP

from carboy.fast.schema.dumper import (
    DumpMany,
    DumpOne,
    any_dumper,
    list_dumper,
    object_dumper,
    row_dumper,
)
from carboy.fast.schema.sharing import Codes
from carboy.fast.schema.stock import are_names_text, is_stock

__all__ = ["dump", "dumpers_of", "rows_dumper"]

_NONE = object()


class Dumpers:
    """The compiled code of a schema, each piece written when it is first needed."""

    __slots__ = ("_any", "_attributes", "_keys", "_lists", "_schema")

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._any: DumpOne | None = None
        self._keys: DumpOne | None = None
        self._attributes: DumpOne | None = None
        self._lists: dict[bool, DumpMany] = {}

    def one(self, obj: Any) -> dict[str, Any]:
        """Dump an object."""
        kind = type(obj)
        if kind is dict:
            return (self._keys or self._made(keys=True))(obj)
        if _has_no_keys(kind):
            return (self._attributes or self._made(keys=False))(obj)
        return self.any(obj)

    def any(self, obj: Any) -> dict[str, Any]:
        """Dump an object of whatever kind."""
        if self._any is None:
            self._any = any_dumper(self._schema, _Inner)
        return self._any(obj)

    def many(self, objs: Iterable[Any]) -> list[dict[str, Any]]:
        """Dump objects, of which most are of the class of the first."""
        rest = iter(objs)
        first = next(rest, _NONE)
        if first is _NONE:
            return []
        kind = type(first)
        if kind is not dict and not _has_no_keys(kind):
            return [self.one(obj) for obj in chain((first,), rest)]
        keys = kind is dict
        if keys not in self._lists:
            self._lists[keys] = list_dumper(self._schema, _Inner, self.one, self.any, keys=keys)
        return self._lists[keys](chain((first,), rest), kind)

    def _made(self, *, keys: bool) -> DumpOne:
        made = object_dumper(self._schema, _Inner, self.any, keys=keys)
        if keys:
            self._keys = made
        else:
            self._attributes = made
        return made


def _has_no_keys(kind: type) -> bool:
    """Tell whether marshmallow reads attributes of an object of this class."""
    # Classes themselves are left out: they may be subscriptable.
    return not hasattr(kind, "__getitem__") and not issubclass(kind, type)


def dump(schema: Schema, obj: Any, *, many: bool | None = None) -> Any:
    """Serialise as ``schema.dump`` does, and give the same.

    A schema is compiled once that pays: change its fields before its first use.

    :param schema: an instance; keep it, and what is compiled is kept with it.
    :param many: whether *obj* is a collection; by default what the schema says.
    """
    every = schema.many if many is None else many
    dumpers = dumpers_of(schema, obj, many=every)
    if dumpers is None:
        return schema.dump(obj, many=many)
    return dumpers.many(obj) if every else dumpers.one(obj)


def dumpers_of(schema: Schema, obj: Any, *, many: bool) -> Dumpers | None:
    """Give the code that is to dump *obj*; ``None``: marshmallow's."""
    if not many:
        return _CODES.of(schema)
    if obj is None:
        return None
    return _CODES.of(schema, len(obj) if type(obj) is list else 1)


def rows_dumper(
    schema: Schema, names: Sequence[str]
) -> Callable[[Iterable[Sequence[Any]]], list[dict[str, Any]]]:
    """Give a function that dumps rows: tuples whose values have these names, in their order.

    What it makes of rows is what ``schema.dump`` makes of ``dict(zip(names, row))`` of each, with
    ``many=True``; where the schema has no hooks or fields of the project's own, these dictionaries
    are not made. Names that the schema does not know are ignored.

    :param schema: an instance whose fields do not change any more.
    :param names: as many as a row has values.
    :return: a function of rows; it is worth keeping. It raises ``ValueError`` for a row of
        another length.
    """
    written = row_dumper(schema, _Inner, names) if is_understood(schema) else None
    if written is not None:
        return written

    def by_name(rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        objs = [dict(zip(names, row, strict=True)) for row in rows]
        shown: list[dict[str, Any]] = dump(schema, objs, many=True)
        return shown

    return by_name


def is_understood(schema: Schema) -> bool:
    """Tell whether the way a schema dumps is marshmallow's own, without hooks."""
    hooks = type(schema)._hooks  # noqa: SLF001 - marshmallow has no public word for it
    return (
        is_stock(schema, "dump", "_serialize", "get_attribute")
        and schema.dict_class is dict
        and are_names_text(schema.dump_fields)
        and not hooks.get(PRE_DUMP)
        and not hooks.get(POST_DUMP)
    )


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


_CODES = Codes("dump", Dumpers, is_understood)
