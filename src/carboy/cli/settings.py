"""``carboy settings``."""

from __future__ import annotations

import json
import shutil
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from carboy.cli.invocation import Invocation

if TYPE_CHECKING:
    from rich.console import RenderableType

    from carboy.settings import Row

_WIDE_COLUMNS = 100
_WIDTH_WITHOUT_TERMINAL = 120


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@click.pass_obj
def settings(invocation: Invocation, *, as_json: bool) -> None:
    """Show every setting: value, where it comes from, meaning.

    Secrets are hidden. With an app these are the app's settings, its own ones included;
    without one, Carboy's. A setting is given as an environment variable of its name, or as
    NAME_FILE, which names a file holding the value.

    Exit status: 0; 2 when a setting or the app is wrong, each problem on its own line.
    """
    rows = _rows(invocation)
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2, default=str))
        return
    _print(rows)


def _rows(invocation: Invocation) -> list[Row]:
    from carboy.server.discovery import find  # Flask takes its time
    from carboy.settings import Settings

    app = find(invocation.app)
    if app is None:
        return Settings.load().rows()
    carboy = app.extensions.get("carboy")
    loaded: Settings = carboy.settings if carboy else Settings.load()
    return loaded.rows()


def _print(rows: list[Row]) -> None:
    from rich.console import Console

    width = shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 24)).columns
    console = Console(file=sys.stdout, width=width, highlight=False)
    grouped = [(group, list(members)) for group, members in _by_group(rows)]
    names = max(len(row.name) for row in rows)
    for group, members in grouped:
        console.print(
            _wide(group, members, names) if width >= _WIDE_COLUMNS else _narrow(group, members)
        )


def _by_group(rows: list[Row]) -> Any:
    """Keep groups in the order in which they first appear, whatever comes between."""
    order = list(dict.fromkeys(row.group for row in rows))
    return groupby(sorted(rows, key=lambda row: order.index(row.group)), lambda row: row.group)


def _wide(group: str, rows: list[Row], names: int) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=group, title_justify="left", title_style="bold", expand=True, box=None)
    table.add_column("Name", width=names, no_wrap=True, style="cyan")
    table.add_column("Value", ratio=2, overflow="fold")
    table.add_column("Source", width=12, overflow="fold", style="dim")
    table.add_column("Meaning", ratio=4)
    for row in rows:
        table.add_row(row.name, Text(_shown(row.value)), Text(row.source), Text(row.doc))
    return table


def _narrow(group: str, rows: list[Row]) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    lines: list[RenderableType] = [Text(group, "bold")]
    for row in rows:
        value, source = _shown(row.value), (f"({row.source})", "dim")
        lines.append(Text.assemble((row.name, "cyan"), f" = {value} ", source))
        lines.append(Padding(Text(row.doc), (0, 0, 0, 4)))
    return Group(*lines, "")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None or value == "" else str(value)
