"""``flask idempotency …``."""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from carboy.api.idempotency.store import Store
from carboy.api.idempotency.table import database_of, table_of

__all__ = ["commands"]

_BATCH = 500

commands = AppGroup("idempotency", help="Look after the stored answers of idempotent requests.")


@commands.command("prune")
def prune() -> None:
    """Remove answers that are older than IDEMPOTENCY_TTL_S."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    engine, table = database_of(app).engine, table_of(app)
    total, removed = 0, _BATCH
    while removed == _BATCH:  # each batch its own transaction: nobody waits for long
        with engine.begin() as connection:
            removed = Store(table, connection).prune(_BATCH)
        total += removed
    click.echo(f"{total} expired {'answer' if total == 1 else 'answers'} removed.")
