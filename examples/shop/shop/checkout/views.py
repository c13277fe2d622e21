"""Buying over HTTP."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import Select, select
from sqlalchemy.orm import raiseload

from carboy import Blueprint, Resource, current_user, exports, idempotent, requires
from shop.auth import orders_to_read
from shop.checkout.models import Order
from shop.checkout.orders import buy
from shop.checkout.schemas import CheckoutIn, OrderOut, OrderRow
from shop.database import db

checkout = Blueprint("checkout", __name__, url_prefix="/checkout", tags=["Checkout"])
orders = Blueprint("orders", __name__, url_prefix="/orders", tags=["Checkout"])


@checkout.post("")
@requires("orders:place")
@idempotent()
@checkout.input(CheckoutIn, example={"lines": [{"product_id": 1, "quantity": 2}]})
@checkout.output(OrderOut, 201, headers={"Location": "Address of the order."})
@checkout.doc(
    errors={409: "A product has fewer pieces left than asked for; data says how many."},
    links={"read_order": {"id": "id"}},
)
def place_order(data: dict[str, Any]) -> tuple[Order, dict[str, str]]:
    """Buy: all of it, or nothing. An Idempotency-Key makes it safe to send it again."""
    order = buy(current_user.id, **data)
    return order, {"Location": url_for("v1.orders.orders_item", id=order.id)}


class Orders(Resource):
    """Orders, latest first: one's own; clerks read all."""

    model = Order
    schema = OrderOut
    only = ("list", "read")
    sort = ("created_at", "total")
    default_sort = ("-id",)
    filters = {"created_at": ("gte", "lt"), "user_id": ("eq",)}  # noqa: RUF012 - read once
    guards = {  # noqa: RUF012 - as above
        "list": [requires("orders:read")],
        "read": [requires("orders:read")],
    }

    def query(self) -> Select[Any]:
        """Select the orders that the caller may read."""
        return orders_to_read.restrict(select(Order))


orders.resource("", Orders)


@orders.get("/export")
@requires("orders:export")
@exports(db, OrderRow, name="orders")
def export_orders() -> Select[Any]:
    """Export all orders, without their lines."""
    return select(Order).options(raiseload(Order.lines)).order_by(Order.id)
