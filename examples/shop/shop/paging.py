"""Lists in pages: the query parameters, the schema of a page, the cut."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import Select, func, select

from shop.database import ID_MAX, db

PAGE_LIMIT_MAX = 100


class PageQuery(Schema):
    """Which part of a list is wanted."""

    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(min=1, max=PAGE_LIMIT_MAX),
        metadata={"description": "Most items to answer."},
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(min=0, max=ID_MAX),
        metadata={"description": "Items to pass over before the first."},
    )


def page_schema(item: type[Schema]) -> type[Schema]:
    """Make the schema of a page of *item*."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "total": fields.Integer(
                required=True, metadata={"description": "Items on all pages together."}
            ),
            "limit": fields.Integer(required=True),
            "offset": fields.Integer(required=True),
        },
        name=f"{item.__name__}Page",
    )


def cut(rows: Select[Any], *, limit: int, offset: int) -> dict[str, Any]:
    """Read one page.

    :param rows: a selection of one model, with an order that leaves no ties: else two
        pages could show the same row.
    :param limit: most rows to read.
    :param offset: rows to pass over.
    """
    counted = select(func.count()).select_from(rows.order_by(None).subquery())
    return {
        "items": db.session.scalars(rows.limit(limit).offset(offset)).all(),
        "total": db.session.scalar(counted),
        "limit": limit,
        "offset": offset,
    }
