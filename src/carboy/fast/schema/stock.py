"""Which fields and schemas behave as marshmallow wrote them, so that their outcome is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from marshmallow import Schema, fields
from marshmallow.fields import Field

__all__ = [
    "COMPILED",
    "METHODS",
    "are_names_text",
    "dict_of",
    "field_kind",
    "is_stock",
    "is_stock_kind",
]

_KINDS: tuple[type[Field[Any]], ...] = (
    fields.String,
    fields.Integer,
    fields.Float,
    fields.Decimal,
    fields.Boolean,
    fields.NaiveDateTime,
    fields.AwareDateTime,
    fields.DateTime,
    fields.Date,
    fields.Time,
    fields.UUID,
    fields.List,
    fields.Nested,
    fields.Raw,
)
_DUMPING = (
    "_CHECK_ATTRIBUTE",
    "serialize",
    "_serialize",
    "get_value",
    "_format_num",
    "_to_string",
    "num_type",
    "schema",
    "SERIALIZATION_FUNCS",
    "DEFAULT_FORMAT",
)
_LOADING = (
    "deserialize",
    "_deserialize",
    "_validate",
    "_validate_all",
    "_validate_missing",
    "_validated",
    "_format_num",
    "num_type",
    "_test_collection",
    "_load",
    "schema",
    "make_error",
    "DESERIALIZATION_FUNCS",
    "DEFAULT_FORMAT",
    "OBJ_TYPE",
)
# As marshmallow wrote them: whoever replaces one later, on a class, is noticed.
_WRITTEN = {
    (kind, name): getattr(kind, name, None) for kind in _KINDS for name in {*_DUMPING, *_LOADING}
}
COMPILED = "__carboy_compiled__"
"""Marks methods of ours that do what marshmallow's do."""

_SCHEMA = dict(vars(Schema))
METHODS = frozenset(name for name, value in _SCHEMA.items() if callable(value)) - {"Meta"}
"""What else an instance may replace: the names of marshmallow's methods."""

dict_of = cast("Callable[[object], dict[str, Any]]", vars(Schema)["__dict__"].__get__)
"""Give the attributes of a schema as they are: of ours, ``vars`` makes those that are not there."""


def field_kind(field: Field[Any], *, loading: bool) -> type[Field[Any]] | None:
    """Find the class of marshmallow's that *field* behaves as; ``None``: none that is known.

    A class derived from it counts, if it leaves alone what matters on the way in
    (*loading*) or out.
    """
    kind = next((one for one in type(field).__mro__ if one in _KINDS), None)
    if kind is None:
        return None
    for name in _LOADING if loading else _DUMPING:
        if getattr(type(field), name, None) is not _WRITTEN[kind, name] or name in vars(field):
            return None
    return kind


def is_stock(schema: Schema, *names: str) -> bool:
    """Tell whether a schema has these methods as marshmallow wrote them."""
    own = dict_of(schema)
    return not any(name in own for name in names) and is_stock_kind(type(schema), *names)


def is_stock_kind(kind: type[Schema], *names: str) -> bool:
    """Tell whether the instances of a class have these methods as marshmallow wrote them."""
    return all(
        one[name] is _SCHEMA[name] or hasattr(one[name], COMPILED)
        for one in map(vars, kind.__mro__)
        for name in names
        if name in one
    )


def are_names_text(of: Mapping[str, Field[Any]]) -> bool:
    """Tell whether names are plain text: a subclass of ``str`` may write itself as code."""
    return all(
        type(name) is str
        for key, field in of.items()
        for name in (key, field.data_key, field.attribute)
        if name is not None
    )
