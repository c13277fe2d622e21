"""The bytes of an export: lines of JSON, or CSV that a spreadsheet cannot take for formulas.

Sources: RFC 4180 (CSV); https://github.com/ndjson/ndjson-spec; OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from marshmallow import Schema

from carboy.fast.json import dumps
from carboy.fast.schema import dump

__all__ = ["MEDIA_TYPES", "Body", "Format", "columns_of", "csv_lines"]

Format = Literal["csv", "ndjson"]
MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
_BOM = b"\xef\xbb\xbf"
# What spreadsheets take for the beginning of a formula, also in its full-width form. Apostrophes
# before it count, too: whoever takes one away has what was stored.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


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
        self._schema = schema
        chunks = csv_lines(self._dumped(), columns_of(schema), bom=bom, escape=escape)
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
            yield [dump(self._schema, row, many=False) for row in batch]


def columns_of(schema: Schema) -> list[str]:
    """Name the columns of an export: the fields of *schema* that are answered, in order."""
    return [
        name if field.data_key is None else field.data_key
        for name, field in schema.dump_fields.items()
    ]


def _ndjson(batches: Iterable[list[dict[str, Any]]]) -> Iterator[bytes]:
    for batch in batches:
        yield b"".join(dumps(row) + b"\n" for row in batch)


def csv_lines(
    batches: Iterable[list[dict[str, Any]]], columns: Sequence[str], *, bom: bool, escape: bool
) -> Iterator[bytes]:
    """Write rows as CSV, a chunk for each batch; the first has the names of the *columns*."""
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
