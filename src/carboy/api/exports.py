"""Exports: a whole list as CSV or NDJSON, streamed in constant memory.

Sources: RFC 4180 (CSV); https://github.com/ndjson/ndjson-spec; OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar, cast

from flask import Response, current_app, request
from marshmallow import Schema
from sqlalchemy import Select

from carboy.api.files.disposition import disposition_header
from carboy.api.operation import Operation, declare_apart
from carboy.backing.database import Database
from carboy.errors import Invalid, for_status
from carboy.fast.json import dumps

__all__ = ["Format", "export", "exports"]

Format = Literal["csv", "ndjson"]
Formulas = Literal["escape", "keep"]
View = TypeVar("View", bound=Callable[..., Any])

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
_BATCH = 500
_NOT_ACCEPTABLE = 406
_BOM = b"\xef\xbb\xbf"
# What spreadsheets take for the beginning of a formula, also in its full-width form
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


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
        for a formula, in CSV; ``keep`` is for programs that must get back what was stored.
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

        _describe(declare_apart(exported), instance, formats)
        return cast("View", exported)

    return decorate


class Body:
    """The bytes of an export, a chunk for each batch."""

    def __init__(
        self,
        rows: Iterable[Iterable[Any]],
        schema: Schema,
        format: Format,  # noqa: A002 - the field's word
        *,
        bom: bool,
        escape: bool,
    ) -> None:
        self._rows = rows
        self._dump = schema.dump
        chunks = _csv(self._dumped(), columns_of(schema), bom=bom, escape=escape)
        self._chunks = chunks if format == "csv" else _ndjson(self._dumped())

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Let go of the rows, also when the caller went away."""
        close = getattr(self._rows, "close", None)
        if close is not None:
            close()

    def _dumped(self) -> Iterator[list[dict[str, Any]]]:
        for batch in self._rows:
            yield [self._dump(row, many=False) for row in batch]


def columns_of(schema: Schema) -> list[str]:
    """Name the columns of an export: the fields of *schema* that are answered, in order."""
    return [
        name if field.data_key is None else field.data_key
        for name, field in schema.dump_fields.items()
    ]


def _ndjson(batches: Iterable[list[dict[str, Any]]]) -> Iterator[bytes]:
    for batch in batches:
        yield b"".join(dumps(row) + b"\n" for row in batch)


def _csv(
    batches: Iterable[list[dict[str, Any]]], columns: list[str], *, bom: bool, escape: bool
) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # RFC 4180: quotes where needed, doubled inside, CR LF
    cell = _safe_cell if escape else _cell
    writer.writerow([cell(name) for name in columns])
    head = _BOM if bom else b""
    for batch in batches:
        writer.writerows([cell(row.get(name)) for name in columns] for row in batch)
        yield head + text.getvalue().encode(errors="replace")
        head = b""
        text.seek(0)
        text.truncate()
    if text.tell():
        yield head + text.getvalue().encode(errors="replace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dumps(value).decode()


def _safe_cell(value: Any) -> str:
    text = _cell(value)
    if text and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


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


def _describe(operation: Operation, schema: Schema, formats: Sequence[Format]) -> None:
    columns = ", ".join(columns_of(schema))
    lines = {"csv": "A line with the names, then one for each row", "ndjson": "A line of JSON each"}
    text = {"schema": {"type": "string"}}
    operation.answers[200] = {
        "description": f"Every row, with {columns}",
        "headers": {
            "Content-Disposition": {"description": "What the file is called.", **text},
        },
        "content": {
            MEDIA_TYPES[one]: {"schema": {"type": "string", "description": lines[one]}}
            for one in formats
        },
    }
    operation.errors.setdefault(406, "None of the formats is acceptable to the caller")
    operation.errors.setdefault(422, "There is no such format")
    operation.parameters.append(
        {
            "name": "format",
            "in": "query",
            "required": False,
            "description": "Wins over the Accept header.",
            "schema": {"type": "string", "enum": list(formats), "default": formats[0]},
        }
    )
