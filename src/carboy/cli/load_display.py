"""What ``carboy load`` shows: progress on standard error, tables on standard output."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from carboy.load import Figures, Outcome, Plan

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

ROUTES_SHOWN = 40
ERRORS_SHOWN = 20
_WIDTH_WITHOUT_TERMINAL = 120
_BAR_WIDTH = 24


class Progress:
    """Says what begins; on a terminal, also how it goes."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._live: Live | None = None
        self._began = 0.0
        self._last: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begins(self, url: str, journeys: str, page: str | None) -> None:
        """See :class:`carboy.load.session.Watcher`."""
        plan = self._plan
        app = "" if plan.target.rstrip("/") == url else f" ({plan.target})"
        if page is not None:
            say = f"Locust's page for {url}{app}: {page} (Ctrl-C ends it)"
        else:
            users = "1 user" if plan.users == 1 else f"{plan.users} users"
            say = f"{users} for {plan.time_s} s at {url}{app}: {journeys}; Ctrl-C ends it early"
        click.echo(say, err=True)
        self._began = time.monotonic()
        if sys.stderr.isatty() and page is None:
            from rich.console import Console  # takes its time
            from rich.live import Live

            console = Console(stderr=True, highlight=False)
            self._live = Live(
                console=console, get_renderable=self._line, transient=True, refresh_per_second=4
            )
            self._live.start()

    def progresses(self, progress: dict[str, Any]) -> None:
        """See :class:`carboy.load.session.Watcher`."""
        self._last = progress

    def _line(self) -> Text:
        from rich.text import Text

        passed_s = time.monotonic() - self._began
        done = min(1.0, passed_s / self._plan.time_s)
        full = round(_BAR_WIDTH * done)
        now = self._last
        line = Text.assemble(
            ("━" * full, "cyan"),
            ("━" * (_BAR_WIDTH - full), "dim"),
            f" {min(passed_s, self._plan.time_s):.0f}/{self._plan.time_s} s",
        )
        if now:
            line.append(f"  {now['users']} users  {now['requests']} requests")
            line.append(f"  {now['requests_per_s']:.1f}/s  p95 {now['p95_ms']} ms")
            line.append(f"  {now['failed']} failed", "red" if now["failed"] else "dim")
        return line


def show(outcome: Outcome) -> None:
    """Print the figures as tables."""
    from rich.console import Console

    width = shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 24)).columns
    console = Console(file=sys.stdout, width=width, highlight=False)
    if outcome.routes:
        _show_routes(console, outcome)
    if outcome.errors:
        _show_errors(console, outcome)
    if outcome.generator_was_busy:
        click.echo(
            "The processor that sent the requests was busy to its limit: a quicker service would "
            "show the same figures. Derive the users from FastHttpUser, or send from more machines."
        )
    if outcome.report:
        click.echo(f"Report with plots: {outcome.report}")


def _show_routes(console: Console, outcome: Outcome) -> None:
    from rich.table import Table
    from rich.text import Text  # as it is: a route may hold what rich reads as a style

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Route", overflow="fold")
    for title in ("Requests", "Failed", "Requests/s", "p50 ms", "p95 ms", "p99 ms", "Max ms"):
        table.add_column(title, justify="right", no_wrap=True)
    for figures in outcome.routes[:ROUTES_SHOWN]:
        table.add_row(Text(f"{figures.method} {figures.route}"), *_cells(figures))
    left = len(outcome.routes) - ROUTES_SHOWN
    if left > 0:
        table.add_row(f"and {left} more: --json lists them")
    table.add_row("All", *_cells(outcome.total), style="bold")
    console.print(table)


def _cells(figures: Figures) -> list[str]:
    failed = f"{figures.failed} ({figures.error_rate_percent:.3g} %)" if figures.failed else "0"
    times = (figures.p50_ms, figures.p95_ms, figures.p99_ms, figures.max_ms)
    rate = f"{figures.requests_per_s:.1f}"
    return [str(figures.requests), failed, rate, *(_milliseconds(value) for value in times)]


def _milliseconds(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004 - three digits


def _show_errors(console: Console, outcome: Outcome) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Failed", justify="right")
    table.add_column("Route", overflow="fold")
    table.add_column("Why", overflow="fold")
    for row in outcome.errors[:ERRORS_SHOWN]:
        route = Text(f"{row['method']} {row['route']}")
        table.add_row(str(row["count"]), route, Text(row["error"]))
    left = len(outcome.errors) - ERRORS_SHOWN
    if left > 0:
        table.add_row("", f"and {left} more: --json lists them")
    console.print()
    console.print(table)
