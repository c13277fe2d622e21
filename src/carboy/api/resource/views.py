"""The views of a resource: what happens around its methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from flask import Response
from flask.views import MethodView
from sqlalchemy import Select, select

from carboy.api.answers import empty, is_ordinary
from carboy.api.conditional import (
    answered,
    check_preconditions,
    entity_tag,
    expects_something,
    tagged,
)
from carboy.api.operation import declare_apart
from carboy.api.resource.addresses import Addresses
from carboy.api.resource.description import describe
from carboy.api.resource.dispatching import directly, dispatching
from carboy.api.resource.inserting import Inserting
from carboy.api.resource.plan import Plan
from carboy.api.resource.reading import Reading
from carboy.api.resource.resource import Resource
from carboy.fast.flask.response import Written
from carboy.fast.schema import dump

if TYPE_CHECKING:
    from carboy.api.resource.resource import Method

__all__ = ["Routed"]

Answer = Response | Written
_LIST: Mapping[str, Method] = {"get": "list", "post": "create"}
_ITEM: Mapping[str, Method] = {
    "get": "read",
    "put": "replace",
    "patch": "update",
    "delete": "delete",
}


class Routed:
    """A resource at one address, as views.

    :param rule: of the list; a row's has its key behind it.
    :param name: endpoint of the list; a row's ends in ``_item``.
    """

    def __init__(self, kind: type[Resource], rule: str, name: str) -> None:
        self._kind = kind
        self._plan = Plan(kind)
        self._rule = rule
        self._name = name
        is_read = "read" in self._plan.methods
        self._addresses = Addresses(self._item_name if is_read else None, self._plan.key.key)
        self._handlers: Mapping[Method, Callable[..., Answer]] = {
            "list": self._list,
            "create": self._create,
            "read": self._read,
            "replace": partial(self._write, "replace"),
            "update": self._update,
            "delete": self._delete,
        }

    def views(self) -> Iterator[tuple[str, str, Callable[..., Any]]]:
        """Give rule, endpoint and view: of the list, and of a row."""
        item_rule = f"{self._rule.rstrip('/')}/{self._plan.converter}"
        for rule, name, words in (
            (self._rule, self._name, _LIST),
            (item_rule, self._item_name, _ITEM),
        ):
            methods = {
                word: self._method(method)
                for word, method in words.items()
                if method in self._plan.methods
            }
            if methods:
                members = {**methods, **dispatching(methods), "init_every_request": False}
                kind: type[MethodView] = type(f"{self._kind.__name__}View", (MethodView,), members)
                yield rule, name, directly(kind.as_view(name), methods)

    @cached_property
    def _reading(self) -> Reading:
        # At the first request: models may refer to others that are declared later.
        return Reading(self._plan)

    @cached_property
    def _inserting(self) -> Inserting:
        return Inserting(self._plan)

    @property
    def _item_name(self) -> str:
        return f"{self._name}_item"

    def _method(self, method: Method) -> Callable[..., Any]:
        """Make the function that Flask calls for one method, guards around it."""
        handler = self._handlers[method]

        def answer(_: MethodView | None, **given: Any) -> Answer:
            return handler(**given)

        # What decorators have written onto an overridden method, such as who may call it.
        own = getattr(self._kind, method)
        written = {name: value for name, value in vars(own).items() if name != "__wrapped__"}
        vars(answer).update(written)
        declare_apart(answer)
        answer.__qualname__ = f"{self._kind.__qualname__}.{method}"
        answer.__module__ = self._kind.__module__
        function = describe(answer, method, self._plan, self._name)
        for guard in reversed(self._kind.guards.get(method, ())):
            function = guard(function)
        return function

    def _list(self, query: Mapping[str, Any], **path: Any) -> Answer:
        own = self._kind.parameters
        arguments = {name: query[name] for name in own if name in query}
        resource = self._kind(self._plan, path, arguments)
        direct = self._reading.list(resource, query)
        if direct is None:
            page = resource.list(query)
            direct = dump(self._plan.page_schema, page), page.header
        shown, link = direct
        return answered(shown, (("Link", link),) if link else ())

    def _read(self, **path: Any) -> Answer:
        resource, key = self._of(path)
        shown = self._reading.read(resource, key) if self._plan.is_key(key) else None
        if shown is None:
            shown = self._shown(resource, self._found(resource, key))
        return answered(shown)

    def _create(self, data: dict[str, Any], **path: Any) -> Response:
        resource = self._kind(self._plan, path)
        values = self._checked(resource.prepare(data))
        written = self._addresses.of(resource.path)
        made: Response | None = self._inserting.insert(
            values,
            partial(self._created, written.of),
            certain=written.certain and is_ordinary(),
        )
        if made is not None:
            return made
        return self._finish(resource, resource.create(values), 201)

    def _update(self, data: dict[str, Any], **path: Any) -> Response:
        merging = self._plan.merging
        assert merging is not None  # noqa: S101 - no update without a writable schema
        if not merging.reaches_into(data):
            return self._write("update", data, **path)
        resource, key = self._of(path)
        row = self._locked(resource, key)
        values = resource.prepare(merging.merged(row, data))
        return self._finish(resource, resource.update(row, self._checked(values)), 200)

    def _write(self, method: Method, data: dict[str, Any], **path: Any) -> Response:
        resource, key = self._of(path)
        values = self._checked(resource.prepare(data))
        row = self._locked(resource, key)
        return self._finish(resource, getattr(resource, method)(row, values), 200)

    def _delete(self, **path: Any) -> Response:
        resource, key = self._of(path)
        resource.delete(self._locked(resource, key))
        resource.session.flush()
        resource.session.commit()
        return empty(204)

    def _of(self, path: dict[str, Any]) -> tuple[Resource, Any]:
        key = path.pop(self._plan.key.key)
        return self._kind(self._plan, path), key

    def _found(self, resource: Resource, key: Any, *, lock: bool = False) -> Any:
        if not self._plan.is_key(key):
            raise self._plan.unknown(key)
        rows = resource.selection.where(self._plan.key == key)
        if lock:
            rows = self._locking(resource, rows, key)
        row = resource.session.scalars(rows).unique().one_or_none()
        if row is None:
            raise self._plan.unknown(key)
        return row

    def _locking(self, resource: Resource, rows: Select[Any], key: Any) -> Select[Any]:
        # What the session knows of the row may be older than the lock.
        rows = rows.execution_options(populate_existing=True)
        if type(resource).query is Resource.query:
            return rows.with_for_update(of=self._kind.model)
        # A query of its own may group rows or drop repetitions, and so cannot lock.
        alone = select(self._plan.key).where(self._plan.key == key)
        resource.session.execute(alone.with_for_update())
        return rows

    def _locked(self, resource: Resource, key: Any) -> Any:
        """Load a row to change it, if it is what the caller expects.

        The lock (of the row, or on SQLite of the database, which a writing transaction takes
        at its beginning) makes comparing and changing one step.
        """
        row = self._found(resource, key, lock=True)
        required = self._kind.if_match == "required"
        if required or expects_something():
            tag = entity_tag(self._shown(resource, row)) if expects_something() else None
            check_preconditions(tag, required=required)
        return row

    def _shown(self, resource: Resource, row: Any) -> Any:
        return dump(self._plan.schema, resource.read(row))

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        assert self._plan.writing is not None  # noqa: S101 - as above
        self._plan.writing.check(values)
        return values

    def _finish(self, resource: Resource, row: Any, status: int) -> Response:
        session = resource.session
        session.flush()
        session.refresh(row)  # as the next read shows it: rounded, in UTC, with its defaults
        if status == 201:  # noqa: PLR2004 - Created
            response = self._created(
                self._addresses.of(resource.path).of,
                self._shown(resource, row),
                getattr(row, self._plan.key.key),
            )
        else:
            response = tagged(self._shown(resource, row), status)
        session.commit()
        return response

    def _created(self, address: Callable[[Any], str] | None, shown: Any, key: Any) -> Response:
        return tagged(shown, 201, {} if address is None else {"Location": address(key)})
