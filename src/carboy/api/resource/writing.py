"""What a caller may set, held against the columns it ends up in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, ValidationError, missing
from sqlalchemy import Float, Numeric, inspect
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from carboy.api.columns import column_of, fit_of, key_of, stored_as
from carboy.errors import Invalid

if TYPE_CHECKING:
    from carboy.api.resource.resource import Resource

__all__ = ["Writing"]


class Writing:
    """The writable schema of a resource and the columns behind it.

    :param methods: those the resource has.
    :raises TypeError: if the two do not fit together.
    """

    def __init__(self, kind: type[Resource], methods: Collection[str]) -> None:
        assert kind.writable is not None  # noqa: S101 - who has none has no Writing
        self.schema = kind.writable()
        self._kind = kind
        self._names = {
            field.attribute or name: field.data_key or name
            for name, field in self.schema.load_fields.items()
        }
        self._refuse_more_than_listed(methods)
        names = set(inspect(kind.model).attrs.keys())
        found = {name: column_of(kind.model, name) for name in names}
        columns = {name: column for name, column in found.items() if column is not None}
        self._fits = {name: fit_of(column.type) for name, column in columns.items()}
        self._decimals = {
            name: most
            for name, column in columns.items()
            if (most := _decimals_of(stored_as(column.type))) is not None
        }
        self._defaults: dict[str, Callable[[], Any]] = {}
        for name, field in self.schema.load_fields.items():
            column = columns.get(field.attribute or name)
            # What the schema demands, or gives a default, is never left out.
            optional = not field.required and field.load_default is missing
            if optional and column is not None and "replace" in methods:
                self._defaults[column.key] = self._default(column)

    def check(self, values: Mapping[str, Any]) -> None:
        """Refuse what a column cannot hold.

        :raises Invalid: naming the fields (422).
        """
        problems: dict[str, Any] = {}
        for name, value in values.items():
            fit = self._fits.get(name)
            if fit is None:
                continue
            try:
                fit(value)
                self._check_decimals(name, value)
            except ValidationError as error:
                problems[self._names.get(name, name)] = error.messages
        if problems:
            raise Invalid(data=problems)

    def _check_decimals(self, name: str, value: Any) -> None:
        """Refuse what one engine would round and another keep, and then show rounded."""
        most = self._decimals.get(name)
        if most is None or not isinstance(value, Decimal):
            return
        exponent = value.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > most:
            raise ValidationError(f"May not have more than {most} decimals.")

    def defaults(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give the default of each column a caller may set and did not."""
        return {name: make() for name, make in self._defaults.items() if name not in given}

    def _refuse_more_than_listed(self, methods: Collection[str]) -> None:
        kind, schema = self._kind, type(self.schema).__name__
        if self.schema.unknown == INCLUDE:
            raise TypeError(
                f"{schema} includes unknown fields: callers could set any column of "
                f"{kind.model.__name__}. Leave them out or refuse them."
            )
        key = key_of(kind.model).key
        if key in self._names and {"replace", "update"} & set(methods):
            raise TypeError(
                f"{schema} lets callers set {key!r}, which is the address of a row. "
                "Make it dump_only, or leave out replace and update."
            )
        from carboy.api.resource.resource import Resource  # it imports this module for its types

        if kind.prepare is not Resource.prepare or kind.create is not Resource.create:
            return
        strange = self._names.keys() - set(inspect(kind.model).attrs.keys())
        if strange:
            raise TypeError(
                f"{schema} has {', '.join(sorted(strange))}, which {kind.model.__name__} has not. "
                f"Override {kind.__name__}.prepare to turn it into what is kept."
            )

    def _default(self, attribute: InstrumentedAttribute[Any]) -> Callable[[], Any]:
        column = attribute.expression
        default = getattr(column, "default", None)
        if default is not None and default.is_scalar:
            return lambda: default.arg
        if default is not None and default.is_callable:
            return lambda: default.arg(None)
        if default is None and getattr(column, "nullable", True) and column.server_default is None:
            return lambda: None
        raise TypeError(
            f"A PUT may leave out {attribute.key!r}, and what {self._kind.model.__name__} then has "
            f"is known to the database only. Make the field of {type(self.schema).__name__} "
            "required, or give it a load_default."
        )


def _decimals_of(kind: TypeEngine[Any]) -> int | None:
    """Count the places behind the point that a column keeps; ``None``: it is not declared."""
    if not isinstance(kind, Numeric) or isinstance(kind, Float):
        return None
    return kind.scale if kind.precision is None else kind.scale or 0
