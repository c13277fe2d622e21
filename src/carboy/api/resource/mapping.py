"""What is known of a model: whether its columns alone tell what an object of it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Select, Table, inspect
from sqlalchemy.orm import ColumnProperty, InstrumentedAttribute, Mapper
from sqlalchemy.orm.base import manager_of_class

__all__ = ["is_loaded_silently", "narrows_only", "plain_columns"]

Columns = Mapping[str, InstrumentedAttribute[Any]]
_JOINED = (False, "joined")
# What a selection is made of that leaves rows out or orders them; anything else may do more.
_USUAL = frozenset(
    {
        "_propagate_attrs", "_raw_columns", "_label_style", "_where_criteria", "_order_by_clauses",
        "_limit_clause", "_offset_clause", "_memoized_keys", "_compile_options",
        "_generate_cache_key", "dialect_options",
    }
)  # fmt: skip


def plain_columns(model: type[Any]) -> Columns | None:
    """Find the attributes of *model* that hold what is in a column, by name.

    :return: ``None`` if an object of the class may be more than its row, such as one of a
        hierarchy, or a class that reads its attributes in a way of its own.
    """
    mapper: Mapper[Any] = inspect(model)
    if (
        mapper.inherits is not None
        or mapper.polymorphic_on is not None
        or len(list(mapper.self_and_descendants)) > 1
        or not isinstance(mapper.local_table, Table)
        or mapper.persist_selectable is not mapper.local_table
        or getattr(model, "__getattribute__") is not object.__getattribute__  # noqa: B009 - mypy knows better
        or hasattr(model, "__getitem__")
        or any(each.lazy in _JOINED and each.innerjoin for each in mapper.relationships)
    ):
        return None
    return {
        each.key: getattr(model, each.key)
        for each in mapper.column_attrs
        if _is_plain(model, mapper.local_table, each)
    }


def is_loaded_silently(model: type[Any]) -> bool:
    """Tell whether nobody listens to objects of *model* being loaded."""
    dispatch: Any = manager_of_class(model).dispatch
    return not (dispatch.load or dispatch.refresh)


def narrows_only(statement: Select[Any], model: type[Any]) -> bool:
    """Tell whether a selection of *model* does no more than leave rows out, and order them."""
    described = statement.column_descriptions
    if len(described) != 1 or described[0]["expr"] is not model:
        return False
    unusual = (value for name, value in vars(statement).items() if name not in _USUAL)
    if not all(value is None or value is False or value == () for value in unusual):
        return False
    return len(statement.get_final_froms()) == 1


def _is_plain(model: type[Any], table: Table, each: ColumnProperty[Any]) -> bool:
    attribute = getattr(model, each.key)
    return (
        type(each.columns[0]) is Column
        and len(each.columns) == 1
        and each.columns[0].table is table
        and not each.deferred
        and type(attribute) is InstrumentedAttribute
        and attribute.property is each
    )
