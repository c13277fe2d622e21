"""Declared sort keys: ``?sort=-created,name``, and where a page begins in that order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Enum,
    Float,
    LargeBinary,
    UnaryExpression,
    and_,
    cast,
    false,
    literal,
    or_,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine
from webargs.fields import DelimitedList

from carboy.api.columns import key_of, known_to, stored_as

__all__ = ["SortKey", "Sorting", "beyond"]


@dataclass(frozen=True)
class SortKey:
    """One column of an order.

    A missing value counts as larger than any other, on every engine.

    :param name: as callers write it.
    """

    name: str
    column: InstrumentedAttribute[Any]
    descending: bool = False

    @property
    def nullable(self) -> bool:
        """Whether there may be rows without a value."""
        return bool(getattr(self.column.expression, "nullable", True))

    def reversed(self) -> SortKey:
        """Give the same key the other way round."""
        return replace(self, descending=not self.descending)

    def clause(self) -> UnaryExpression[Any]:
        """Write it for ``ORDER BY``."""
        ordered = self.column.desc() if self.descending else self.column.asc()
        if self.nullable:
            # Engines differ in where they put NULL by themselves.
            return ordered.nulls_first() if self.descending else ordered.nulls_last()
        return ordered

    def mark(self, value: Any) -> ColumnElement[Any]:
        """Write a value of the column as the column holds it."""
        made: ColumnElement[Any] = literal(value, self.column.type)
        # Of single precision 0.1 is another number than of double, as which it would be sent.
        return cast(made, self.column.type) if isinstance(self._stored, Float) else made

    @property
    def _stored(self) -> TypeEngine[Any]:
        return stored_as(self.column.type)

    def after(self, value: Any) -> ColumnElement[bool]:
        """Select the rows that come behind *value*."""
        if value is None:
            return self.column.is_not(None) if self.descending else false()
        if self.descending:
            before: ColumnElement[bool] = self.column < self.mark(value)
            return before
        behind: ColumnElement[bool] = self.column > self.mark(value)
        return or_(behind, self.column.is_(None)) if self.nullable else behind

    def level(self, value: Any) -> ColumnElement[bool]:
        """Select the rows that have *value*."""
        if value is None:
            return self.column.is_(None)
        found: ColumnElement[bool] = self.column == self.mark(value)
        return found

    def __str__(self) -> str:
        return f"-{self.name}" if self.descending else self.name


class Sorting:
    """The orders a list may be asked for.

    :param schema: of one item; a sort key is one of its fields, or a column it does not show.
    :param allowed: names without a sign; each may be asked for in both directions.
    :param default: names with a sign, used when nothing is asked for; by default the
        primary key.
    :raises TypeError: if a name has no column to sort by.
    """

    def __init__(
        self,
        model: type[Any],
        schema: Schema,
        allowed: Sequence[str] = (),
        default: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._schema = schema
        self._last = key_of(model)
        self.allowed = {name: self._key(name) for name in allowed}
        self.default = self._ending([self._signed(text) for text in default])

    def field(self) -> fields.Field[Any]:
        """Make the field that reads ``sort``; of a key named twice, the first counts."""
        choices = [sign + name for name in self.allowed for sign in ("", "-")]
        return DelimitedList(
            fields.String(
                validate=validate.OneOf(choices, error="Sort by any of: {choices}."),
            ),
            validate=validate.Length(min=1),
            metadata={"description": "Keys to sort by, - for the largest first."},
        )

    def keys(self, asked: Sequence[str] | None) -> tuple[SortKey, ...]:
        """Give the order that was asked for, ending with the primary key: without ties.

        :param asked: what :meth:`field` loaded.
        """
        first = {text.removeprefix("-"): text for text in reversed(asked or ())}
        order = dict.fromkeys(text.removeprefix("-") for text in asked or ())
        return (
            self._ending([self._signed(first[name]) for name in order]) if asked else self.default
        )

    def _ending(self, keys: list[SortKey]) -> tuple[SortKey, ...]:
        if all(key.column is not self._last for key in keys):
            # In the direction of the key before it: one comparison of tuples, one index.
            down = bool(keys) and keys[-1].descending
            keys.append(SortKey(self._last.key, self._last, descending=down))
        return tuple(keys)

    def _signed(self, text: str) -> SortKey:
        name = text.removeprefix("-")
        key = self.allowed.get(name) or self._key(name)
        return replace(key, descending=text != name)

    def _key(self, name: str) -> SortKey:
        column = known_to(self._schema, self._model, name)
        if column is None:
            raise TypeError(f"{self._model.__name__} has no column {name!r} to sort by.")
        if isinstance(stored_as(column.type), Enum):
            raise TypeError(
                f"{self._model.__name__}.{name} is an Enum, which engines order differently. "
                "Sort by a column that holds its rank."
            )
        if isinstance(stored_as(column.type), JSON | LargeBinary | ARRAY):
            kind = type(stored_as(column.type)).__name__
            raise TypeError(
                f"{self._model.__name__}.{name} is a {kind}, which has no order that every engine "
                "knows. Sort by a column made from it."
            )
        return SortKey(name, column)


def beyond(keys: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """Select the rows that come behind the one with *values* in the order of *keys*.

    Source: Winand, "Use The Index, Luke", "Paging Through Results".
    """
    first = keys[0]
    if len({key.descending for key in keys}) == 1 and not any(key.nullable for key in keys):
        row = tuple_(*(key.column for key in keys))
        mark = tuple_(*(key.mark(value) for key, value in zip(keys, values, strict=True)))
        return row < mark if first.descending else row > mark
    found: ColumnElement[bool] = false()
    for key, value in reversed(list(zip(keys, values, strict=True))):
        found = or_(key.after(value), and_(key.level(value), found))
    # Says again what follows from the rest, in a form that an index can be searched by.
    return and_(_not_before(first, values[0]), found)


def _not_before(key: SortKey, value: Any) -> ColumnElement[bool]:
    if value is None or (key.nullable and not key.descending):
        return true()
    mark = key.mark(value)
    column: ColumnElement[bool] = key.column <= mark if key.descending else key.column >= mark
    return column
