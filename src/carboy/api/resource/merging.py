"""JSON merge patch: what a ``PATCH`` leaves of nested objects.

Source: RFC 7396.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from carboy.errors import Invalid

__all__ = ["Merging", "merge"]


def merge(target: Any, patch: Any) -> Any:
    """Apply *patch* to *target*: objects are merged, null removes, all else replaces.

    Source: RFC 7396, section 2.
    """
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merge(made.get(name), value)
    return made


class Merging:
    """Reading a patch in two steps, because what it says of an object depends on the row.

    :param writable: class of the schema of a whole row.
    """

    def __init__(self, writable: type[Schema]) -> None:
        whole = writable()
        self.documented = writable(partial=True)
        self._deep = {
            field.attribute or name: (name, field)
            for name, field in whole.load_fields.items()
            if _is_object(field)
        }
        for _, field in self._deep.values():
            _show_what_is_loaded(field)
        unread = {
            name: fields.Raw(
                allow_none=field.allow_none, data_key=field.data_key, attribute=field.attribute
            )
            for name, field in self._deep.values()
        }
        self.first = self.documented
        if unread:
            self.first = type(writable.__name__, (writable,), dict(unread))(partial=True)

    def reaches_into(self, data: Mapping[str, Any]) -> bool:
        """Tell whether a patch changes parts of an object."""
        return not self._deep.keys().isdisjoint(data)

    def merged(self, row: Any, data: Mapping[str, Any]) -> dict[str, Any]:
        """Merge the objects of a patch with those of *row*, and check the result as a whole.

        :raises Invalid: naming the fields (422).
        """
        made = dict(data)
        problems: dict[str, Any] = {}
        for attribute, (name, field) in self._deep.items():
            if data.get(attribute) is None:  # absent, or null that the first step let pass
                continue
            now = field.serialize(attribute, row)
            try:
                made[attribute] = field.deserialize(merge(now, data[attribute]))
            except ValidationError as error:
                problems[field.data_key or name] = error.messages
        if problems:
            raise Invalid(data=problems)
        return made


def _show_what_is_loaded(field: fields.Field[Any]) -> None:
    """Let an object be written with the fields it is read by: the others are no part of a merge.

    What is only shown would be refused, as if the caller had sent it; what is only loaded,
    such as a secret, would be lost.
    """
    if not isinstance(field, fields.Nested):
        return
    schema = field.schema
    if schema.dump_fields is schema.load_fields:  # a schema nested in itself
        return
    schema.dump_fields = schema.load_fields
    for inner in schema.load_fields.values():
        _show_what_is_loaded(inner.inner if isinstance(inner, fields.List) else inner)


def _is_object(field: fields.Field[Any]) -> bool:
    if isinstance(field, fields.Pluck):
        return False
    if isinstance(field, fields.Nested):
        return not field.many
    return isinstance(field, fields.Mapping)
