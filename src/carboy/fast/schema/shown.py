"""What a schema reads of an object, where values are all it looks at."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from carboy.fast.schema.dumping import is_understood
from carboy.fast.schema.stock import field_kind

__all__ = ["attributes_shown"]


def attributes_shown(schema: Schema) -> frozenset[str] | None:
    """Name what *schema* reads of an object; ``None``: it may do more than read values."""
    if not is_understood(schema) or not all(map(_sees_values, schema.dump_fields.values())):
        return None
    return frozenset(
        name if field.attribute is None else field.attribute
        for name, field in schema.dump_fields.items()
    )


def _sees_values(field: fields.Field[Any]) -> bool:
    """Tell whether a field looks at its value alone, and not at the object it is from."""
    if field_kind(field, loading=False) is None:
        return False
    return not isinstance(field, fields.List) or _sees_values(field.inner)
