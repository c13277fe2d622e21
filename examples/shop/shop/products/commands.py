"""``flask shop …``: the catalogue at the command line."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from carboy.errors import CarboyError
from shop.commands import Commands
from shop.database import db
from shop.products.catalogue import Outcome, bring_up_to_date, rows_of
from shop.products.models import Product

shop_cli = Commands("shop", help="Look after the shop.")


@shop_cli.command("import-catalogue")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--if-empty", is_flag=True, help="Do nothing when there are products already.")
@click.option(
    "--restock",
    is_flag=True,
    help="Also set the stock of products that are known; without it they keep what is left.",
)
def import_catalogue(file: Path, *, if_empty: bool, restock: bool) -> None:
    """Bring the products up to date with FILE, a CSV file in UTF-8.

    Its first line names the columns: sku, name, description, category, price, stock.
    Products are matched by sku: new ones are added, known ones changed, others left alone.

    \b
    Exit status: 0 all lines were good; 1 some lines were bad and left out, the good
    ones are imported; 2 the file cannot be used and nothing was written.
    """  # noqa: D301 - click keeps the lines of a paragraph that begins with a real backspace
    held = db.session.scalar(select(func.count()).select_from(Product))
    if if_empty and held:
        click.echo(f"There are products already ({held}); nothing imported.")
        return
    console = Console(stderr=True)
    rows = track(
        rows_of(file), "Reading", console=console, transient=True, disable=not console.is_terminal
    )
    try:
        outcome = bring_up_to_date(rows, restock=restock)
    except IntegrityError:
        raise CarboyError(
            "Another import ran at the same time; nothing was written. Run this one again."
        ) from None
    _report(outcome)


def _report(outcome: Outcome) -> None:
    for bad in outcome.bad:
        where = f"line {bad.line}, {bad.column}" if bad.column else f"line {bad.line}"
        click.echo(f"{where}: {bad.reason}", err=True)
    lines = len({bad.line for bad in outcome.bad})
    click.echo(
        f"{outcome.added} added, {outcome.changed} changed, {outcome.unchanged} unchanged, "
        f"{lines} bad {'line' if lines == 1 else 'lines'} left out."
    )
    if outcome.bad:
        raise click.exceptions.Exit(1)
