"""What a checkout takes, and what an order looks like."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from shop.fields import Amount, Reference, Whole

LINES_MAX = 100
QUANTITY_MAX = 1000


class LineIn(Schema):
    """So many pieces of one product."""

    product_id = Reference(required=True)
    quantity = Whole(required=True, validate=validate.Range(min=1, max=QUANTITY_MAX))


class CheckoutIn(Schema):
    """What is bought. A product on several lines counts as one, added up."""

    lines = fields.List(
        fields.Nested(LineIn), required=True, validate=validate.Length(min=1, max=LINES_MAX)
    )


class LineOut(Schema):
    """One product of an order, at the price of that moment."""

    product_id = fields.Integer(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    price = Amount(required=True)
    quantity = fields.Integer(required=True)
    total = Amount(required=True)


class OrderRow(Schema):
    """One purchase, on one line of an export."""

    id = fields.Integer(required=True)
    user_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: the account was deleted."}
    )
    total = Amount(required=True)
    currency = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    refunded_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "null: it was not."}
    )


class OrderOut(OrderRow):
    """One purchase."""

    lines = fields.List(fields.Nested(LineOut), required=True)
