"""Rows of a resource as they are answered, straight from their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from marshmallow import Schema
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from carboy.api.paging import Cursor, Page, Pages
from carboy.api.paging.cursor import in_order
from carboy.api.resource.mapping import is_loaded_silently, narrows_only, plain_columns
from carboy.fast.flask.context import current
from carboy.fast.schema import rows_dumper
from carboy.fast.schema.shown import attributes_shown

if TYPE_CHECKING:
    from carboy.api.cursors import Place
    from carboy.api.resource.plan import Plan
    from carboy.api.resource.resource import Resource
    from carboy.api.sorting import SortKey
    from carboy.backing.direct import Bound, Lane

__all__ = ["Reading", "lane_of", "shown_by"]

Row = tuple[Any, ...]


class Shown:
    """What a schema shows of a model: columns, and how rows of them are dumped."""

    def __init__(self, schema: Schema, columns: Mapping[str, InstrumentedAttribute[Any]]) -> None:
        self.names = tuple(columns)
        self.columns = tuple(columns.values())
        self._dump = rows_dumper(schema, self.names)

    def dump(self, rows: Sequence[Row]) -> list[Any]:
        """Give what is answered of rows."""
        return self._dump(rows)


def shown_by(schema: Schema, model: type[Any], *more: str) -> Shown | None:
    """Find the columns of *model* that *schema* shows; ``None``: it shows more than columns.

    :param more: attributes that are read beside them.
    """
    attributes, known = attributes_shown(schema), plain_columns(model)
    if attributes is None or known is None or not (attributes | set(more)) <= known.keys():
        return None
    return Shown(schema, {name: known[name] for name in sorted(attributes | set(more))})


class Reading:
    """The short way of one resource, for as many requests as it is good for.

    Each method gives ``None`` where the request at hand must take the long one.
    """

    def __init__(self, plan: Plan) -> None:
        from carboy.api.resource.resource import Resource  # it imports this package for its types

        kind = plan.kind
        self._plan = plan
        self._model = kind.model
        self._has_own_query = kind.query is not Resource.query
        self._row: Shown | None = None
        self._item: Shown | None = None
        if kind.session is not Resource.session or kind.__init__ is not Resource.__init__:
            return
        key = plan.key.key
        if kind.read is Resource.read:
            self._row = shown_by(plan.schema, kind.model, key)
        if kind.list is Resource.list and type(kind.paging) in (Cursor, Pages):
            order = [*plan.sorting.allowed.values(), *plan.sorting.default]
            self._item = shown_by(plan.listed, kind.model, key, *(one.column.key for one in order))

    def read(self, resource: Resource, key: Any) -> Any:
        """Give what is answered of a row.

        :raises NotFound: if there is no such row.
        """
        shown = self._row
        if shown is None:
            return None
        plan, given = self._plan, {}
        if self._has_own_query:
            rows = resource.selection.where(plan.key == key)
            lane = self._lane()
            bound = lane and lane.bound(rows, shown.columns, accepts=self._accepts)
        else:
            lane, given = self._lane(), {"key": key}
            bound = lane and lane.constant((self, "read"), self._one, shown.columns)
        if not (lane and bound and bound.prepared.is_single):
            return None
        found = lane.read(bound, given)
        if not found:
            raise plan.unknown(key)
        return shown.dump(found)[0]

    def list(self, resource: Resource, query: Mapping[str, Any]) -> tuple[Any, str] | None:
        """Give a page as it is answered, and its ``Link`` header.

        :raises InvalidCursor: if the cursor is not one of this list (400).
        """
        shown, plan, paging = self._item, self._plan, resource.paging
        if shown is None:
            return None
        if self._has_own_query:
            resource.selection  # noqa: B018 - made first, since it may begin a transaction
        lane = self._lane()
        if lane is None:
            return None
        keys = plan.sorting.keys(query.get("sort"))
        if isinstance(paging, Cursor):
            page = self._following(lane, shown, resource, keys, query)
        else:
            page = self._numbered(lane, shown, resource, keys, query)
        if page is None:
            return None
        # In the order of the schema, whose other values are shown as they are.
        answered = {name: getattr(page, name) for name in plan.page_schema.fields}
        answered["items"] = shown.dump(page.items)
        return answered, page.header

    def _following(
        self,
        lane: Lane,
        shown: Shown,
        resource: Resource,
        keys: Sequence[SortKey],
        query: Mapping[str, Any],
    ) -> Page | None:
        plan, limit, given = self._plan, query["limit"], {}
        paging: Any = plan.kind.paging
        place = paging.place(keys, query)
        if not self._is_first(place, query):
            chosen = plan.filters.apply(resource.selection, query)
            statement = paging.page_of(chosen, in_order(keys, place), place).limit(limit + 1)
            bound = lane.bound(statement, shown.columns, accepts=self._accepts)
        else:
            given = {"limit": limit + 1}
            bound = lane.constant(
                (self, *map(str, keys)),
                lambda: paging.page_of(resource.selection, keys, None).limit(bindparam("limit")),
                shown.columns,
            )
        if bound is None or not bound.prepared.is_single:
            return None
        found = lane.read(bound, given)
        page: Page = paging.page(
            found[:limit], limit, keys, place, more=len(found) > limit, values=_values_in(shown)
        )
        return page

    def _is_first(self, place: Place | None, query: Mapping[str, Any]) -> bool:
        """Tell whether the beginning of the whole list is asked for."""
        return not (self._has_own_query or place or self._plan.filters.narrow(query))

    def _numbered(
        self,
        lane: Lane,
        shown: Shown,
        resource: Resource,
        keys: Sequence[SortKey],
        query: Mapping[str, Any],
    ) -> Page | None:
        paging: Any = self._plan.kind.paging
        chosen = self._plan.filters.apply(resource.selection, query)
        if paging.is_far(query):
            return self._far(lane, shown, chosen, keys, query)
        statement = paging.page_of(chosen, keys, query)
        several: list[Bound | None] = [lane.bound(statement, shown.columns, accepts=self._accepts)]
        if paging.total:
            several.insert(0, several[0] and lane.bound(paging.counted(chosen)))
        ready = [bound for bound in several if bound is not None and bound.prepared.is_single]
        if len(ready) < len(several):
            return None
        *counts, found = lane.read_all(*ready)
        page: Page = paging.page(found, counts[0][0][0] if counts else None, query)
        return page

    def _far(
        self,
        lane: Lane,
        shown: Shown,
        chosen: Select[Any],
        keys: Sequence[SortKey],
        query: Mapping[str, Any],
    ) -> Page | None:
        """Give a page after its total, which tells from which end it is nearer."""
        paging: Any = self._plan.kind.paging
        counted = lane.bound(paging.counted(chosen))
        if counted is None or not counted.prepared.is_single:
            return None
        total = lane.read(counted, {})[0][0]
        statement = paging.page_of(chosen, keys, query, total)
        bound = lane.bound(statement, shown.columns, accepts=self._accepts)
        if bound is None or not bound.prepared.is_single:
            return None
        page: Page = paging.page(lane.read(bound, {}), total, query)
        return page

    def _lane(self) -> Lane | None:
        lane = lane_of()
        if lane is None or not lane.is_open(self._model):
            return None
        return lane if is_loaded_silently(self._model) else None

    def _one(self) -> Select[Any]:
        key = self._plan.key
        return select(self._model).where(key == bindparam("key", type_=key.type))

    def _accepts(self, statement: Select[Any]) -> bool:
        return narrows_only(statement, self._model)


def lane_of() -> Lane | None:
    """Find the short way to the database of the current app, if it has one open by now."""
    lane: Lane | None = current().app.extensions.get("carboy.lane")
    return lane


def _values_in(shown: Shown) -> Callable[[Row, Sequence[SortKey]], Row]:
    places = {name: place for place, name in enumerate(shown.names)}
    return lambda row, keys: tuple(row[places[key.column.key]] for key in keys)
