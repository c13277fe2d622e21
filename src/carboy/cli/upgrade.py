"""``carboy upgrade``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from carboy.generator import Upgraded


@click.command()
@click.option("--dry-run", is_flag=True, help="Print what would change; change nothing.")
@click.option(
    "--deploy",
    metavar="TARGETS",
    help="Other targets than before, separated by commas, as for `carboy new`; or none.",
)
@click.pass_context
def upgrade(context: click.Context, deploy: str | None, *, dry_run: bool) -> None:
    """Bring the project in this folder to the Carboy that you run.

    What newer versions generate is merged into your files; your own changes stay. Where both
    changed the same lines, both are left in the file between <<<<<<< and >>>>>>>, and the file is
    listed. Commit first: the change is then yours to read, with `git diff`, and to take back.

    \b
      pip install --upgrade 'carboy[new]'
      carboy upgrade --dry-run
      carboy upgrade && make test

    Exit status: 0; 1 both sides changed the same lines, or it cannot be done; 2 this is no
    project in a clean git work tree.
    """  # noqa: D301 - \b is the mark click knows
    from carboy.generator import targets_of, upgrade

    targets = None if deploy is None else targets_of(deploy)
    result = upgrade(Path(), deploy=targets, dry_run=dry_run)
    if dry_run:
        _print_diff(result.diff)
    _print_summary(result, dry_run=dry_run)
    context.exit(bool(result.conflicts))


def _print_diff(diff: str) -> None:
    if not sys.stdout.isatty():
        click.echo(diff, nl=False)
        return
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        click.secho(line, fg=colours.get(line[:1]), bold=line.startswith("diff "))


def _print_summary(result: Upgraded, *, dry_run: bool) -> None:
    """Say on standard error what happened: standard output is for the diff."""
    if not result.changed:
        click.echo(f"Nothing to do: the project is at Carboy {result.after}.", err=True)
        return
    would = "would be" if dry_run else "were"
    versions = f"Carboy {result.before} → {result.after}"
    if result.before == result.after:
        versions = f"Carboy {result.after}"
    click.echo(f"{versions}: {len(result.changed)} files {would} changed.", err=True)
    for name in result.conflicts:
        click.secho(f"  conflict: {name}", fg="red", err=True)
    if result.conflicts:
        marks = "Choose between <<<<<<< and >>>>>>> in each, then run the tests."
        click.echo(marks, err=True)
    elif not dry_run:
        click.echo("Read them with: git diff; then: make test", err=True)
