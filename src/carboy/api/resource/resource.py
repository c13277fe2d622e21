"""``Resource``: what a user writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from flask import current_app
from marshmallow import Schema
from marshmallow.fields import Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from carboy.api.filters import Operator
from carboy.api.paging import Cursor, Page, Paging

if TYPE_CHECKING:
    from carboy.api.resource.plan import Plan

__all__ = ["METHODS", "Method", "Resource"]

Method = Literal["list", "create", "read", "replace", "update", "delete"]
METHODS: tuple[Method, ...] = ("list", "create", "read", "replace", "update", "delete")


class Resource:
    """Rows of one model, over HTTP.

    Subclass it, say what is kept (:attr:`model`) and what is sent (:attr:`schema`,
    :attr:`writable`), and route it with :meth:`carboy.Blueprint.resource`. There is one
    object of it per request. Each of the six methods may be left out with :attr:`only`, or
    overridden; ``super()`` does what it would have done.

    A write is one transaction: the row is locked, preconditions are compared, the method
    runs, the answer is made, and then it is committed. An error at any place leaves nothing.

    :cvar model: the mapped class; its primary key is one column.
    :cvar schema: what is answered.
    :cvar list_schema: what a list shows of each; by default :attr:`schema`.
    :cvar writable: what a caller may set; nothing else can be.
    :cvar only: the methods there are. Without :attr:`writable`: ``list``, ``read``, ``delete``.
    :cvar sort: names a caller may sort by.
    :cvar default_sort: names with a sign; by default the primary key.
    :cvar filters: field → operators, such as ``{"price": ("gte", "lte")}``.
    :cvar parameters: further query parameters of the list; :meth:`query` makes sense of them.
    :cvar paging: :class:`~carboy.Cursor` or :class:`~carboy.Pages`.
    :cvar if_match: ``required``: a write without ``If-Match`` is a 428.
    :cvar guards: method → decorators around all of it, before the request is read.

    :ivar path: the variables of the address, without the one that names the row.
    :ivar arguments: in a list, the values of :attr:`parameters` that were given.
    """

    model: ClassVar[type[Any]]
    schema: ClassVar[type[Schema] | Schema]
    list_schema: ClassVar[type[Schema] | Schema | None] = None
    writable: ClassVar[type[Schema] | None] = None
    only: ClassVar[Sequence[Method] | None] = None
    sort: ClassVar[Sequence[str]] = ()
    default_sort: ClassVar[Sequence[str]] = ()
    filters: ClassVar[Mapping[str, Sequence[Operator]]] = {}
    parameters: ClassVar[Mapping[str, Field[Any]]] = {}
    paging: ClassVar[Paging] = Cursor()
    if_match: ClassVar[Literal["optional", "required"]] = "optional"
    guards: ClassVar[Mapping[Method, Sequence[Callable[[Any], Any]]]] = {}

    def __init__(
        self, plan: Plan, path: Mapping[str, Any], arguments: Mapping[str, Any] | None = None
    ) -> None:
        self._plan = plan
        self.path = path
        self.arguments: Mapping[str, Any] = arguments or {}

    @property
    def session(self) -> Session:
        """The session of the request, from the app's :class:`~carboy.Database`."""
        database = current_app.extensions.get("sqlalchemy")
        if database is None:
            raise RuntimeError("There is no database on this app. Call db.init_app(app).")
        session: Session = database.session
        return session

    @cached_property
    def selection(self) -> Select[Any]:
        """What :meth:`query` says in this request; it is asked once."""
        return self.query()

    def query(self) -> Select[Any]:
        """Select the rows that exist for this caller; whatever it leaves out is a 404."""
        return select(self.model)

    def prepare(self, data: dict[str, Any]) -> dict[str, Any]:
        """Turn what was sent into attributes of the row, before a transaction begins.

        What takes long, such as hashing a password, belongs here: nobody waits for a lock
        meanwhile. A ``PATCH`` of a nested object is the exception: merging it needs the row.

        :param data: what :attr:`writable` loaded; in an update only what was sent.
        """
        return data

    def save(self, row: Any) -> None:
        """Write a new or changed row, without committing it.

        Override it to say in other words why the database refuses.
        """
        self.session.add(row)
        self.session.flush()

    def list(self, query: Mapping[str, Any]) -> Page:
        """List them.

        :param query: what was asked for, with ``limit`` and the rest.
        :raises InvalidCursor: if the cursor is not one of this list (400).
        """
        plan = self._plan
        rows = plan.filters.apply(self.selection, query)
        return self.paging.cut(rows, plan.sorting.keys(query.get("sort")), query, self.session)

    def create(self, data: dict[str, Any]) -> Any:
        """Make a row and return it."""
        row = self.model(**data)
        self.save(row)
        return row

    def read(self, row: Any) -> Any:
        """Return what is answered of a row; :attr:`schema` writes it."""
        return row

    def replace(self, row: Any, data: dict[str, Any]) -> Any:
        """Set everything a caller may set, what was left out to its default."""
        return self.update(row, {**self._plan.defaults(data), **data})

    def update(self, row: Any, data: dict[str, Any]) -> Any:
        """Set what was sent and leave the rest."""
        for name, value in data.items():
            setattr(row, name, value)
        self.save(row)
        return row

    def delete(self, row: Any) -> None:
        """Remove a row."""
        self.session.delete(row)
        self.session.flush()
