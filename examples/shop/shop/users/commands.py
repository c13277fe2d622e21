"""``flask users …``: accounts at the command line."""

from __future__ import annotations

import click

from shop.auth import DEFAULT_ROLE, ROLES
from shop.commands import Commands
from shop.database import db
from shop.users import accounts
from shop.users.schemas import UserIn

users_cli = Commands("users", help="Look after the accounts.")
_role = click.Choice(list(ROLES))


@users_cli.command("create")
@click.argument("username", metavar="NAME")
@click.option("--email", prompt="E-mail address")
@click.option("--full-name", prompt=True, help="As it is shown on the profile.")
@click.option(
    "--role", type=_role, default=DEFAULT_ROLE, show_default=True, help="What they may do."
)
@click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, envvar="SHOP_PASSWORD",
    help="Asked for when not given; SHOP_PASSWORD keeps it off the command line.",
)  # fmt: skip
def create(username: str, email: str, full_name: str, role: str, password: str) -> None:
    """Make an account with the username NAME; asks for what is not given."""
    given = {"username": username, "email": email, "full_name": full_name, "password": password}
    user = accounts.register(**UserIn().load(given))
    user.role = role
    db.session.commit()
    click.echo(f"Created {user.username} as user {user.id}, {role}.")


@users_cli.command("set-role")
@click.argument("username", metavar="NAME")
@click.argument("role", type=_role)
def set_role(username: str, role: str) -> None:
    """Give the account NAME another role; it counts from the next request on."""
    user = accounts.named(username)
    user.role = role
    db.session.commit()
    click.echo(f"{user.username} is {role}.")
