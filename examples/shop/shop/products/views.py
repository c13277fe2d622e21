"""Reading the catalogue. It is filled by ``flask shop import-catalogue``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from carboy import Blueprint, Resource
from shop.database import db
from shop.fields import Text
from shop.products.models import Product, search
from shop.products.schemas import CategoryOut, ProductOut

products = Blueprint("products", __name__, url_prefix="/products")


class Products(Resource):
    """The catalogue."""

    model = Product
    schema = ProductOut
    only = ("list", "read")
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

    def query(self) -> Select[Any]:
        """Select what a search finds."""
        return search(self.arguments.get("search", ""))


products.resource("", Products)


@products.get("/categories")
@products.output(CategoryOut(many=True))
def list_categories() -> list[dict[str, Any]]:
    """List the categories, by name."""
    counted = select(Product.category.label("name"), func.count().label("products"))
    rows = db.session.execute(counted.group_by(Product.category).order_by(Product.category))
    return [dict(row) for row in rows.mappings()]
