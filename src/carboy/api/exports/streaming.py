"""Answering with an export: what the caller chose, in the right headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar, cast

from flask import Response, current_app, request
from marshmallow import Schema
from sqlalchemy import Select

from carboy.api.exports.body import MEDIA_TYPES, Body, Format
from carboy.api.exports.description import describe
from carboy.api.files.disposition import disposition_header
from carboy.api.operation import declare_apart
from carboy.backing.database import Database
from carboy.errors import Invalid, for_status

__all__ = ["export", "exports"]

Formulas = Literal["escape", "keep"]
View = TypeVar("View", bound=Callable[..., Any])

_BATCH = 500
_NOT_ACCEPTABLE = 406


def export(  # noqa: PLR0913 - keywords, each with a default
    rows: Iterable[Iterable[Any]],
    schema: Schema,
    *,
    format: Format = "csv",  # noqa: A002 - the field's word
    name: str = "export",
    bom: bool = False,
    formulas: Formulas = "escape",
) -> Response:
    """Answer with *rows*, in batches, as they come.

    When reading them fails midway, the connection breaks off: the caller sees that the file
    is not whole.

    :param rows: batches of rows, as :meth:`Database.stream` gives them; closed at the end,
        also when the caller goes away.
    :param schema: which columns there are, and how values are written.
    :param name: of the file, without extension.
    :param bom: begin a CSV with a byte order mark, by which spreadsheets know UTF-8.
    :param formulas: ``escape`` puts an apostrophe before text that a spreadsheet would take
        for a formula, in CSV, and before such text with apostrophes already, so that taking one
        away gives back what was stored; ``keep`` is for programs that do not know of it.
    """
    body = Body(rows, schema, format, bom=bom, escape=formulas == "escape")
    content_type = MEDIA_TYPES[format]
    if format == "csv":
        content_type += "; charset=utf-8; header=present"
    response = current_app.response_class(body, content_type=content_type)
    response.headers["Content-Disposition"] = disposition_header("attachment", f"{name}.{format}")
    response.headers["Cache-Control"] = "private, no-store"
    # nginx would gather the whole answer on its disk
    response.headers["X-Accel-Buffering"] = "no"
    response.vary.add("Accept")
    return response


def exports(  # noqa: PLR0913 - keywords, each with a default
    database: Database,
    schema: type[Schema] | Schema,
    *,
    name: str,
    formats: Sequence[Format] = ("csv", "ndjson"),
    bom: bool = False,
    formulas: Formulas = "escape",
) -> Callable[[View], View]:
    """Answer with all rows of the statement that the view returns.

    Place it below the route::

        @api.get("/users/export")
        @exports(db, UserOut, name="users")
        def export_users():
            return select(User).order_by(User.id)

    The caller chooses by ``?format=`` or the ``Accept`` header; the first of *formats* is
    the default. A caller that accepts none gets a 406. See :func:`export` for the rest.
    """
    if not formats or set(formats) - MEDIA_TYPES.keys():
        raise TypeError(f"formats= takes some of {', '.join(MEDIA_TYPES)}.")
    instance = schema if isinstance(schema, Schema) else schema()

    def decorate(view: View) -> View:
        @wraps(view)
        def exported(*args: Any, **kwargs: Any) -> Any:
            chosen = _chosen(formats)
            statement = current_app.ensure_sync(view)(*args, **kwargs)
            if not isinstance(statement, Select):
                return statement
            rows = database.stream(statement, batch=_BATCH)
            try:
                return export(rows, instance, format=chosen, name=name, bom=bom, formulas=formulas)
            except BaseException:
                rows.close()
                raise

        escape = formulas == "escape"
        describe(declare_apart(exported), instance, formats, bom=bom, escape=escape)
        return cast("View", exported)

    return decorate


def _chosen(formats: Sequence[Format]) -> Format:
    asked = request.args.get("format")
    if asked is not None:
        if asked not in formats:
            raise Invalid(data={"format": [f"Must be one of: {', '.join(formats)}."]})
        return cast("Format", asked)
    if not request.accept_mimetypes:
        return formats[0]
    types = {MEDIA_TYPES[one]: one for one in formats}
    best = request.accept_mimetypes.best_match(types)
    if best is None:
        raise for_status(_NOT_ACCEPTABLE, f"This is available as {' or '.join(types)}.")
    return types[best]
