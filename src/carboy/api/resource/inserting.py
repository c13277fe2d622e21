"""New rows of a resource, straight into their columns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Column, Table, bindparam, insert, inspect
from sqlalchemy.orm import Mapper, registry

from carboy.api.resource.certainty import Certainty
from carboy.api.resource.mapping import is_loaded_silently, plain_columns
from carboy.api.resource.reading import Shown, lane_of, shown_by

if TYPE_CHECKING:
    from sqlalchemy import Insert

    from carboy.api.resource.plan import Plan
    from carboy.api.resource.resource import Resource
    from carboy.backing.direct import Bound, Lane

__all__ = ["Inserting"]

_USUAL_INIT = registry().constructor
_VALUES = frozenset(
    {
        str, int, float, bool, type(None), Decimal, dt.datetime, dt.date, dt.time, dt.timedelta,
        uuid.UUID, dict, list, bytes,
    }
)  # fmt: skip
"""What is a value and nothing else: others could be expressions of SQL."""


class _NeedsContextError(Exception):
    """A default looks at the statement that it is made for."""


class _NoContext:
    """Stands for what SQLAlchemy hands to defaults; nothing can be asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise _NeedsContextError(name)


_NO_CONTEXT: Any = _NoContext()


class _Place(NamedTuple):
    """Where a value of a row goes.

    :param name: of the attribute; ``None``: the column is not mapped.
    :param default: makes the value where none is given.
    :param calls_code: whether that is code of the project's.
    :param may_be_left_out: the database knows what to put there.
    :param keeps_none: ``None`` is a value, as JSON has one.
    """

    name: str | None
    column: Column[Any]
    default: Callable[[], Any] | None
    calls_code: bool
    may_be_left_out: bool
    keeps_none: bool


class Inserting:
    """The short way to create rows of one resource."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._model = plan.kind.model
        self._shown: Shown | None = None
        self._names: frozenset[str] = frozenset()
        self._events: list[Any] = []
        self._places: list[_Place] = []
        if not _is_ordinary(plan.kind):
            return
        shown = shown_by(plan.schema, self._model, plan.key.key)
        columns = plain_columns(self._model) or {}
        places = _places(inspect(self._model), columns)
        if shown is None or places is None:
            return
        self._shown = shown
        self._places = places
        # The key is the database's to give: what an object is told of it is another matter.
        self._names = frozenset(columns) - {plan.key.key}
        self._events = [getattr(self._model, name).dispatch for name in self._names]
        self._calls_code = any(place.calls_code for place in places)
        self._certainty = Certainty(plan.schema, columns)

    def insert(
        self,
        data: Mapping[str, Any],
        finish: Callable[[Any, Any], Any],
        *,
        certain: bool,
    ) -> Any:
        """Write a row, make the answer, and commit both or neither.

        Where making the answer cannot fail, the row is committed by the statement itself.

        :param finish: makes the answer of what is shown of the row, and of its key.
        :param certain: that it cannot fail.
        :return: the answer; ``None``: nothing was done, the long way must be taken.
        """
        shown, lane = self._shown, lane_of()
        if shown is None or lane is None or not self._is_open(lane, data):
            return None
        try:
            values = self._values(data)
        except _NeedsContextError:
            self._shown = None
            return None
        bound = self._bound(lane, values)
        if bound is None:
            return None
        place = shown.names.index(self._plan.key.key)
        if certain and self._certainty.of(values):
            row = lane.write_alone(bound, values)
            return finish(shown.dump((row,))[0], row[place])
        return lane.write(bound, values, lambda row: finish(shown.dump((row,))[0], row[place]))

    def _is_open(self, lane: Lane, data: Mapping[str, Any]) -> bool:
        return (
            data.keys() <= self._names
            and self._is_unnoticed()
            and lane.is_open_to_write()
            and _are_values(data)
        )

    def _bound(self, lane: Lane, values: Mapping[str, Any]) -> Bound | None:
        """Render the statement; ``None``: it is not all that happens."""
        table: Any = inspect(self._model).local_table
        if self._calls_code and not lane.is_open_to_write():  # a default may use the session
            return None
        if lane.has_triggers(table):
            return None
        return lane.constant((self, *values), lambda: self._statement(table, values))

    def _values(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Give what is sent of a row: as objects are written, ``None`` counts as nothing given."""
        found: dict[str, Any] = {}
        for name, column, default, _, may_be_left_out, keeps_none in self._places:
            value = None if name is None else data.get(name)
            if value is None and not (keeps_none and name in data):
                if default is not None:
                    value = default()
                elif may_be_left_out:
                    continue
            found[column.key] = value
        return found

    def _statement(self, table: Table, values: Mapping[str, Any]) -> Insert:
        assert self._shown is not None  # noqa: S101 - asked before
        given = {name: bindparam(name, type_=table.c[name].type) for name in values}
        columns = (each.property.columns[0] for each in self._shown.columns)
        return insert(table).values(given).returning(*columns)

    def _is_unnoticed(self) -> bool:
        """Tell whether nobody listens to objects of the model being made and written."""
        mapper: Any = inspect(self._model)
        events, loaded = mapper.dispatch, mapper.class_manager.dispatch
        if events.before_insert or events.after_insert:
            return False
        # The mapper itself is the first to listen to objects being made.
        if len(loaded.init) > 1 or loaded.init_failure or loaded.refresh_flush:
            return False
        if any(each.set for each in self._events):
            return False
        return is_loaded_silently(self._model)


def _is_ordinary(kind: type[Resource]) -> bool:
    """Tell whether creating means no more than an object with the values that were sent."""
    from carboy.api.resource.resource import Resource  # it imports this package for its types

    stock = ("create", "save", "read", "session", "__init__")
    if any(getattr(kind, name) is not getattr(Resource, name) for name in stock):
        return False
    mapper: Mapper[Any] = inspect(kind.model)
    return (
        mapper.version_id_col is None
        and not mapper.validators
        and mapper.class_manager.original_init is _USUAL_INIT
        and getattr(kind.model, "__setattr__") is object.__setattr__  # noqa: B009 - mypy knows better
    )


def _places(mapper: Mapper[Any], columns: Mapping[str, Any]) -> list[_Place] | None:
    """Say what is sent for each column; ``None``: that is not known before."""
    names = {each.property.columns[0]: name for name, each in columns.items()}
    table: Any = mapper.local_table
    mapped = set(mapper.columns)
    made = []
    for column in table.c:
        name = names.get(column)
        if name is None and column in mapped:
            return None  # mapped in another way
        if column is table.autoincrement_column and column.default is None:
            continue
        default = column.default
        if column.primary_key and (default is None or default.is_clause_element):
            return None
        if column.computed is not None or column.identity is not None:
            continue
        left_out = column.server_default is not None
        if default is not None and not (default.is_scalar or default.is_callable):
            left_out, default = True, None  # an expression: rendered into the statement
        keeps_none = column.type.should_evaluate_none
        made.append(
            _Place(
                name,
                column,
                None if default is None else _maker(default),
                default is not None and default.is_callable,
                left_out or (keeps_none and default is None),
                keeps_none,
            )
        )
    return made


def _maker(default: Any) -> Callable[[], Any]:
    if default.is_scalar:
        return lambda: default.arg
    return lambda: default.arg(_NO_CONTEXT)


def _are_values(data: Mapping[str, Any]) -> bool:
    return all(type(value) in _VALUES or isinstance(value, Enum) for value in data.values())
