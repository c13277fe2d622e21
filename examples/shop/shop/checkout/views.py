"""Buying over HTTP."""

from __future__ import annotations

from typing import Any

from flask import url_for

from carboy import Blueprint
from shop.checkout.models import Order
from shop.checkout.orders import buy
from shop.checkout.schemas import CheckoutIn, OrderOut
from shop.database import find

checkout = Blueprint("checkout", __name__, url_prefix="/checkout")
orders = Blueprint("orders", __name__, url_prefix="/orders")


@checkout.post("")
@checkout.input(CheckoutIn, example={"user_id": 1, "lines": [{"product_id": 1, "quantity": 2}]})
@checkout.output(OrderOut, 201, headers={"Location": "Address of the order."})
@checkout.doc(errors={409: "A product has fewer pieces left than asked for; data says how many."})
def place_order(data: dict[str, Any]) -> tuple[Order, dict[str, str]]:
    """Buy: all of it, or nothing."""
    order = buy(**data)
    return order, {"Location": url_for("v1.orders.get_order", order_id=order.id)}


@orders.get("/<int:order_id>")
@orders.output(OrderOut)
@orders.doc(errors={404: "There is no such order."})
def get_order(order_id: int) -> Order:
    """Read an order back."""
    return find(Order, order_id)
