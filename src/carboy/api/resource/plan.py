"""What a resource declares, checked and prepared once, when it is routed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, missing, validates_schema
from sqlalchemy import Integer, Table, UniqueConstraint, Uuid, inspect

from carboy.api.columns import fit_of, key_of, stored_as
from carboy.api.filters import Filters
from carboy.api.resource.merging import Merging
from carboy.api.resource.writing import Writing
from carboy.api.sorting import Sorting
from carboy.errors import NotFound

if TYPE_CHECKING:
    from carboy.api.resource.resource import Method, Resource

__all__ = ["Plan"]

_WRITING: frozenset[str] = frozenset({"create", "replace", "update"})
_READ_ONLY: tuple[Method, ...] = ("list", "read", "delete")


class Plan:
    """One resource at one address.

    :ivar singular: words for one row: ``order line``.
    :ivar plural: words for the resource: ``order lines``.
    :raises TypeError: naming what contradicts what, and what to change.
    """

    def __init__(self, kind: type[Resource]) -> None:
        self.kind = kind
        self.singular = _words(kind.model.__name__)
        self.plural = _words(kind.__name__)
        self.methods = _methods(kind)
        self.key = key_of(kind.model)
        self.schema = _instance(kind.schema)
        self.listed = _instance(kind.list_schema) if kind.list_schema else self.schema
        self.filters = Filters(kind.model, self.schema, kind.filters)
        self.sorting = Sorting(kind.model, self.schema, kind.sort, kind.default_sort)
        item = re.sub("Schema$", "", type(self.listed).__name__) or type(self.listed).__name__
        self.page_schema = kind.paging.schema(self.listed, f"{item}Page")
        self.query_schema = self._query_schema()
        self.merging: Merging | None = None
        self.writing: Writing | None = None
        if kind.writable is not None:
            self.merging = Merging(kind.writable)
            self.writing = Writing(kind, self.methods)
        self._key_fits = fit_of(self.key.type)

    @property
    def converter(self) -> str:
        """The part of a rule that names a row: ``<int:id>``."""
        stored = stored_as(self.key.type)
        name = self.key.key
        if isinstance(stored, Integer):
            return f"<int:{name}>"
        return f"<uuid:{name}>" if isinstance(stored, Uuid) else f"<{name}>"

    def unknown(self, key: Any) -> NotFound:
        """Say that there is no such row."""
        return NotFound(f"No {self.singular} {key}.")

    def is_key(self, key: Any) -> bool:
        """Tell whether a row could have this key: no larger than the database holds."""
        try:
            self._key_fits(key)
        except ValidationError:
            return False
        return True

    def defaults(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Give what a ``PUT`` sets for what it leaves out."""
        return {} if self.writing is None else self.writing.defaults(data)

    def may_clash(self) -> bool:
        """Tell whether the database may refuse a row because of others."""
        table = inspect(self.kind.model).local_table
        assert isinstance(table, Table)  # noqa: S101 - a mapped class has one
        return (
            any(column.unique or column.foreign_keys for column in table.columns)
            or any(isinstance(one, UniqueConstraint) for one in table.constraints)
            or any(index.unique for index in table.indexes)
        )

    def _query_schema(self) -> Schema:
        kind, filters = self.kind, self.filters
        named = {**kind.paging.query_fields(), **filters.query_fields(), **kind.parameters}
        if kind.sort:
            named["sort"] = self.sorting.field()

        class Query(Schema):
            def load(self, data: Any, **options: Any) -> Any:
                # Of most lists nothing is asked but the beginning.
                return super().load(data, **options) if data or asked else dict(defaults)

            @validates_schema(pass_original=True, skip_on_field_errors=False)
            def _refuse_unknown(self, data: Any, original: Any, **_: Any) -> None:
                del data
                unknown = [name for name in original if name not in self.fields]
                problems = filters.unknown(unknown)
                if problems:
                    raise ValidationError(problems)

        made: type[Schema] = type(f"{kind.__name__}Query", (Query,), dict(named))
        schema = made()
        defaults = {
            field.attribute or name: field.load_default
            for name, field in schema.load_fields.items()
            if field.load_default is not missing
        }
        # What is required, or made anew each time, is not known before.
        asked = any(map(callable, defaults.values())) or any(
            field.required or "." in (field.attribute or name)
            for name, field in schema.load_fields.items()
        )
        return schema


def _methods(kind: type[Resource]) -> tuple[Method, ...]:
    from carboy.api.resource.resource import METHODS  # it imports this module for its types

    chosen = tuple(kind.only or (METHODS if kind.writable else _READ_ONLY))
    for name in (*chosen, *kind.guards):
        if name not in METHODS:
            raise TypeError(
                f"{kind.__name__} names a method {name!r}. There are {', '.join(METHODS)}."
            )
    unguarded = set(kind.guards) - set(chosen)
    if unguarded:
        raise TypeError(f"{kind.__name__} guards {', '.join(unguarded)}, which it does not have.")
    if kind.writable is None and _WRITING & set(chosen):
        raise TypeError(
            f"{kind.__name__} has {', '.join(sorted(_WRITING & set(chosen)))} and no writable "
            "schema. Say with writable = … what callers may set, or leave them out with only = …"
        )
    return chosen


def _instance(schema: type[Schema] | Schema) -> Schema:
    return schema if isinstance(schema, Schema) else schema()


def _words(name: str) -> str:
    """Write ``OrderLine`` as ``order line``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
