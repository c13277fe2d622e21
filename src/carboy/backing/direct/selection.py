"""What a selection gives: columns with names, those of an entity one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.util import AliasedClass

__all__ = ["columns_of"]

_UNNAMED = "_no_label"  # what SQLAlchemy calls an expression without a name


def columns_of(statement: Select[Any]) -> tuple[Select[Any], tuple[str, ...]]:
    """Select the columns of each entity in place of objects.

    Deferred columns are left out, as when objects are loaded.

    :return: the statement, and the names of its columns.
    :raises TypeError: if a column has no name, or two have the same.
    """
    found: list[tuple[str, Any]] = []
    for described in statement.column_descriptions:
        expression, entity = described["expr"], described.get("entity")
        if expression is entity and isinstance(entity, type | AliasedClass):
            mapper: Mapper[Any] = inspect(entity).mapper
            found += [
                (each.key, getattr(entity, each.key))
                for each in mapper.column_attrs
                if not each.deferred
            ]
        else:
            found.append((_name_of(expression) or described["name"], expression))
    names = tuple(name for name, _ in found)
    _refuse_unclear(names)
    columns = (column for _, column in found)
    return statement.with_only_columns(*columns, maintain_column_froms=True), names


def _name_of(expression: Any) -> str | None:
    """Give the name somebody chose; where two are alike, SQLAlchemy would tell them apart."""
    name = getattr(expression, "key", None)
    return None if name is None else str(name)


def _refuse_unclear(names: tuple[str, ...]) -> None:
    if any(name in (None, _UNNAMED) or name.startswith("%(") for name in names):
        raise TypeError("A column of the statement has no name. Give it one with .label(…).")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TypeError(
            f"The statement has several columns named {', '.join(twice)}. "
            "Give each a name of its own with .label(…)."
        )
