"""Which classes of schemas are constructed, and which fields work, as marshmallow does it.

Where they are, schemas that were made alike behave alike, whichever of them is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import is_not
from typing import Any

import marshmallow
from marshmallow import fields
from marshmallow.fields import Field
from marshmallow.schema import SchemaMeta

from carboy.fast.schema.stock import COMPILED, field_kind, is_stock_kind

__all__ = ["MADE_LATE", "are_fields_alike", "is_constructed_plainly", "is_field_shared"]

MADE_LATE = (
    "declared_fields", "dump_fields", "dump_only", "exclude", "fields", "load_fields", "load_only",
    "only",
)  # fmt: skip
"""What a schema of ours does not have before somebody looks at it."""

_CONSTRUCTION = (
    "_init_fields", "_bind_field", "on_bind_field", "_normalize_nested_options",
    "_Schema__apply_nested_option", "set_class", "dict_class",
)  # fmt: skip
_OBJECT = ("__new__", "__setattr__", "__delattr__", "__getattribute__")
_ODD = ("__getattr__", "__bool__", "__len__", "many", "partial", "unknown", *MADE_LATE)
_COPIED = ("__new__", "__reduce__", "__reduce_ex__", "__getstate__", "__setattr__")
_NOT_COPIED = ("__copy__", "__setstate__", "__bool__", "__len__")
_BINDING = frozenset(
    kind._bind_to_schema  # noqa: SLF001 - what marshmallow's constructor calls
    for kind in (Field, fields.List, fields.Tuple, fields.DateTime, fields.Mapping)
)
# Bound to the schema they are in, or with a schema of their own.
_TIED = (fields.Method, fields.Nested)
_STOCK = frozenset(
    kind
    for kind in vars(fields).values()
    if isinstance(kind, type) and issubclass(kind, Field) and not issubclass(kind, _TIED)
)
_HARMLESS = frozenset({"__init__", "__module__", "__doc__", "__parameters__", "__orig_bases__"})
_BOUND = frozenset({"parent", "root", "name"})


def is_constructed_plainly(kind: type[marshmallow.Schema]) -> bool:
    """Tell whether a schema of this class is constructed as marshmallow does it, and no more."""
    return (
        is_stock_kind(kind, *_CONSTRUCTION)
        and all(
            getattr(kind, name) is getattr(object, name) or hasattr(getattr(kind, name), COMPILED)
            for name in _OBJECT
        )
        and not any(hasattr(kind, name) for name in _ODD)
        and _has_no_constructor_between(kind)
        and all(
            type(name) is str and _is_bound_plainly(field)
            for name, field in kind._declared_fields.items()  # noqa: SLF001 - as above
        )
    )


def _has_no_constructor_between(kind: type[marshmallow.Schema]) -> bool:
    """Tell whether our constructor, if a class has it, would go on to marshmallow's at once."""
    made = [vars(one)["__init__"] for one in kind.__mro__ if "__init__" in vars(one)]
    ours = [place for place, one in enumerate(made) if hasattr(one, COMPILED)]
    return not ours or made[ours[-1] + 1] is vars(marshmallow.Schema)["__init__"]


def _is_bound_plainly(field: Field[Any]) -> bool:
    """Tell whether a field is copied and bound as marshmallow does it."""
    kind = type(field)
    return (
        kind.__deepcopy__ is Field.__deepcopy__
        and kind._bind_to_schema in _BINDING  # noqa: SLF001 - as above
        and "_bind_to_schema" not in vars(field)
        and all(getattr(kind, name) is getattr(object, name) for name in _COPIED)
        and not any(hasattr(kind, name) for name in _NOT_COPIED)
        and not any(vars(one).get("__slots__") for one in kind.__mro__)
        and all(_is_bound_plainly(one) for one in _inner(field))
    )


def is_field_shared(field: Field[Any], *, loading: bool) -> bool:
    """Tell whether a field does the same in whatever schema of its class it is."""
    kind = type(field)
    if kind is fields.Nested:
        return _is_nested_shared(field, loading=loading)
    if kind not in _STOCK and not _is_derived_harmlessly(field, loading=loading):
        return False
    own = {name for name in vars(field) if hasattr(kind, name) and callable(getattr(kind, name))}
    return not own and all(is_field_shared(one, loading=loading) for one in _inner(field))


def _is_derived_harmlessly(field: Field[Any], *, loading: bool) -> bool:
    """Tell whether a class of the project's own sets parameters only."""
    if field_kind(field, loading=loading) is None:
        return False
    kind = type(field)
    derived = kind.__mro__[: next(n for n, one in enumerate(kind.__mro__) if one in _STOCK)]
    return not any(
        name not in _HARMLESS and (callable(value) or hasattr(value, "__get__"))
        for one in derived
        for name, value in vars(one).items()
    )


def _is_nested_shared(field: Any, *, loading: bool) -> bool:
    """Tell whether a nested schema may be one and the same for all."""
    if field_kind(field, loading=loading) is None or type(field.nested) is not SchemaMeta:
        return False
    kind: Any = field.nested
    made = kind.__init__
    return (
        (made is marshmallow.Schema.__init__ or hasattr(made, COMPILED))
        and not any(kind._hooks.values())  # noqa: SLF001 - marshmallow has no public word for it
        and is_constructed_plainly(kind)
        and is_stock_kind(kind, "dump", "load", "_serialize", "get_attribute", "handle_error")
        and all(
            is_field_shared(one, loading=loading)
            for one in kind._declared_fields.values()  # noqa: SLF001 - as its constructor
        )
    )


def are_fields_alike(some: dict[str, Field[Any]], others: dict[str, Field[Any]]) -> bool:
    """Tell whether two schemas have the same fields, each with the same parameters.

    :param some: of a schema whose nested schemas nobody has looked at, or they may be others.
    """
    return [*some] == [*others] and all(_are_alike(one, others[name]) for name, one in some.items())


def _are_alike(one: Field[Any], other: Field[Any]) -> bool:
    mine, theirs = vars(one), vars(other)
    if type(one) is not type(other) or [*mine] != [*theirs]:
        return False
    bound = (one.parent is not other.parent) + (one.root is not other.root)
    if sum(map(is_not, mine.values(), theirs.values())) == bound:
        return True
    for name, value in mine.items():
        if value is theirs[name] or name in _BOUND or (name == "_schema" and value is None):
            continue
        if not isinstance(value, Field) or not _are_alike(value, theirs[name]):
            return False
    return True


def _inner(field: Field[Any]) -> Iterator[Field[Any]]:
    """Give the fields that are directly in *field*."""
    for name, value in vars(field).items():
        if name == "parent":
            continue
        for one in value if type(value) in (list, tuple) else (value,):
            if isinstance(one, Field):
                yield one
