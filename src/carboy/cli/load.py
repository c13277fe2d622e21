"""``carboy load``."""

from __future__ import annotations

import json
import math
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from carboy.load import Outcome, Plan

REPORT = "load-report.html"
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


class Duration(click.ParamType[int]):
    """Whole seconds, or hours, minutes and seconds: ``90``, ``90s``, ``5m``, ``1h30m``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Give seconds."""
        if isinstance(value, int):
            return value
        found = _TIME.fullmatch(value)
        hours, minutes, seconds = (
            (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
        )
        return 3600 * hours + 60 * minutes + seconds or self.fail(
            f"{value!r} is no time. Write seconds, or as in 90s, 5m, 1h30m.", param, ctx
        )


class Amount(click.FloatRange):
    """A number above 0, and less than infinite."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give the number."""
        number = float(super().convert(value, param, ctx))
        return (
            number if math.isfinite(number) else self.fail(f"{value!r} is no number.", param, ctx)
        )


class Percent(click.FloatRange):
    """A percentage, with or without its sign."""

    name = "percentage"

    def __init__(self) -> None:
        super().__init__(min=0, max=100)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Give a number from 0 to 100."""
        bare = value.removesuffix("%").strip() if isinstance(value, str) else value
        number = float(super().convert(bare, param, ctx))  # type: ignore[arg-type] # it parses text
        return self.fail(f"{value!r} is no number.", param, ctx) if math.isnan(number) else number


@click.command()
@click.argument("target", metavar="URL|MODULE:APP")
@click.argument("locust_options", metavar="[-- LOCUST OPTIONS]", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--users",
    metavar="N",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Users at the same time.",
)
@click.option(
    "--spawn-rate",
    metavar="N",
    type=Amount(),
    help="Users that begin each second.  [default: all at once]",
)
@click.option(
    "--time",
    "time_s",
    metavar="TIME",
    type=Duration(),
    default=30,
    show_default=True,
    help="How long: seconds, or as in 90s, 5m, 1h30m.",
)
@click.option(
    "--locustfile",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What the users do.  [default: locustfile.py; without one they GET the public "
    "routes of /openapi.json that have no parameters, else /]",
)
@click.option(
    "--max-p99",
    metavar="MILLISECONDS",
    type=Amount(),
    help="Exit with 1 if more than one request in a hundred took longer.",
)
@click.option(
    "--max-error-rate",
    metavar="PERCENT",
    type=Percent(),
    help="Exit with 1 if more requests failed: 1 allows one in a hundred, 0 none.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=REPORT,
    show_default=True,
    help="Where the report with plots goes.",
)
@click.option("--no-html", is_flag=True, help="Write no report.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object.")
@click.option(
    "--log",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the log of MODULE:APP goes.  [default: thrown away]",
)
@click.option(
    "--allow-host",
    metavar="HOST",
    help="The host of URL, when it is another machine: it is yours to load.",
)
@click.option(
    "--headless/--web",
    default=True,
    help="--web opens Locust's own page instead, at http://127.0.0.1:8089.",
)
@click.pass_context
def load(
    context: click.Context, /, target: str, locust_options: tuple[str, ...], **given: Any
) -> None:
    """Find out how much a service takes, and how quick it is.

    URL is where a service runs. MODULE:APP is an app, which is served for the test on a free
    port of this machine, with the settings there are: it writes to the database they name.

    \b
      carboy load http://127.0.0.1:8080 --users 50 --time 2m
      carboy load shop:create_app --max-p99 250 --max-error-rate 0.1
      carboy load wsgi:app --web
      carboy load wsgi:app -- --tags checkout

    A URL of another machine needs your word that you may load it: on a terminal you are
    asked, elsewhere say --allow-host.

    Exit status: 0 done; 1 a limit you stated was broken, nothing could be measured, a user of
    the locustfile broke off, or the app ended; 2 something you gave is wrong; 130 and 143
    after Ctrl-C and SIGTERM, which end it early, with the figures until then.
    """  # noqa: D301 - \b is the mark click knows
    from carboy.cli.load_display import Progress, show  # sockets and TLS take their time
    from carboy.load import Limits, LoadError, Plan, run

    limits = Limits(given["max_p99"], given["max_error_rate"])
    plan = Plan(
        target=target,
        users=given["users"],
        spawn_rate_per_s=given["spawn_rate"],
        time_s=given["time_s"],
        locustfile=given["locustfile"],
        html=None if given["no_html"] else given["html"],
        service_log=given["log"],
        allowed_host=given["allow_host"],
        page=not given["headless"],
        locust_options=locust_options,
        limits=limits,
    )
    try:
        with Progress(plan) as progress:
            outcome = run(plan, progress, _confirm if sys.stdin.isatty() else None)
    except KeyboardInterrupt:
        context.exit(128 + signal.SIGINT)
    if given["as_json"]:
        click.echo(json.dumps(outcome.as_json(limits), indent=2))
    else:
        show(outcome)
    problems = _problems(outcome, plan)
    if problems:
        LoadError("\n".join(problems)).show()
    context.exit(128 + outcome.interrupted if outcome.interrupted else bool(problems))


def _confirm(host: str) -> bool:
    return click.confirm(f"{host} is another machine. May you load it?", default=False, err=True)


def _problems(outcome: Outcome, plan: Plan) -> list[str]:
    found = [broken.message for broken in outcome.broken(plan.limits)]
    if not outcome.total.requests and not (outcome.interrupted or plan.page):
        found.append("Not one request came to its end. Is the service stuck, or --time too short?")
    found += [
        f"The locustfile raised {raised['error']}"
        + (f" ({raised['where']})" if raised["where"] else "")
        + f", {raised['count']} times. Correct it: that user did not do what it was to do."
        for raised in outcome.exceptions
    ]
    return found
