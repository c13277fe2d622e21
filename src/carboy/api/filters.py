"""Declared filters: ``?price_gte=10&name_contains=tea&status=open,paid``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, get_args

from marshmallow import Schema, fields, missing, validate
from sqlalchemy import ColumnElement, Enum, Select, String
from sqlalchemy.orm import InstrumentedAttribute
from webargs.fields import DelimitedList

from carboy.api.columns import bounds_of, fit_of, known_to, stored_as

__all__ = ["Filters", "Operator"]

Operator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "startswith", "isnull"
]  # fmt: skip
"""What a filter compares by; ``eq`` and ``in`` are written without it."""

CHOICES_MAX = 100
TEXT_MAX = 200
"""Most characters of a text that is searched for: SQLite takes patterns of 50,000 bytes."""

_WITHOUT_SUFFIX: tuple[Operator, ...] = ("eq", "in")
_TEXT: tuple[Operator, ...] = ("contains", "startswith")
_OPERATORS: tuple[Operator, ...] = get_args(Operator)
_MEANINGS: Mapping[Operator, str] = {
    "eq": "Only those with this {0}.",
    "ne": "Only those with another {0}, or none.",
    "gt": "Only those with a larger {0}.",
    "gte": "Only those with at least this {0}.",
    "lt": "Only those with a smaller {0}.",
    "lte": "Only those with at most this {0}.",
    "in": "Only those with one of these, divided by commas.",
    "contains": "Only those with this in their {0}, in any case.",
    "startswith": "Only those whose {0} begins with this, in any case.",
    "isnull": "Only those without {0} (true), or with (false).",
}
_CONDITIONS: Mapping[Operator, Callable[[InstrumentedAttribute[Any], Any], ColumnElement[bool]]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column.is_distinct_from(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "in": lambda column, value: column.in_(value),
    "contains": lambda column, value: column.icontains(value, autoescape=True),
    "startswith": lambda column, value: column.istartswith(value, autoescape=True),
    "isnull": lambda column, value: column.is_(None) if value else column.is_not(None),
}


@dataclass(frozen=True)
class Filter:
    """One query parameter that narrows a list."""

    parameter: str
    operator: Operator
    column: InstrumentedAttribute[Any]
    field: fields.Field[Any]

    def condition(self, value: Any) -> ColumnElement[bool]:
        """Write it for ``WHERE``."""
        return _CONDITIONS[self.operator](self.column, value)


class Filters:
    """The filters of a list.

    :param schema: of one item; its fields read the values.
    :param declared: field → operators.
    :raises TypeError: if a field has no column, or an operator does not suit it.
    """

    def __init__(
        self, model: type[Any], schema: Schema, declared: Mapping[str, Sequence[Operator]]
    ) -> None:
        self._names = set(declared)
        self._filters = {
            made.parameter: made
            for name, operators in declared.items()
            for made in _made(model, schema, name, operators)
        }

    def query_fields(self) -> dict[str, fields.Field[Any]]:
        """Give the fields that read the parameters, by their names."""
        return {name: made.field for name, made in self._filters.items()}

    def unknown(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Find what was meant to be a filter and is none: ignoring it would answer too much.

        :param names: parameters that nobody declared.
        :return: messages in marshmallow's shape.
        """
        known = ", ".join(self._filters) or "none"
        return {
            name: [f"There is no such filter. There are: {known}."]
            for name in names
            if name in self._names or (name.rpartition("_")[2] in _OPERATORS and "_" in name)
        }

    def narrow(self, given: Mapping[str, Any]) -> bool:
        """Tell whether any filter was asked for."""
        return not self._filters.keys().isdisjoint(given)

    def apply(self, rows: Select[Any], given: Mapping[str, Any]) -> Select[Any]:
        """Narrow *rows* to what was asked for.

        :param given: values by parameter; others are none of this one's business.
        """
        for name, made in self._filters.items():
            if name in given:
                rows = rows.where(made.condition(given[name]))
        return rows


def _made(
    model: type[Any], schema: Schema, name: str, operators: Sequence[Operator]
) -> list[Filter]:
    field = schema.fields.get(name)
    column = known_to(schema, model, name)
    if field is None or column is None:
        raise TypeError(
            f"A filter of {name!r} needs a field of that name in {type(schema).__name__} "
            f"and a column of {model.__name__} behind it."
        )
    if set(_WITHOUT_SUFFIX) <= set(operators):
        raise TypeError(
            f"The filter of {name!r} has eq and in, which are both ?{name}=. "
            "Keep in, which takes one value too."
        )
    made = []
    for operator in operators:
        if operator not in _OPERATORS:
            raise TypeError(f"There is no operator {operator!r}. Use {', '.join(_OPERATORS)}.")
        kind = stored_as(column.type)
        if operator in _TEXT and (not isinstance(kind, String) or isinstance(kind, Enum)):
            raise TypeError(f"{operator} looks into text, and {model.__name__}.{name} is none.")
        parameter = name if operator in _WITHOUT_SUFFIX else f"{name}_{operator}"
        made.append(Filter(parameter, operator, column, _reader(field, name, operator, column)))
    return made


def _reader(
    field: fields.Field[Any], name: str, operator: Operator, column: InstrumentedAttribute[Any]
) -> fields.Field[Any]:
    note = {"description": _MEANINGS[operator].format(name.replace("_", " "))}
    if operator == "isnull":
        return fields.Boolean(metadata=note)
    if operator in _TEXT:
        return fields.String(validate=validate.Length(min=1, max=TEXT_MAX), metadata=note)
    value = _optional(field)
    value.validators = [*value.validators, *bounds_of(column.type), fit_of(column.type)]
    if operator == "in":
        if isinstance(value, fields.String):
            value.validators.append(validate.Length(min=1))  # "a,,b" says nothing between commas
        length = validate.Length(min=1, max=CHOICES_MAX)
        return DelimitedList(value, validate=length, metadata=note)
    value.metadata = {**value.metadata, **note}
    return value


def _optional(field: fields.Field[Any]) -> fields.Field[Any]:
    """Copy a field of an answer so that it reads one value of a query."""
    copied = deepcopy(field)
    copied.required = copied.allow_none = copied.dump_only = copied.load_only = False
    copied.load_default = copied.dump_default = missing
    copied.attribute = copied.data_key = None
    if isinstance(copied, fields.Integer):
        copied.strict = False  # a query is text; 1.5 is no whole number either way
    return copied
