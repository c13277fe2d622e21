"""``flask orders …``: orders at the command line."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from shop.checkout import orders
from shop.checkout.models import Order
from shop.commands import Commands
from shop.database import find

orders_cli = Commands("orders", help="Look at the orders.")


@orders_cli.command("show")
@click.argument("number", type=int)
def show(number: int) -> None:
    """Print order NUMBER."""
    order = find(Order, number)
    table = Table(title=f"Order {order.id}, {order.created_at:%Y-%m-%d %H:%M} UTC")
    for heading, side in (("sku", "left"), ("name", "left"), ("pieces", "right"),
                          ("price", "right"), ("total", "right")):  # fmt: skip
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    for line in order.lines:
        table.add_row(line.sku, line.name, str(line.quantity), str(line.price), str(line.total))
    table.add_section()
    table.add_row("", "", "", order.currency, str(order.total))
    Console().print(table)
    if order.refunded_at is not None:
        click.echo(f"Refunded at {order.refunded_at:%Y-%m-%d %H:%M} UTC.")


@orders_cli.command("refund")
@click.argument("number", type=int, metavar="ID")
def refund(number: int) -> None:
    """Mark order ID as refunded and put its pieces back into the stock.

    Exit status: 1 when there is no such order, or it was refunded already; nothing is changed.
    """
    order = orders.refund(number)
    pieces = sum(line.quantity for line in order.lines)
    click.echo(
        f"Order {order.id} is refunded: {order.total} {order.currency}; "
        f"{pieces} {'piece is' if pieces == 1 else 'pieces are'} back in the stock."
    )
