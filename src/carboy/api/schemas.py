"""The schemas that inputs and outputs are declared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field, Nested

from carboy.api.parsing import Unknown

__all__ = ["SchemaLike", "instance", "wrapped"]

SchemaLike = type[Schema] | Schema | Mapping[str, Field[Any]]
"""A marshmallow schema: the class, an instance, or its fields by name."""


def instance(
    schema: SchemaLike, *, partial: bool | None = None, unknown: Unknown | None = None
) -> Schema:
    """Make the one instance that serves every request.

    :raises TypeError: if *partial* is given beside an instance, which has its own.
    """
    if isinstance(schema, Schema):
        if partial is not None:
            name = type(schema).__name__
            raise TypeError(f"partial= goes where the schema is made: {name}(partial={partial}).")
        return schema
    kind = Schema.from_dict(dict(schema)) if isinstance(schema, Mapping) else schema
    return kind(partial=partial, unknown=unknown)


def wrapped(schema: Schema, wrap: str, unknown: Unknown | None = None) -> Schema:
    """Put *schema* into an object under the name *wrap*, if there is one."""
    if not wrap:
        return schema
    inside = Nested(schema, required=True, unknown=unknown)
    return Schema.from_dict({wrap: inside})(unknown=unknown)
