"""What a page is, and how one is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import Select
from sqlalchemy.orm import Session

from carboy.api.sorting import SortKey

__all__ = ["Page", "Paging"]

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
