"""What the commands of all domains share: a failure is a few clear lines, no traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from flask.cli import AppGroup
from flask.helpers import get_debug_flag
from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from carboy.errors import ApiError, CarboyError


class _ClearErrors(click.Command):
    """Ends with a sentence when it fails; ``--debug`` shows more."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except (CarboyError, ApiError, ValidationError, SQLAlchemyError) as error:
            if get_debug_flag():
                raise
            click.echo(f"Error: {_sentence(error)}", err=True)
            ctx.exit(error.exit_code if isinstance(error, CarboyError) else 1)


class Command(_ClearErrors):
    """A command on its own."""


class Commands(_ClearErrors, AppGroup):
    """A group of commands."""


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return _by_field(error.messages_dict)
    if isinstance(error, ApiError):
        return _by_field(error.data) if error.data else error.message
    if isinstance(error, SQLAlchemyError):
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        return f"The database refused: {reason}. If tables are missing, run: flask db upgrade"
    return str(error)


def _by_field(fields: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {' '.join(map(str, told))}" for name, told in fields.items())
