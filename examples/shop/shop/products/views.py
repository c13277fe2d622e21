"""The catalogue: everybody reads it, clerks write it.

``flask shop import-catalogue`` fills it at once.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from carboy import Blueprint, Resource, downloads, exports, public, requires, send
from carboy.errors import Conflict, NotFound
from shop.database import db, find
from shop.fields import Text
from shop.products import pictures
from shop.products.models import Product, search
from shop.products.schemas import (
    PICTURE_TYPES,
    CatalogueRow,
    CategoryOut,
    PictureIn,
    ProductIn,
    ProductOut,
)

products = Blueprint("products", __name__, url_prefix="/products", tags=["Products"])
_writing = requires("products:write")


class Ordered(Conflict):
    """Orders name the product, and they are kept."""

    code = "ordered"
    message = "This product was ordered, so it stays. To sell no more of it, set its stock to 0."


class Products(Resource):
    """The catalogue."""

    model = Product
    schema = ProductOut
    writable = ProductIn
    sort = ("name", "price", "stock", "created_at")
    default_sort = ("name",)
    filters = {  # noqa: RUF012 - read once, when it is routed
        "category": ("in",),
        "price": ("gte", "lte"),
        "stock": ("gte",),
        "sku": ("startswith",),
    }
    parameters = {  # noqa: RUF012 - as above
        "search": Text(
            100,
            shortest=0,
            metadata={"description": "Words that sku, name, category or description contain."},
        ),
    }

    guards = {  # noqa: RUF012 - as above
        "list": [public],
        "read": [public],
        "create": [_writing],
        "replace": [_writing],
        "update": [_writing],
        "delete": [_writing],
    }

    def query(self) -> Select[Any]:
        """Select what a search finds."""
        return search(self.arguments.get("search", ""))

    def delete(self, row: Product) -> None:
        """Remove a product and its picture; one that was ordered stays."""
        try:
            super().delete(row)
        except IntegrityError:
            raise Ordered from None
        pictures.forget_later(row.picture_key)


products.resource("", Products)


@products.get("/categories")
@public
@products.output(CategoryOut(many=True))
def list_categories() -> list[dict[str, Any]]:
    """List the categories, by name."""
    counted = select(Product.category.label("name"), func.count().label("products"))
    rows = db.session.execute(counted.group_by(Product.category).order_by(Product.category))
    return [dict(row) for row in rows.mappings()]


@products.get("/export")
@requires("products:export")
@exports(db, CatalogueRow, name="products")
def export_products() -> Select[Any]:
    """Export the catalogue, with the columns that ``flask shop import-catalogue`` reads."""
    return select(Product).order_by(Product.id)


@products.get("/<int:product_id>/picture")
@public
@downloads(*PICTURE_TYPES)
def get_picture(product_id: int) -> Any:
    """Show the picture of a product."""
    key = find(Product, product_id).picture_key
    if key is None:
        raise NotFound("This product has no picture.")
    return send(key, disposition="inline", cache="public, no-cache")


@products.put("/<int:product_id>/picture")
@_writing
@products.input(PictureIn, location="files")
@products.output(ProductOut)
@products.doc(errors={404: "There is no such product."})
def put_picture(product_id: int, files: dict[str, Any]) -> Product:
    """Give a product a picture: PNG, JPEG or WebP, up to 2 MB."""
    return pictures.put(product_id, files["picture"])


@products.delete("/<int:product_id>/picture")
@_writing
@products.output(None, 204)
@products.doc(errors={404: "There is no such product, or it has no picture."})
def delete_picture(product_id: int) -> None:
    """Take the picture of a product away."""
    pictures.remove(product_id)
