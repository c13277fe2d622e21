"""Columns of a model: finding them, and what a value must be to fit into one.

A value that is too large for its column is an error of the driver or of the server,
after the request was found to be valid. Here it is found before.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from marshmallow import Schema, ValidationError, validate
from sqlalchemy import (
    BigInteger,
    Enum,
    Float,
    Integer,
    Numeric,
    SmallInteger,
    String,
    TypeDecorator,
    inspect,
)
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.orm import InstrumentedAttribute, Mapper
from sqlalchemy.types import TypeEngine

__all__ = [
    "Fit",
    "attribute_of",
    "bounds_of",
    "column_of",
    "fit_of",
    "key_of",
    "known_to",
    "stored_as",
]

Fit = Callable[[Any], None]
"""Raises :class:`marshmallow.ValidationError` for a value that its column cannot hold."""

_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_NEUTRAL: Final = DefaultDialect()


def column_of(model: type[Any], name: str) -> InstrumentedAttribute[Any] | None:
    """Find the mapped column of *model* under the name of its attribute."""
    mapper: Mapper[Any] = inspect(model)
    if name not in mapper.column_attrs:
        return None
    found: InstrumentedAttribute[Any] = getattr(model, name)
    return found


def attribute_of(schema: Schema, name: str) -> str:
    """Name the attribute of a row that a field of *schema* shows."""
    field = schema.fields.get(name)
    return name if field is None else field.attribute or name


def known_to(schema: Schema, model: type[Any], name: str) -> InstrumentedAttribute[Any] | None:
    """Find the column behind a field of *schema*, or of that name where there is no field."""
    return column_of(model, attribute_of(schema, name))


def key_of(model: type[Any]) -> InstrumentedAttribute[Any]:
    """Find the column that identifies a row.

    :raises TypeError: if the primary key has several columns.
    """
    mapper: Mapper[Any] = inspect(model)
    columns = mapper.primary_key
    if len(columns) != 1:
        raise TypeError(
            f"The primary key of {model.__name__} has {len(columns)} columns. "
            "A resource needs one; write views for this model."
        )
    found: InstrumentedAttribute[Any] = getattr(
        model, mapper.get_property_by_column(columns[0]).key
    )
    return found


def stored_as(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Give the type that the database sees, below any decorator."""
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind


def fit_of(kind: TypeEngine[Any]) -> Fit:
    """Make the check whether a value fits into a column of *kind*; ``None`` always does.

    The same on every engine: whole numbers have 16, 32 or 64 bits as their type says, also
    on SQLite, which would take larger ones.
    """
    convert = kind.dialect_impl(_NEUTRAL).bind_processor(_NEUTRAL)
    stored = stored_as(kind)
    limits = _limits(stored)

    def fit(value: Any) -> None:
        if value is None:
            return
        try:
            converted = value if convert is None else convert(value)
            if limits is not None:
                limits(converted)
        except _UNFIT:
            raise ValidationError("Not a value that can be stored.") from None

    return fit


def bounds_of(kind: TypeEngine[Any]) -> list[validate.Validator]:
    """Say what fits into a column of *kind* as far as the OpenAPI document can tell it."""
    if isinstance(kind, Integer):
        edge = 2 ** (_bits(kind) - 1)
        return [validate.Range(min=-edge, max=edge - 1)]
    if isinstance(kind, String) and not isinstance(kind, Enum) and kind.length:
        return [validate.Length(max=kind.length)]
    return []


def _limits(stored: TypeEngine[Any]) -> Fit | None:
    if isinstance(stored, Integer):
        return _whole(_bits(stored))
    if isinstance(stored, String) and not isinstance(stored, Enum):
        return _text(stored.length)
    if isinstance(stored, Numeric) and not isinstance(stored, Float):
        digits = None if stored.precision is None else stored.precision - (stored.scale or 0)
        return _decimal(digits)
    return None


def _bits(kind: Integer) -> int:
    if isinstance(kind, BigInteger):
        return 64
    return 16 if isinstance(kind, SmallInteger) else 32


def _whole(bits: int) -> Fit:
    edge = 2 ** (bits - 1)

    def fit(value: Any) -> None:
        if not -edge <= value < edge:
            raise ValidationError(
                f"Must be between {-edge} and {edge - 1}: it is kept in {bits} bits."
            )

    return fit


def _text(longest: int | None) -> Fit:
    def fit(value: Any) -> None:
        if "\0" in value:
            raise ValidationError("May not contain the NUL character.")
        if longest is not None and len(value) > longest:
            raise ValidationError(f"Longer than maximum length {longest}.")

    return fit


def _decimal(digits: int | None) -> Fit:
    def fit(value: Any) -> None:
        if digits is not None and abs(Decimal(value)) >= Decimal(10) ** digits:
            raise ValidationError(f"May not have more than {digits} digits before the point.")

    return fit
