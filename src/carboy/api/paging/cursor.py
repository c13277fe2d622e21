"""Pages that follow each other.

Source: Winand, "Use The Index, Luke", "Paging Through Results".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields
from sqlalchemy import Select
from sqlalchemy.orm import Session

from carboy.api import cursors
from carboy.api.cursors import Place
from carboy.api.paging.links import backward, bound_to, onward
from carboy.api.paging.page import Page, Paging
from carboy.api.sorting import SortKey, beyond

__all__ = ["Cursor", "in_order"]


@dataclass(frozen=True)
class Cursor(Paging):
    """Pages that follow each other: ``?cursor=…``, taken from the links of the last answer."""

    def _fields(self) -> dict[str, fields.Field[Any]]:
        note = {"description": "Where to go on; taken from a link of an answer."}
        return {"cursor": fields.String(metadata=note)}

    def cut(
        self, rows: Select[Any], keys: Sequence[SortKey], query: Mapping[str, Any], session: Session
    ) -> Page:
        """See :meth:`Paging.cut`.

        :raises InvalidCursor: if the cursor was made elsewhere, or for another address, order
            or filter (400).
        """
        limit = query["limit"]
        place = self.place(keys, query)
        order = in_order(keys, place)
        rows = self.page_of(rows, order, place).limit(limit + 1)
        found, read = _once_each(session, rows)
        more = len(found) > limit
        if found and not more and read > limit:  # a join gave some rows more than once
            behind_it = rows.where(beyond(order, _values(found[-1], keys)))
            more = session.scalars(behind_it.limit(1)).unique().first() is not None
        return self.page(found[:limit], limit, keys, place, more=more, values=_values)

    def place(self, keys: Sequence[SortKey], query: Mapping[str, Any]) -> Place | None:
        """Read where the page begins; ``None``: at the start.

        :raises InvalidCursor: as above.
        """
        if "cursor" not in query:
            return None
        return cursors.read(query["cursor"], bound_to(keys), length=len(keys))

    def page_of(
        self, rows: Select[Any], order: Sequence[SortKey], place: Place | None
    ) -> Select[Any]:
        """Select what lies behind a place, in order."""
        rows = rows.order_by(None).order_by(*(key.clause() for key in order))
        if place is not None and place.values:
            rows = rows.where(beyond(order, place.values))
        return rows

    def page(  # noqa: PLR0913 - what a page is made of
        self,
        shown: Sequence[Any],
        limit: int,
        keys: Sequence[SortKey],
        place: Place | None,
        *,
        more: bool,
        values: Callable[[Any, Sequence[SortKey]], Sequence[Any]],
    ) -> Page:
        """Make the page of the rows that were found, and its links.

        :param more: whether there are others behind these, in the direction they were read in.
        :param values: gives those of the sort keys of a row.
        """
        back = place is not None and place.backward
        if back:
            shown = shown[::-1]
        ahead = more if not back else bool(place and place.values)
        behind = more if back else place is not None
        bound = bound_to(keys) if ahead or behind else ""
        return Page(
            items=shown,
            limit=limit,
            links={
                "next": onward(values(shown[-1], keys) if shown else None, bound)
                if ahead
                else None,
                "prev": backward(values(shown[0], keys) if shown else None, bound)
                if behind
                else None,
            },
        )


def in_order(keys: Sequence[SortKey], place: Place | None) -> list[SortKey]:
    """Give the order in which a page is read: from behind if it is the one before a place."""
    return [key.reversed() for key in keys] if place is not None and place.backward else list(keys)


def _once_each(session: Session, rows: Select[Any]) -> tuple[Sequence[Any], int]:
    """Read rows, each once, and say how many there were with their repetitions."""
    read = 0

    def identity(row: Any) -> int:
        nonlocal read
        read += 1
        return id(row)

    return session.scalars(rows).unique(identity).all(), read


def _values(row: Any, keys: Sequence[SortKey]) -> tuple[Any, ...]:
    return tuple(getattr(row, key.column.key) for key in keys)
