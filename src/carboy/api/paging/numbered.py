"""Pages with numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from carboy.api.paging.links import address
from carboy.api.paging.page import Page, Paging
from carboy.api.sorting import SortKey

__all__ = ["Pages"]

PAGE_MAX = 2**31 - 1


@dataclass(frozen=True)
class Pages(Paging):
    """Pages with numbers: ``?page=3``.

    The database reads and drops what comes before, so far pages cost more than near ones,
    and rows that come or go in between shift the rest.

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
        found = session.scalars(self.page_of(rows, keys, query)).unique().all()
        return self.page(found, total, query)

    def counted(self, rows: Select[Any]) -> Select[Any]:
        """Select the number of rows on all pages together."""
        return select(func.count()).select_from(rows.order_by(None).subquery())

    def page_of(
        self, rows: Select[Any], keys: Sequence[SortKey], query: Mapping[str, Any]
    ) -> Select[Any]:
        """Select the rows of one page, and one more if there is."""
        limit, page = query["limit"], query["page"]
        ordered = rows.order_by(None).order_by(*(key.clause() for key in keys))
        return ordered.limit(limit + 1).offset((page - 1) * limit)

    def page(self, found: Sequence[Any], total: int | None, query: Mapping[str, Any]) -> Page:
        """Make the page of the rows that were found, and its links."""
        limit, page = query["limit"], query["page"]
        links = {
            "next": address(page=page + 1) if len(found) > limit else None,
            "prev": address(page=page - 1) if page > 1 else None,
            "first": address(page=1),
        }
        if total is not None:
            links["last"] = address(page=max(1, -(-total // limit)))
        return Page(items=found[:limit], limit=limit, links=links, page=page, total=total)
