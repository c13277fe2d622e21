"""Pages with numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from marshmallow import fields, validate
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from carboy.api.paging.links import address
from carboy.api.paging.page import Page, Paging
from carboy.api.sorting import SortKey

__all__ = ["Pages"]

PAGE_MAX = 2**31 - 1
# Rows before a page from which on it matters from which end they are counted off.
_FAR_ROWS = 1000


@dataclass(frozen=True)
class Pages(Paging):
    """Pages with numbers: ``?page=3``.

    The database reads and drops what comes before, or behind where that is less and the total
    is known: pages in the middle cost the most. Rows that come or go in between shift the rest.

    :param total: count all items, for ``total`` and the link to the last page. It reads the
        whole list once more.
    """

    total: bool = True

    @property
    def relations(self) -> tuple[str, ...]:  # type: ignore[override]
        """The links of a page."""
        return ("next", "prev", "first", "last") if self.total else ("next", "prev", "first")

    def _fields(self) -> dict[str, fields.Field[Any]]:
        note = {"description": "Which page, from 1."}
        bounds = validate.Range(min=1, max=PAGE_MAX)
        return {"page": fields.Integer(load_default=1, validate=bounds, metadata=note)}

    def _shown(self) -> dict[str, fields.Field[Any]]:
        shown: dict[str, fields.Field[Any]] = {"page": fields.Integer(required=True)}
        if self.total:
            note = {"description": "Items on all pages together."}
            shown["total"] = fields.Integer(required=True, metadata=note)
        return shown

    def cut(
        self, rows: Select[Any], keys: Sequence[SortKey], query: Mapping[str, Any], session: Session
    ) -> Page:
        """See :meth:`Paging.cut`."""
        total = session.scalar(self.counted(rows)) if self.total else None
        found = session.scalars(self.page_of(rows, keys, query, total)).unique().all()
        return self.page(found, total, query)

    def counted(self, rows: Select[Any]) -> Select[Any]:
        """Select the number of rows on all pages together."""
        return select(func.count()).select_from(rows.order_by(None).subquery())

    def is_far(self, query: Mapping[str, Any]) -> bool:
        """Tell whether it is worth to know the total before a page is read."""
        return self.total and _before(query) >= _FAR_ROWS

    def page_of(
        self,
        rows: Select[Any],
        keys: Sequence[SortKey],
        query: Mapping[str, Any],
        total: int | None = None,
    ) -> Select[Any]:
        """Select the rows of one page, and one more if there is.

        :param total: if known; the rows of a page nearer to the end are selected backwards.
        """
        size, skipped = query["limit"] + 1, _before(query)
        if _is_nearer_to_end(total, query):
            keys = [key.reversed() for key in keys]
            size = max(0, min(size, total - skipped))
            skipped = max(0, total - skipped - size)
        ordered = rows.order_by(None).order_by(*(key.clause() for key in keys))
        return ordered.limit(size).offset(skipped)

    def page(self, found: Sequence[Any], total: int | None, query: Mapping[str, Any]) -> Page:
        """Make the page of the rows that :meth:`page_of` gave, and its links."""
        limit, page = query["limit"], query["page"]
        if _is_nearer_to_end(total, query):
            found = found[::-1]
        links = {
            "next": address(page=page + 1) if len(found) > limit else None,
            "prev": address(page=page - 1) if page > 1 else None,
            "first": address(page=1),
        }
        if total is not None:
            links["last"] = address(page=max(1, -(-total // limit)))
        return Page(items=found[:limit], limit=limit, links=links, page=page, total=total)


def _before(query: Mapping[str, Any]) -> int:
    """Count the rows on the pages before."""
    before: int = (query["page"] - 1) * query["limit"]
    return before


def _is_nearer_to_end(total: int | None, query: Mapping[str, Any]) -> TypeGuard[int]:
    before = _before(query)
    return total is not None and before >= _FAR_ROWS and 2 * before > total
