"""``load``, compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, ValidationError, missing
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA
from marshmallow.fields import Field

from carboy.fast.schema.anomalies import load_field, new_store, with_unknown
from carboy.fast.schema.nesting import deserializer
from carboy.fast.schema.sharing import Codes
from carboy.fast.schema.source import Source
from carboy.fast.schema.stock import are_names_text, is_stock
from carboy.fast.schema.values import Way, way_in

__all__ = ["load"]

_HOOKS = (PRE_LOAD, POST_LOAD, VALIDATES, VALIDATES_SCHEMA)
_KNOWN = (RAISE, EXCLUDE, INCLUDE)
_LEFT = object()
Loader = Callable[[Schema, dict[str, Any], str, int | None, Any], tuple[dict[str, Any], Any]]


class Loaders:
    """The compiled code of a schema, each piece written when it is first needed."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    @cached_property
    def whole(self) -> Loader:
        """Loads an object that should be complete."""
        return _loader(self._schema, partial=False)

    @cached_property
    def part(self) -> Loader:
        """Loads an object of which fields may be left out."""
        return _loader(self._schema, partial=True)


def load(
    schema: Schema,
    data: Any,
    *,
    many: bool | None = None,
    partial: bool | Sequence[str] | None = None,
    unknown: Any = None,
) -> Any:
    """Deserialise and validate as ``schema.load`` does, and give or raise the same.

    A schema is compiled once that pays: change its fields before its first use.

    :param schema: an instance; keep it, and what is compiled is kept with it.
    :param many: whether *data* is a list; by default what the schema says.
    :param partial: whether fields may be left out, or which; by default as above.
    :param unknown: what becomes of names the schema does not know; by default as above.
    :raises ValidationError: with the messages of marshmallow.
    """
    loaded = load_or(_LEFT, schema, data, many, partial, unknown)
    if loaded is _LEFT:
        return schema.load(data, many=many, partial=partial, unknown=unknown)
    return loaded


def load_or(  # noqa: PLR0913, PLR0917 - the parameters of load
    left: Any,
    schema: Schema,
    data: Any,
    many: bool | None,  # noqa: FBT001 - passed on
    partial: Any,
    unknown: str | None,
) -> Any:
    """Deserialise by compiled code, or give *left* where there is none."""
    if partial is None:
        partial = schema.partial
    if unknown is None:
        unknown = schema.unknown
    many = schema.many if many is None else bool(many)
    if (
        type(data) is not (list if many else dict)
        or unknown not in _KNOWN
        or not (partial is None or partial is True)
        or (loaders := _CODES.of(schema, len(data) if many else 1)) is None
    ):
        return left
    loaded: Any
    sent: Any = data
    one = loaders.part if partial else loaders.whole
    if many:
        loaded, store = _each(schema, one, sent, unknown, partial)
    else:
        loaded, store = one(schema, sent, unknown, None, None)
    if store is not None and store.errors:
        error = ValidationError(store.errors, data=data, valid_data=loaded)
        schema.handle_error(error, data, many=many, partial=partial)
        raise error
    return loaded


def _each(
    schema: Schema, one: Loader, data: Any, unknown: Any, partial: Any
) -> tuple[list[Any], Any]:
    """Load the items of a list."""
    loaded: list[Any] = []
    store: Any = None
    found: Any
    for place, item in enumerate(data):
        if type(item) is dict:
            index = place if schema.opts.index_errors else None
            found, store = one(schema, item, unknown, index, store)
        else:
            store = store or new_store()
            found = schema._deserialize(  # noqa: SLF001 - what marshmallow calls here
                item, error_store=store, partial=partial, unknown=unknown, index=place
            )
        loaded.append(found)
    return loaded, store


def _is_understood(schema: Schema) -> bool:
    """Tell whether the way a schema loads is marshmallow's own, without hooks."""
    hooks = type(schema)._hooks  # noqa: SLF001 - marshmallow has no public word for it
    return (
        is_stock(
            schema, "load", "_do_load", "_deserialize", "_call_and_store",
            "_invoke_field_validators",
        )
        and schema.dict_class is dict
        and are_names_text(schema.load_fields)
        and not any(hooks.get(hook) for hook in _HOOKS)
    )  # fmt: skip


def _loader(schema: Schema, *, partial: bool) -> Loader:
    """Write a function that loads one object: known values at once, the rest by marshmallow.

    Fields go in marshmallow's order, and a field that is not as expected is loaded by its own
    code, once. So errors are marshmallow's, and code of the project runs as often as ever.
    """
    source = Source()
    gone, other = source.name(missing), source.name(load_field)
    told = source.name(True if partial else None)
    source.line(0, "def load(schema, data, unknown, index, store):")
    source.line(1, "loaded = {}")
    source.line(1, "lacking = False")
    source.line(1, "get = data.get")
    for name, field in schema.load_fields.items():
        key, place = _key(name, field), field.attribute or name
        own = source.name(deserializer(field, load))
        by_field = (
            f"store = {other}(schema, {own}, {key!r}, "
            f"{place!r}, v, data, loaded, store, index, {told})"
        )
        source.line(1, f"v = get({key!r}, {gone})")
        way = None if "." in place else way_in(source, field)
        if way is not None:
            _write_usual(source, way, place, by_field)
        _write_rest(source, field, place, by_field, partial=partial, first=way is None)
    keys = frozenset(_key(name, field) for name, field in schema.load_fields.items())
    # As many as there should be, and none is lacking: these are they.
    doubtful = f"(len(data) != {len(keys)} or lacking or store is not None)"
    known = f"data.keys() <= {source.name(keys)}"
    source.line(1, f"if unknown != {EXCLUDE!r} and {doubtful} and not {known}:")
    rest = source.name(with_unknown)
    source.line(
        2,
        f"store = {rest}(schema, {source.name(keys)}, data, loaded, unknown, store, index)",
    )
    source.line(1, "return loaded, store")
    return source.function("load")


def _write_usual(source: Source, way: Way, place: str, by_field: str) -> None:
    """Write what happens to a value that is as expected."""
    source.line(1, f"if {way.test}:")
    if way.value == "v":
        source.line(2, f"loaded[{place!r}] = v")
        return
    # What cannot be converted is left to the field, which says why.
    source.line(2, f"try: w = {way.value}")
    source.line(2, f"except Exception: {by_field}")
    source.line(2, "else:")
    source.line(3, f"if {way.check}: loaded[{place!r}] = w")
    source.line(3, f"else: {by_field}")


def _write_rest(  # noqa: PLR0913 - what is written of a field
    source: Source, field: Field[Any], place: str, by_field: str, *, partial: bool, first: bool
) -> None:
    """Write what happens to a value that is not there, or not as expected."""
    word, gone, default = "if" if first else "elif", source.name(missing), field.load_default
    if partial or (default is missing and not field.required and not first):
        source.line(1, f"{word} v is {gone}: lacking = True")
        source.line(1, f"else: {by_field}")
    elif default is missing or callable(default) or field.required or first or "." in place:
        source.line(1, by_field if first else f"else: {by_field}")
    else:
        source.line(1, f"elif v is {gone}:")
        source.line(2, f"loaded[{place!r}] = {source.name(default)}; lacking = True")
        source.line(1, f"else: {by_field}")


def _key(name: str, field: Field[Any]) -> str:
    return name if field.data_key is None else field.data_key


_CODES = Codes("load", Loaders, _is_understood)
