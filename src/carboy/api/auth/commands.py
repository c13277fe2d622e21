"""``flask auth …``: API keys and ended sessions, at the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
from flask.cli import with_appcontext

from carboy.api.auth.accounts import Account
from carboy.api.auth.installed import installed
from carboy.api.auth.tables import now

__all__ = ["auth_commands"]


@click.group("auth", help="Look after API keys and sessions.")
def auth_commands() -> None:
    """Group the commands."""


@auth_commands.command("create-key")
@click.argument("username")
@click.option("--name", required=True, help="What the key is for.")
@click.option(
    "--scope", "scopes", multiple=True, required=True,
    help="A permission the key may use, such as orders:read. Repeat it for several.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(min=1), help="End after so many days; else never.")
@with_appcontext
def create_key(username: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make an API key for USERNAME, or an e-mail address, and print it.

    It is not shown again: only its hash is kept.
    """
    account = _account(username)
    expires_at = None if days is None else now() + timedelta(days=days)
    try:
        made = _keys().create(account.id, name, scopes, expires_at=expires_at)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Key {made.row.id}, shown this once:", err=True)
    click.echo(made.key)


@auth_commands.command("list-keys")
@click.argument("username")
@with_appcontext
def list_keys(username: str) -> None:
    """List the API keys of USERNAME: id, beginning, name, scopes, last use, end."""
    for row in _keys().of(_account(username).id):
        used = "never used" if row.last_used_at is None else f"used {row.last_used_at:%F}"
        ends = "no end" if row.expires_at is None else f"ends {row.expires_at:%F}"
        click.echo(f"{row.id}  {row.prefix}…  {row.name}  [{row.scopes}]  {used}, {ends}")


# An id may begin with a dash, as an option does.
@auth_commands.command("revoke-key", context_settings={"ignore_unknown_options": True})
@click.argument("key_id")
@with_appcontext
def revoke_key(key_id: str) -> None:
    """Revoke the API key with the id KEY_ID, as list-keys shows it."""
    if not _keys().revoke(key_id):
        raise click.ClickException(f"There is no key {key_id}. See: flask auth list-keys USERNAME")
    click.echo(f"Revoked {key_id}.")


@auth_commands.command("prune")
@with_appcontext
def prune() -> None:
    """Remove sessions that have ended; signing in removes one's own."""
    sessions = installed().sessions
    if sessions is None:
        raise click.ClickException("This app has no sessions: Auth was made without session=.")
    click.echo(f"Removed {sessions.prune()} ended sessions.")


def _account(username: str) -> Account:
    account: Account | None = installed().accounts.by_name(username)
    if account is None:
        raise click.ClickException(f"There is no account {username!r}.")
    return account


def _keys() -> Any:
    keys = installed().api_keys
    if keys is None:
        raise click.ClickException("This app has no API keys: Auth was made without api_key=.")
    return keys
