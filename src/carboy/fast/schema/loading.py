"""``load``, compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, ValidationError, missing
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA
from marshmallow.error_store import ErrorStore
from marshmallow.fields import Field
from marshmallow.utils import set_value

from carboy.fast.schema.nesting import Deserializer, deserializer
from carboy.fast.schema.source import Compiled, Source
from carboy.fast.schema.stock import are_names_text, is_stock
from carboy.fast.schema.values import Way, way_in

__all__ = ["load"]

_KEY = "_carboy_load"
_HOOKS = (PRE_LOAD, POST_LOAD, VALIDATES, VALIDATES_SCHEMA)
_KNOWN = (EXCLUDE, INCLUDE, RAISE)
Loader = Callable[[dict[str, Any], str, int | None, Any], tuple[dict[str, Any], Any]]


class _Loaders(Compiled):
    """The compiled code of one schema instance.

    :ivar of: its fields when that was compiled.
    :ivar whole: loads what should be complete.
    :ivar part: the same, where any field may be left out (``partial=True``).
    """

    __slots__ = ("of", "part", "whole")

    def __init__(self, schema: Schema) -> None:
        self.of = schema.load_fields
        self.whole = _loader(schema, partial=False)
        self.part = _loader(schema, partial=True)


def load(
    schema: Schema,
    data: Any,
    *,
    many: bool | None = None,
    partial: bool | Sequence[str] | None = None,
    unknown: str | None = None,
) -> Any:
    """Deserialise and validate as ``schema.load`` does, and give or raise the same.

    A schema is compiled when it is first used: change its fields before that.

    :param schema: an instance; keep it, and what is compiled is kept with it.
    :param many: whether *data* is a list; by default what the schema says.
    :param partial: whether fields may be left out, or which; by default as above.
    :param unknown: what becomes of names the schema does not know; by default as above.
    :raises ValidationError: with the messages of marshmallow.
    """
    given = {"many": many, "partial": partial, "unknown": unknown}
    return load_or(schema.load, schema, data, given)


def load_or(
    genuine: Callable[..., Any], schema: Schema, data: Any, given: Mapping[str, Any]
) -> Any:
    """Deserialise by compiled code, or by *genuine* where there is none."""
    loaders = _loaders(schema)
    partial = schema.partial if given["partial"] is None else given["partial"]
    unknown = schema.unknown if given["unknown"] is None else given["unknown"]
    if loaders is None or unknown not in _KNOWN or not (partial is None or partial is True):
        return genuine(data, **given)
    one = loaders.part if partial else loaders.whole
    many = schema.many if given["many"] is None else bool(given["many"])
    loaded: Any
    if many and type(data) is list:
        loaded, store = _each(schema, one, data, unknown, partial)
    elif not many and type(data) is dict:
        loaded, store = one(data, unknown, None, None)
    else:
        return genuine(data, **given)
    if store is not None and store.errors:
        error = ValidationError(store.errors, data=data, valid_data=loaded)
        schema.handle_error(error, data, many=many, partial=partial)
        raise error
    return loaded


def _each(
    schema: Schema, one: Loader, data: list[Any], unknown: Any, partial: Any
) -> tuple[list[Any], Any]:
    """Load the items of a list."""
    loaded: list[Any] = []
    store: Any = None
    found: Any
    for place, item in enumerate(data):
        if type(item) is dict:
            index = place if schema.opts.index_errors else None
            found, store = one(item, unknown, index, store)
        else:
            store = store or _new_store()
            found = schema._deserialize(  # noqa: SLF001 - what marshmallow calls here
                item, error_store=store, partial=partial, unknown=unknown, index=place
            )
        loaded.append(found)
    return loaded, store


def _loaders(schema: Schema) -> _Loaders | None:
    known: _Loaders | bool | None = vars(schema).get(_KEY, False)
    if isinstance(known, _Loaders) and known.of is schema.load_fields:
        return known
    if known is None:
        return None
    made = _Loaders(schema) if is_understood(schema) else None
    vars(schema)[_KEY] = made
    return made


def is_understood(schema: Schema) -> bool:
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
    gone, other = source.name(missing), source.name(_other)
    told = source.name(True if partial else None)
    source.line(0, "def load(data, unknown, index, store):")
    source.line(1, "loaded = {}")
    source.line(1, "get = data.get")
    for name, field in schema.load_fields.items():
        key, place = _key(name, field), field.attribute or name
        own = source.name(deserializer(field, load))
        by_field = (
            f"store = {other}({source.name(schema)}, {own}, {key!r}, "
            f"{place!r}, v, data, loaded, store, index, {told})"
        )
        source.line(1, f"v = get({key!r}, {gone})")
        way = None if "." in place else way_in(source, field)
        if way is not None:
            _write_usual(source, way, place, by_field)
        _write_rest(source, field, place, by_field, partial=partial, first=way is None)
    keys = frozenset(_key(name, field) for name, field in schema.load_fields.items())
    source.line(1, f"if unknown != {EXCLUDE!r} and not data.keys() <= {source.name(keys)}:")
    rest = source.name(_unknown)
    source.line(
        2,
        f"store = {rest}({source.name(schema)}, {source.name(keys)}, data, loaded, unknown, "
        "store, index)",
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
        source.line(1, f"{word} v is not {gone}: {by_field}")
    elif default is missing or callable(default) or field.required or first or "." in place:
        source.line(1, by_field if first else f"else: {by_field}")
    else:
        source.line(1, f"elif v is {gone}: loaded[{place!r}] = {source.name(default)}")
        source.line(1, f"else: {by_field}")


def _other(  # noqa: PLR0913, PLR0917 - called by generated code
    schema: Schema,
    deserialize: Deserializer,
    key: str,
    place: str,
    value: Any,
    data: dict[str, Any],
    loaded: dict[str, Any],
    store: Any,
    index: int | None,
    partial: bool | None,  # noqa: FBT001 - as above
) -> Any:
    """Load a value by its field's own code."""
    if store is None:
        store = _new_store()
    store_errors: Any = schema._call_and_store  # noqa: SLF001 - what marshmallow calls here
    found = store_errors(
        getter_func=lambda raw: deserialize(raw, key, data, partial),
        data=value,
        field_name=key,
        error_store=store,
        index=index,
    )
    if found is not missing:
        set_value(loaded, place, found)
    return store


def _unknown(  # noqa: PLR0913, PLR0917 - called by generated code
    schema: Schema,
    keys: frozenset[str],
    data: dict[str, Any],
    loaded: dict[str, Any],
    unknown: str,
    store: Any,
    index: int | None,
) -> Any:
    """Treat the names that the schema does not know as *unknown* says."""
    if store is None:
        store = _new_store()
    for key in set(data) - keys:
        if unknown == INCLUDE:
            loaded[key] = data[key]
        else:
            store.store_error([schema.error_messages["unknown"]], key, index)
    return store


def _new_store() -> Any:
    return ErrorStore()  # type: ignore[no-untyped-call]


def _key(name: str, field: Field[Any]) -> str:
    return name if field.data_key is None else field.data_key
