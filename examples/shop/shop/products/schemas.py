"""What products look like outside, and in the catalogue file."""

from __future__ import annotations

from flask import current_app, url_for
from marshmallow import Schema, fields, validate

from carboy import File
from shop.fields import Amount, Text, Whole
from shop.products.models import Product

STOCK_MAX = 1_000_000
PRICE_MAX = 1_000_000


PICTURE_TYPES = ("image/png", "image/jpeg", "image/webp")
PICTURE_MAX_BYTES = 2_000_000


def _picture(product: Product) -> str | None:
    if product.picture_key is None:
        return None
    return url_for("v1.products.get_picture", product_id=product.id)


class ProductOut(Schema):
    """A product as anybody sees it."""

    id = fields.Integer(required=True)
    sku = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    category = fields.String(required=True)
    price = Amount(required=True)
    currency = fields.Function(
        lambda _: current_app.config["CURRENCY"],
        required=True,
        metadata={"type": "string", "description": "ISO 4217."},
    )
    stock = fields.Integer(
        required=True, metadata={"description": "Pieces that can still be sold."}
    )
    picture = fields.Function(
        _picture,
        required=True,
        metadata={"type": ["string", "null"], "description": "Address of its picture, if any."},
    )


class ProductIn(Schema):
    """A product as a clerk sends it, and one line of the catalogue file."""

    sku = Text(
        32,
        required=True,
        rules=[
            validate.Regexp(
                r"^[A-Z0-9][A-Z0-9-]*\Z",
                error="Use capital letters, digits and hyphens.",
            )
        ],
    )
    name = Text(120, required=True)
    description = Text(2000, shortest=0, lines=True, required=True)
    category = Text(60, required=True)
    price = Amount(PRICE_MAX, required=True)
    stock: fields.Integer = Whole(required=True, validate=validate.Range(min=0, max=STOCK_MAX))


class PictureIn(Schema):
    """A picture of a product, as a form."""

    picture = File(types=PICTURE_TYPES, size_max=PICTURE_MAX_BYTES, required=True)


class CatalogueRow(ProductIn):
    """One line of the catalogue file: a product whose numbers are text."""

    stock = fields.Integer(required=True, validate=validate.Range(min=0, max=STOCK_MAX))


class CategoryOut(Schema):
    """A category and how many products it has."""

    name = fields.String(required=True)
    products = fields.Integer(required=True)
