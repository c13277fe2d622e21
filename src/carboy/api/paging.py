"""Lists in pages: by cursor, or by number.

Cursors point between two rows of an ordered list, so the cost of a page does not grow
with its distance from the start, and a row that comes or goes moves no other row onto
or off the next page. Page numbers count, with the opposite properties.

Sources: RFC 8288 (links); Winand, "Use The Index, Luke", "Paging Through Results".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask import request
from marshmallow import Schema, fields, validate
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from carboy.api import cursors
from carboy.api.cursors import InvalidCursor, Place
from carboy.api.sorting import SortKey, beyond

__all__ = ["Cursor", "InvalidCursor", "Page", "Pages", "Paging"]

PAGE_MAX = 2**31 - 1
_LIMIT_NOTE = {"description": "Most items to answer."}


@dataclass(frozen=True)
class Page:
    """One page of a list, as it is answered.

    :param links: relation (``next``, ``prev`` …) → address; ``None``: there is none.
    :param page: its number, from 1, where pages have numbers.
    :param total: items on all pages together, where they are counted.
    """

    items: Sequence[Any]
    limit: int
    links: Mapping[str, str | None] = field(default_factory=dict)
    page: int | None = None
    total: int | None = None

    @property
    def header(self) -> str:
        """The value of the ``Link`` header; empty: there is nowhere to go (RFC 8288)."""
        there = ((name, to) for name, to in self.links.items() if to is not None)
        return ", ".join(f'<{to}>; rel="{name}"' for name, to in there)


@dataclass(frozen=True)
class Paging(ABC):
    """How a list is cut into pages.

    :param limit: items on a page when the caller does not say.
    :param limit_max: most items a caller may ask for; more is a 422.
    """

    limit: int = 20
    limit_max: int = 100

    relations = ("next", "prev")

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= self.limit_max:
            raise ValueError(f"limit is {self.limit}; it must be between 1 and limit_max.")

    def query_fields(self) -> dict[str, fields.Field[Any]]:
        """Make the fields that read the query parameters."""
        size = validate.Range(min=1, max=self.limit_max)
        return {
            "limit": fields.Integer(load_default=self.limit, validate=size, metadata=_LIMIT_NOTE),
            **self._fields(),
        }

    def schema(self, item: Schema, name: str) -> Schema:
        """Make the schema of a page of *item*; *name* is that of its component."""
        address = {"format": "uri-reference"}
        links = {
            relation: fields.String(required=True, allow_none=True, metadata=address)
            for relation in self.relations
        }
        made = Schema.from_dict(
            {
                "items": fields.List(fields.Nested(item), required=True),
                "limit": fields.Integer(required=True),
                **self._shown(),
                "links": fields.Nested(
                    Schema.from_dict(dict(links), name=f"{type(self).__name__}Links"),
                    required=True,
                ),
            },
            name=name,
        )
        return made()

    @abstractmethod
    def cut(
        self, rows: Select[Any], keys: Sequence[SortKey], query: Mapping[str, Any], session: Session
    ) -> Page:
        """Read one page of *rows* in the order of *keys*.

        :param rows: a selection of one model; an order of its own is replaced.
        :param keys: without ties: the last one is the primary key.
        :param query: what :meth:`query_fields` and the list's filters loaded.
        :raises InvalidCursor: see :class:`Cursor`.
        """

    @abstractmethod
    def _fields(self) -> dict[str, fields.Field[Any]]: ...

    def _shown(self) -> dict[str, fields.Field[Any]]:
        return {}


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
        limit, bound = query["limit"], _bound_to(keys)
        place = None
        if "cursor" in query:
            place = cursors.read(query["cursor"], bound, length=len(keys))
        back = place is not None and place.backward
        order = [key.reversed() for key in keys] if back else list(keys)
        rows = rows.order_by(None).order_by(*(key.clause() for key in order)).limit(limit + 1)
        if place is not None and place.values:
            rows = rows.where(beyond(order, place.values))
        found, read = _once_each(session, rows)
        more, shown = len(found) > limit, list(found[:limit])
        if shown and not more and read > limit:  # a join gave some rows more than once
            behind_it = rows.where(beyond(order, _values(shown[-1], keys)))
            more = session.scalars(behind_it.limit(1)).unique().first() is not None
        if back:
            shown.reverse()
        ahead = more if not back else bool(place and place.values)
        behind = more if back else place is not None
        return Page(
            items=shown,
            limit=limit,
            links={
                "next": _onward(shown, keys, bound) if ahead else None,
                "prev": _backward(shown, keys, bound) if behind else None,
            },
        )


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
        limit, page = query["limit"], query["page"]
        total = None
        if self.total:
            total = session.scalar(select(func.count()).select_from(rows.order_by(None).subquery()))
        ordered = rows.order_by(None).order_by(*(key.clause() for key in keys))
        cut = ordered.limit(limit + 1).offset((page - 1) * limit)
        found = session.scalars(cut).unique().all()
        links = {
            "next": _address(page=page + 1) if len(found) > limit else None,
            "prev": _address(page=page - 1) if page > 1 else None,
            "first": _address(page=1),
        }
        if total is not None:
            links["last"] = _address(page=max(1, -(-total // limit)))
        return Page(items=found[:limit], limit=limit, links=links, page=page, total=total)


def _once_each(session: Session, rows: Select[Any]) -> tuple[Sequence[Any], int]:
    """Read rows, each once, and say how many there were with their repetitions."""
    read = 0

    def identity(row: Any) -> int:
        nonlocal read
        read += 1
        return id(row)

    return session.scalars(rows).unique(identity).all(), read


def _onward(shown: Sequence[Any], keys: Sequence[SortKey], bound: str) -> str:
    if not shown:  # everything before was deleted: what is left begins at the start
        return _address()
    return _address(cursor=cursors.write(Place(_values(shown[-1], keys)), bound))


def _backward(shown: Sequence[Any], keys: Sequence[SortKey], bound: str) -> str:
    # On an empty page everything behind was deleted: what is left ends at the end.
    values = _values(shown[0], keys) if shown else ()
    return _address(cursor=cursors.write(Place(values, backward=True), bound))


def _values(row: Any, keys: Sequence[SortKey]) -> tuple[Any, ...]:
    return tuple(getattr(row, key.column.key) for key in keys)


def _asked() -> list[tuple[str, str]]:
    """Give what was asked for beside the place in the list, in one order."""
    pairs = request.args.items(multi=True)
    return sorted((name, value) for name, value in pairs if name not in ("cursor", "page"))


def _bound_to(keys: Sequence[SortKey]) -> str:
    asked = [pair for pair in _asked() if pair[0] not in ("limit", "sort")]
    return cursors.bound_to([request.path, [str(key) for key in keys], asked])


def _address(**place: Any) -> str:
    """Write the address of another page of the list at hand (RFC 3986, section 4.2)."""
    path = quote(request.root_path + request.path, safe="/:@!$&'()*+,;=~")
    query = urlencode([*_asked(), *place.items()])
    return f"{path}?{query}" if query else path
