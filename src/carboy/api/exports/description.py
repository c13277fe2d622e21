"""Telling the OpenAPI document about an export."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from typing import Any

from marshmallow import Schema

from carboy.api.exports.body import MEDIA_TYPES, Format, columns_of, csv_lines
from carboy.api.operation import Operation

__all__ = ["describe"]

_SYNTAX = re.compile(r"[\^$\\.*+?()\[\]{}|/\r\n\t\ufeff]")  # that of patterns in ECMA-262


def describe(
    operation: Operation, schema: Schema, formats: Sequence[Format], *, bom: bool, escape: bool
) -> None:
    """Tell the OpenAPI document what an export answers, and what it takes."""
    text = {"schema": {"type": "string"}}
    content: dict[Format, Any] = {
        "csv": {"schema": _csv_schema(columns_of(schema), bom=bom, escape=escape)},
        # A sequence of JSON texts is an array to its schema (OpenAPI 3.2.0, section 4.14.4).
        "ndjson": {"schema": _each(schema)},
    }
    operation.answers[200] = {
        "description": f"Every row, with {', '.join(columns_of(schema))}",
        "headers": {
            "Content-Disposition": {"description": "What the file is called.", **text},
        },
        "content": {MEDIA_TYPES[one]: content[one] for one in formats},
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


def _csv_schema(columns: Sequence[str], *, bom: bool, escape: bool) -> dict[str, Any]:
    """Say how a CSV begins: JSON Schema knows a text by its pattern only."""
    head = next(csv_lines([], columns, bom=bom, escape=escape), b"").decode()
    return {
        "type": "string",
        "contentMediaType": MEDIA_TYPES["csv"],
        "pattern": "^" + _SYNTAX.sub(_escaped, head),
        "description": "A line with the names, then one for each row.",
    }


def _escaped(found: re.Match[str]) -> str:
    """Write a character of a pattern's syntax, or one that is not seen, as itself (ECMA-262)."""
    char = found[0]
    return {"\r": r"\r", "\n": r"\n", "\t": r"\t"}.get(char) or (
        f"\\{char}" if char.isprintable() else f"\\u{ord(char):04x}"
    )


def _each(schema: Schema) -> Schema:
    many = copy(schema)
    many.many = True
    return many
