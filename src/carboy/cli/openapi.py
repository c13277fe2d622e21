"""``carboy openapi``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from carboy.api.contract import Change

_STANDARD_INPUT = "-"


@click.group()
def openapi() -> None:
    """Compare what your API promises with what it promised before.

    `flask openapi --output FILE` writes the document of an app.
    """


@openapi.command()
@click.argument("old")
@click.argument("new")
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@click.pass_context
def diff(context: click.Context, old: str, new: str, *, as_json: bool) -> None:
    """Name what changed between two OpenAPI documents, and what of it breaks callers.

    OLD is a file, or - for standard input. NEW is a file or your app, as MODULE:APP:

    \b
      git show main:openapi.json | carboy openapi diff - shop:create_app

    Exit status: 0 nothing breaks; 1 something does; 2 a document cannot be read.
    """  # noqa: D301 - \b is the mark click knows
    from carboy.api.contract import compare  # Flask takes its time

    changes = compare(_document(old), _document(new, may_be_app=True))
    if as_json:
        click.echo(json.dumps([vars(change) for change in changes], indent=2))
    else:
        _print(changes)
    context.exit(any(change.breaking for change in changes))


def _document(name: str, *, may_be_app: bool = False) -> dict[str, Any]:
    from carboy.api.contract import DocumentError, parsed

    if name == _STANDARD_INPUT:
        return parsed(sys.stdin.buffer.read(), "Standard input")
    path = Path(name)
    if may_be_app and not path.exists() and path.suffix != ".json":
        from carboy.api.openapi import document_of
        from carboy.api.openapi.serving import dumps
        from carboy.server.discovery import load

        # As it is written: what Python has and JSON has not is no difference.
        return parsed(dumps(document_of(load(name))), name)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{name} cannot be read: {error.strerror}.") from error
    return parsed(text, name)


def _print(changes: list[Change]) -> None:
    if not changes:
        click.echo("Nothing changed.")
        return
    for breaking, title in ((True, "Breaking"), (False, "Not breaking")):
        found = [change for change in changes if change.breaking is breaking]
        if not found:
            continue
        click.secho(f"{title} ({len(found)})", bold=True, fg="red" if breaking else None)
        where = None
        for change in found:
            if change.where != where:
                where = change.where
                click.echo(f"  {where}")
            click.echo(f"    {change}")
