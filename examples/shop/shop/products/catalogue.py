"""The catalogue file: read it, say what is wrong line by line, bring the products up to date."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select

from carboy.errors import CarboyError
from shop.database import db
from shop.products.models import Product
from shop.products.schemas import CatalogueRow

COLUMNS = tuple(CatalogueRow().fields)
# What an export writes before text that a spreadsheet would take for a formula.
_APOSTROPHE = re.compile(r"\A'(?='*[=+\-@\t\r\n＝＋－＠])")  # noqa: RUF001 - full-width, as there


class UnusableCatalogue(CarboyError):
    """The file as a whole cannot be read; nothing was written."""

    exit_code = 2


@dataclass(frozen=True)
class Row:
    """One row of the file.

    :param line: where it starts, counted from 1.
    :param values: text by column, of the columns the shop knows.
    :param complete: whether it has as many fields as the first line.
    """

    line: int
    values: dict[str, str]
    complete: bool


@dataclass(frozen=True)
class BadLine:
    """One thing that is wrong with one line.

    :param line: where the row starts in the file, counted from 1.
    :param column: name of the column; ``""`` for the row as a whole.
    """

    line: int
    column: str
    reason: str


@dataclass
class Outcome:
    """What an import did, in products and lines."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: list[BadLine] = field(default_factory=list)


def rows_of(path: Path) -> list[Row]:
    """Read the file whole, before anything is written.

    :raises UnusableCatalogue: if it cannot be read, is not UTF-8, not CSV, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # line ends in a field stay
            text = file.read()
    except OSError as error:
        raise UnusableCatalogue(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UnusableCatalogue(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(reader, [])
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise UnusableCatalogue(
                f"{path} lacks {', '.join(missing)}. "
                f"Its first line must name the columns {', '.join(COLUMNS)}."
            )
        return list(_numbered(reader, names))
    except csv.Error as error:
        raise UnusableCatalogue(f"{path} is not CSV at line {reader.line_num}: {error}.") from None


def _numbered(reader: Any, names: list[str]) -> Iterator[Row]:
    """Give each row the line it starts on: a quoted field may span several."""
    start = reader.line_num + 1
    for values in reader:
        if values:
            fields_of_row = {
                name: _APOSTROPHE.sub("", value)
                for name, value in zip(names, values, strict=False)
                if name in COLUMNS
            }
            yield Row(start, fields_of_row, complete=len(values) == len(names))
        start = reader.line_num + 1


def bring_up_to_date(rows: Iterable[Row], *, restock: bool = False) -> Outcome:
    """Add new products and change known ones, matched by sku, in one transaction.

    A row that is not valid is left out and told in the outcome. Products the file does
    not name stay as they are.

    :param rows: what :func:`rows_of` read.
    :param restock: also set the stock of known products. Without it they keep theirs, so
        that importing again does not bring back what was sold.
    """
    outcome = Outcome()
    known = {product.sku: product for product in db.session.scalars(select(Product))}
    first_seen: dict[str, int] = {}
    schema = CatalogueRow()
    for row in rows:
        try:
            loaded = _checked(schema, row, first_seen)
        except ValidationError as error:
            outcome.bad += _bad_lines(row.line, error)
            continue
        product = known.get(loaded["sku"])
        if product is None:
            db.session.add(Product(**loaded))
            outcome.added += 1
        elif _change(product, loaded, restock=restock):
            outcome.changed += 1
        else:
            outcome.unchanged += 1
    db.session.commit()
    return outcome


def _checked(schema: CatalogueRow, row: Row, first_seen: dict[str, int]) -> dict[str, Any]:
    if not row.complete:
        raise ValidationError({"_schema": ["Not as many fields as the first line names."]})
    loaded: dict[str, Any] = schema.load(row.values)
    earlier = first_seen.setdefault(loaded["sku"], row.line)
    if earlier != row.line:
        raise ValidationError({"sku": [f"Already on line {earlier}."]})
    return loaded


def _bad_lines(line: int, error: ValidationError) -> Iterator[BadLine]:
    for column, reasons in error.messages_dict.items():
        shown = "" if column == "_schema" else column
        yield from (BadLine(line, shown, str(reason)) for reason in reasons)


def _change(product: Product, loaded: dict[str, Any], *, restock: bool) -> bool:
    changed = {
        name: value
        for name, value in loaded.items()
        if getattr(product, name) != value and (restock or name != "stock")
    }
    for name, value in changed.items():
        setattr(product, name, value)
    return bool(changed)
