"""Buy: take from the stock and write the order, both or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from carboy.errors import Conflict, Invalid
from shop.checkout.models import Order, OrderLine
from shop.database import db, find, utc_now
from shop.products.models import Product
from shop.users.models import User


class OutOfStock(Conflict):
    """Fewer pieces are left than were asked for; ``data`` names the product and what is left."""

    code = "out_of_stock"


def buy(user_id: int, lines: Sequence[Mapping[str, int]]) -> Order:
    """Write one order of several products, in one transaction.

    :param lines: each a ``product_id`` and a ``quantity`` in pieces.
    :raises Invalid: if a product does not exist.
    :raises Conflict: if the account was deleted meanwhile.
    :raises OutOfStock: if a product has fewer pieces left; nothing is bought.
    """
    wanted: Counter[int] = Counter()
    for line in lines:
        wanted[line["product_id"]] += line["quantity"]
    try:
        order = _take(user_id, wanted, lines)
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    return order


def refund(order_id: int) -> Order:
    """Mark an order as refunded and put its pieces back into the stock, in one transaction.

    :raises NotFound: if there is no such order.
    :raises Conflict: if it was refunded already.
    """
    order = find(Order, order_id, with_for_update={"of": Order}, populate_existing=True)
    if order.refunded_at is not None:
        raise Conflict(f"Order {order.id} was refunded at {order.refunded_at:%Y-%m-%d %H:%M} UTC.")
    order.refunded_at = utc_now()
    for line in order.lines:  # ordered by product, as a checkout takes them
        db.session.execute(
            update(Product)
            .where(Product.id == line.product_id)
            .values(stock=Product.stock + line.quantity)
            .execution_options(synchronize_session=False)
        )
    db.session.commit()
    return order


def _take(user_id: int, wanted: Mapping[int, int], lines: Sequence[Mapping[str, int]]) -> Order:
    # Locked against deletion only (FOR KEY SHARE): one user may buy twice at the same time.
    holder = select(User.id).where(User.id == user_id).with_for_update(read=True, key_share=True)
    if db.session.scalar(holder) is None:
        raise Conflict("This account was deleted.")
    known = set(db.session.scalars(select(Product.id).where(Product.id.in_(wanted))))
    if known != wanted.keys():
        raise Invalid(data={"lines": _unknown(known, lines)})
    # Always in the same order: two checkouts of the same products cannot wait for each other.
    taken = [_take_line(number, wanted[number]) for number in sorted(wanted)]
    order = Order(
        user_id=user_id,
        lines=taken,
        total=sum((line.total for line in taken), Decimal(0)),
        currency=current_app.config["CURRENCY"],
    )
    db.session.add(order)
    return order


def _take_line(product_id: int, quantity: int) -> OrderLine:
    """Lower the stock where it suffices: one statement, so nobody can come in between."""
    row = db.session.execute(
        update(Product)
        .where(Product.id == product_id, Product.stock >= quantity)
        .values(stock=Product.stock - quantity)
        .returning(Product.sku, Product.name, Product.price)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise _shortage(product_id, quantity)
    return OrderLine(
        product_id=product_id, quantity=quantity, sku=row.sku, name=row.name, price=row.price
    )


def _shortage(product_id: int, asked: int) -> Conflict:
    product = db.session.get(Product, product_id)
    if product is None:
        return Conflict(f"Product {product_id} was removed at this moment.")
    # Somebody may have restocked since: the answer stays one that can be acted on.
    left = min(product.stock, asked - 1)
    return OutOfStock(
        f"Only {left} of {product.name!r} left; {asked} asked for.",
        data={"product_id": product_id, "name": product.name, "left": left, "asked": asked},
    )


def _unknown(known: set[int], lines: Sequence[Mapping[str, int]]) -> dict[int, Any]:
    """Say which lines name no product, in the shape of a validation error."""
    return {
        index: {"product_id": [f"No product {line['product_id']}."]}
        for index, line in enumerate(lines)
        if line["product_id"] not in known
    }
