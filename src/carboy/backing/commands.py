"""The commands under ``flask db``: Flask-Alembic's, with one line for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from flask import current_app, has_app_context
from flask.cli import ScriptInfo
from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase

from carboy.backing.policy import Policy, first_line, quiet_plugins
from carboy.errors import CarboyError

if TYPE_CHECKING:
    from carboy.backing.migrations import Migrations


def models_of(metadata: MetaData) -> dict[str, Any]:
    """Find the classes whose tables are in *metadata*, by name."""
    return {
        mapper.class_.__name__: mapper.class_
        for base in DeclarativeBase.__subclasses__()
        if base.metadata is metadata
        for mapper in base.registry.mappers
    }


class DatabaseCommands(click.Group):
    """``flask db …``; Alembic is imported when one of them is asked for.

    :param migrations: gives those of the current app.
    :param policy: gives the database of the current app.
    """

    def __init__(self, migrations: Callable[[], Migrations], policy: Callable[[], Policy]) -> None:
        super().__init__("db", help="Create and apply database migrations.")
        self._migrations = migrations
        self._policy = policy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        return _originals().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command."""
        return (
            _downgrade if cmd_name == _downgrade.name else _originals().get_command(ctx, cmd_name)
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command inside the app; what it holds is given back."""
        if not has_app_context():
            ctx.with_resource(ctx.ensure_object(ScriptInfo).load_app().app_context())
        with self._one_line():
            ctx.obj = migrations = self._migrations()
            try:
                return super().invoke(ctx)
            finally:
                migrations.release()

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        from alembic.util import CommandError  # loaded by the commands already

        try:
            yield
        except (CarboyError, CommandError, SQLAlchemyError, OSError) as error:
            if current_app.debug:
                raise
            raise click.ClickException(self._explained(error)) from None

    def _explained(self, error: Exception) -> str:
        if isinstance(error, SQLAlchemyError):
            return (
                f"{self._policy().place}: {first_line(error)}. Nothing was changed; "
                "FLASK_DEBUG=1 shows where it happened."
            )
        if isinstance(error, OSError):
            return str(self._policy().refusal(error))
        return str(error)


@click.command("downgrade")
@click.argument("target", default="-1")
@click.pass_obj
def _downgrade(migrations: Migrations, target: str) -> None:
    """Undo migrations: so many of them, by default one, or down to a revision.

    Revisions are numbers themselves here. A number that is one of them means that.
    """
    known = {script.revision for script in migrations.script_directory.walk_revisions()}
    if target.lstrip("-").isdecimal() and target not in known:
        migrations.downgrade(-abs(int(target)))
    else:
        migrations.downgrade(target)


def _originals() -> click.Group:
    quiet_plugins()
    from flask_alembic.cli import cli

    return cli
