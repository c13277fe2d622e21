"""Reading the catalogue. It is filled by ``flask shop import-catalogue``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from carboy import Blueprint
from shop.database import db, find
from shop.paging import cut, page_schema
from shop.products.models import Product, search
from shop.products.schemas import CategoryOut, ProductOut, ProductQuery

products = Blueprint("products", __name__, url_prefix="/products")


@products.get("")
@products.input(ProductQuery, location="query")
@products.output(page_schema(ProductOut))
def list_products(query: dict[str, Any]) -> dict[str, Any]:
    """List or search the products, by name."""
    return cut(
        search(query["search"], query["category"]), limit=query["limit"], offset=query["offset"]
    )


@products.get("/categories")
@products.output(CategoryOut(many=True))
def list_categories() -> list[dict[str, Any]]:
    """List the categories, by name."""
    counted = select(Product.category.label("name"), func.count().label("products"))
    rows = db.session.execute(counted.group_by(Product.category).order_by(Product.category))
    return [dict(row) for row in rows.mappings()]


@products.get("/<int:product_id>")
@products.output(ProductOut)
@products.doc(errors={404: "There is no such product."})
def get_product(product_id: int) -> Product:
    """Read one product."""
    return find(Product, product_id)
