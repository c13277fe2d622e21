"""``carboy maintenance``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from carboy.cli.invocation import Invocation
from carboy.errors import CarboyError

if TYPE_CHECKING:
    from carboy.crate.maintenance import Maintenance


@click.group()
def maintenance() -> None:
    """Refuse visitors while you work on the service.

    While it is on, every request is answered 503 with your message, in every worker within
    a second; health checks and metrics still answer. It stays on over a restart.

    Exit status: 0 done; 1 the switch cannot be written; 2 the app cannot be loaded.
    """


@maintenance.command()
@click.option("--message", metavar="TEXT", help="One sentence for the callers.")
@click.option(
    "--retry-after",
    metavar="SECONDS",
    type=click.IntRange(min=0),
    help="When callers should try again; sent as the Retry-After header.",
)
@click.pass_obj
def on(invocation: Invocation, message: str | None, retry_after: int | None) -> None:
    """Begin, or change the message."""
    switch = _switch(invocation)
    try:
        switch.on(message, retry_after)
    except OSError as error:
        raise _unwritable(switch, error) from error
    click.echo(f"Maintenance is on ({switch.path}). End it with: carboy maintenance off")


@maintenance.command()
@click.pass_obj
def off(invocation: Invocation) -> None:
    """End it."""
    switch = _switch(invocation)
    was_on = switch.is_on()
    try:
        switch.off()
    except OSError as error:
        raise _unwritable(switch, error) from error
    click.echo("Maintenance is off." if was_on else "Maintenance was off already.")


@maintenance.command()
@click.pass_obj
def status(invocation: Invocation) -> None:
    """Print "on" or "off", and what callers are told."""
    notice = _switch(invocation).notice()
    if notice is None:
        click.echo("off")
        return
    since = f", since {notice.since}" if notice.since else ""
    click.echo(f"on{since}: {notice.message} (retry after {notice.retry_after_s} s)")


def _switch(invocation: Invocation) -> Maintenance:
    from carboy.server.discovery import load  # Flask takes its time

    app = load(invocation.app)
    carboy = app.extensions.get("carboy")
    if carboy is None:
        raise CarboyError(
            f"The app {app.name!r} has no maintenance mode: nothing fits it into its crate. "
            "Add to it: from carboy import Carboy; Carboy(app)"
        )
    switch: Maintenance = carboy.crate.maintenance
    return switch


def _unwritable(switch: Maintenance, error: OSError) -> CarboyError:
    return CarboyError(
        f"The switch {switch.path} cannot be changed: {error.strerror}. Make its folder writable, "
        "or name another file in MAINTENANCE_FILE."
    )
