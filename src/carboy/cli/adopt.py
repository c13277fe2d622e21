"""``carboy adopt``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from carboy.cli.invocation import Invocation

if TYPE_CHECKING:
    from carboy.generator import Adopted


@click.command()
@click.argument("app", metavar="[MODULE:APP]", required=False)
@click.option("--name", help="Name of the project; by default the folder's.")
@click.option("--database", metavar="WHICH", help="sqlite or postgresql.")
@click.option(
    "--deploy",
    metavar="TARGETS",
    default="none",
    help="Where it will run and what tests it, separated by commas: compose, heroku, cloudrun, "
    "kubernetes, github, gitlab. A Dockerfile is written always.",
)
@click.option("--dry-run", is_flag=True, help="List what would be written; write nothing.")
@click.pass_obj
def adopt(  # noqa: PLR0913 - click hands over each option
    invocation: Invocation,
    app: str | None,
    name: str | None,
    database: str | None,
    deploy: str,
    *,
    dry_run: bool,
) -> None:
    """Write the deployment files for a Flask app that you have.

    MODULE:APP names the app as for `carboy run`, which will serve it. Files that are there stay as
    they are: one of the same name is left and listed.

    \b
      carboy adopt shop:create_app --deploy compose,github

    Exit status: 0; 1 a file cannot be written; 2 the app or an option is wrong, and nothing was
    written.
    """  # noqa: D301 - \b is the mark click knows
    from carboy.generator import AnswersError, adopt, targets_of

    target = app or invocation.app
    if target is None:
        raise AnswersError("Name your app: carboy adopt MODULE:APP")
    result = adopt(
        Path(),
        target,
        name=name,
        database=database,
        deploy=targets_of(deploy),
        dry_run=dry_run,
    )
    _show(result, dry_run=dry_run)


def _show(result: Adopted, *, dry_run: bool) -> None:
    for written in result.written:
        click.echo(f"  {'would write' if dry_run else 'written'}  {written}")
    for left in result.left:
        click.echo(f"  {'would leave' if dry_run else 'left'}  {left}: it was there before")
    if result.requirements:
        click.echo("\nThe image runs Carboy. Add to requirements.txt:\n")
        click.echo("".join(f"  {line}\n" for line in result.requirements.splitlines()), nl=False)
    elif "requirements.txt" in result.written:
        click.echo("\nrequirements.txt holds Carboy only: add what else your app imports.")
