"""The group ``carboy`` and how its commands report what went wrong."""

from __future__ import annotations

import traceback
from typing import Any

import click

from carboy import __version__
from carboy.cli.adopt import adopt
from carboy.cli.invocation import Invocation
from carboy.cli.load import load
from carboy.cli.maintenance import maintenance
from carboy.cli.new import new
from carboy.cli.openapi import openapi
from carboy.cli.run import run
from carboy.cli.secret import secret
from carboy.cli.settings import settings
from carboy.cli.upgrade import upgrade
from carboy.compiled import is_compiled
from carboy.errors import CarboyError


class Commands(click.Group):
    """A group that prints a :class:`CarboyError` as what it is: a message for a person."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see :meth:`click.Command.invoke`."""
        try:
            return super().invoke(ctx)
        except CarboyError as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            error.show()
            ctx.exit(error.exit_code)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done; 1 it cannot be done, as when the port is in use; 2 something "
    "you gave is wrong: a setting, an option, the name of the app. Why is written to "
    "standard error, one line for each problem.",
)
@click.option(
    "--app",
    metavar="MODULE:APP",
    envvar="FLASK_APP",
    show_envvar=True,
    help="Your Flask app, or a function that makes it: shop, shop:app, shop:create_app. "
    "By default wsgi.py or app.py in this folder.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
@click.version_option(
    f"{__version__} (compiled)" if is_compiled() else __version__, prog_name="carboy"
)
@click.pass_context
def main(ctx: click.Context, app: str | None, *, debug: bool) -> None:
    """Run a Flask app in production.

    Start in the folder of your project, or begin one:

    \b
      carboy new NAME         write a new project
      carboy run              serve the app on port 8080
      carboy settings         every setting with its value and meaning
      carboy COMMAND --help   more about one command
    """  # noqa: D301 - \b is the mark click knows
    ctx.obj = Invocation(app, debug)


for command in (new, upgrade, adopt, run, settings, secret, maintenance, openapi, load):
    main.add_command(command)
