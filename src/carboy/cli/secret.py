"""``carboy secret``."""

from __future__ import annotations

import secrets

import click

_BYTES = 48


@click.command()
def secret() -> None:
    """Print a new key for SECRET_KEY.

    \b
      SECRET_KEY=$(carboy secret)

    The key is 64 random characters, made for you now and kept nowhere. Exit status: 0.
    """  # noqa: D301 - \b is the mark click knows
    click.echo(secrets.token_urlsafe(_BYTES))
