"""``flask stats``: the shop in figures."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from shop.checkout.models import Order
from shop.commands import Command
from shop.database import db
from shop.products.models import Product
from shop.users.models import User


def figures() -> dict[str, Any]:
    """Count what there is. Refunded orders are no revenue."""
    counted = {
        name: db.session.scalar(select(func.count()).select_from(model))
        for name, model in (("users", User), ("products", Product), ("orders", Order))
    }
    kept = Order.refunded_at.is_(None)
    earned = (
        select(Order.currency, func.sum(Order.total))
        .where(kept)
        .group_by(Order.currency)
        .order_by(Order.currency)
    )
    return counted | {
        "refunded": db.session.scalar(
            select(func.count()).select_from(Order).where(Order.refunded_at.is_not(None))
        ),
        "out_of_stock": db.session.scalar(
            select(func.count()).select_from(Product).where(Product.stock == 0)
        ),
        "revenue": {currency: str(total) for currency, total in db.session.execute(earned)},
    }


@click.command("stats", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_appcontext
def stats(*, as_json: bool) -> None:
    """Show the shop in figures."""
    found = figures()
    if as_json:
        click.echo(json.dumps(found))
        return
    table = Table(show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    for name in ("users", "products", "out_of_stock", "orders", "refunded"):
        table.add_row(name.replace("_", " "), str(found[name]))
    for currency, total in found["revenue"].items():
        table.add_row(f"revenue, {currency}", total)
    if not found["revenue"]:
        table.add_row("revenue", "0.00")
    Console().print(table)
