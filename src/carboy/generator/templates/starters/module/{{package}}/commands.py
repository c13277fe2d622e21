"""The command line: ``flask create-user NAME``, ``flask users list`` and so on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from carboy.errors import NotFound
from flask.cli import AppGroup, with_appcontext
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from .auth import MEMBER, ROLES
from .database import db
from .handlers import accounts
from .models import User
from .schemas import RegistrationIn

users_commands = AppGroup("users", help="Look after the accounts.")
_role = click.Choice(list(ROLES))


@click.command("create-user")
@click.argument("name")
@click.option("--email", prompt="E-mail address")
@click.option("--full-name", default="", help="As it is shown on the profile.")
@click.option("--role", type=_role, default=MEMBER, show_default=True, help="What they may do.")
@click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, envvar="USER_PASSWORD",
    help="Asked for when not given; USER_PASSWORD keeps it off the command line.",
)  # fmt: skip
@with_appcontext
def create_user(name: str, role: str, **given: Any) -> None:
    """Make an account with the username NAME."""
    with _in_plain_words():
        checked = RegistrationIn().load({"username": name, **given})
        user = accounts.register(**checked, role=role)
    click.echo(f"Created {user.username} as user {user.id}, {role}.")


@users_commands.command("list")
def list_users() -> None:
    """List the accounts by name."""
    with _in_plain_words():
        for user in db.session.scalars(select(User).order_by(User.username)):
            state = ", disabled" if user.disabled_at else ""
            click.echo(f"{user.id:>6}  {user.username}  {user.email}  {user.role}{state}")


@users_commands.command("set-role")
@click.argument("name")
@click.argument("role", type=_role)
def set_role(name: str, role: str) -> None:
    """Give the account NAME another role."""
    with _in_plain_words():
        accounts.set_role(accounts.named(name), role)
    click.echo(f"{name} is {role}.")


@users_commands.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Keep the account NAME from signing in, and sign it out everywhere."""
    with _in_plain_words():
        accounts.disable(accounts.named(name))
    click.echo(f"{name} is disabled.")


@users_commands.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Let the account NAME sign in again."""
    with _in_plain_words():
        accounts.enable(accounts.named(name))
    click.echo(f"{name} is enabled.")


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Say in a line what went wrong, without a traceback."""
    try:
        yield
    except ValidationError as error:
        told = (f"{name}: {' '.join(map(str, what))}" for name, what in error.messages_dict.items())
        raise click.ClickException("\n".join(told)) from None
    except IntegrityError:
        raise click.ClickException("Another account has this name or e-mail address.") from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise click.ClickException(
            f"The database refused: {reason}. If tables are missing, run: flask db upgrade"
        ) from None
    except NotFound as error:
        raise click.ClickException(error.message) from None
