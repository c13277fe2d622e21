"""``flask users …``: accounts at the command line."""

from __future__ import annotations

import click

from shop.commands import Commands
from shop.database import db
from shop.users import accounts
from shop.users.schemas import UserIn

users_cli = Commands("users", help="Look after the accounts.")


@users_cli.command("add")
@click.argument("username")
@click.argument("email")
@click.option("--full-name", required=True, help="As it is shown on the profile.")
@click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, envvar="SHOP_PASSWORD",
    help="Asked for when not given; SHOP_PASSWORD keeps it off the command line.",
)  # fmt: skip
def add(username: str, email: str, full_name: str, password: str) -> None:
    """Make an account for USERNAME with EMAIL."""
    given = {"username": username, "email": email, "full_name": full_name, "password": password}
    user = accounts.register(**UserIn().load(given))
    db.session.commit()
    click.echo(f"Added {user.username} as user {user.id}.")
