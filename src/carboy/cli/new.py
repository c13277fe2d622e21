"""``carboy new``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from carboy.generator import Answers, Created

_NONE = "none"
_SERVER = "postgresql"


@click.command()
@click.argument("name", required=False)
@click.option("--starter", metavar="WHICH", help="single, module, page or model.")
@click.option("--database", metavar="WHICH", help="sqlite or postgresql.")
@click.option(
    "--deploy",
    metavar="TARGETS",
    help="Where it will run and what tests it, separated by commas: compose, heroku, cloudrun, "
    "kubernetes, github, gitlab; or none. A Dockerfile is always there.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing: module, none, sqlite where it can be.")
@click.option("--git/--no-git", "with_git", default=True, help="Make it a git repository.")
def new(  # noqa: PLR0913 - click hands over each option
    name: str | None,
    starter: str | None,
    database: str | None,
    deploy: str | None,
    *,
    defaults: bool,
    with_git: bool,
) -> None:
    """Write a new project into the folder NAME.

    On a terminal it asks for what is not given. The project is yours from then on;
    `carboy upgrade` brings it what newer versions of Carboy generate.

    \b
      carboy new demo --starter module --defaults
      cd demo && make test && make start

    Exit status: 0; 1 it cannot be written; 2 an answer is missing or wrong, and nothing was
    written.
    """  # noqa: D301 - \b is the mark click knows
    from carboy.generator import create

    asking = not defaults and sys.stdin.isatty() and sys.stdout.isatty()
    given = {"name": name, "starter": starter, "deploy": deploy, "database": database}
    if not asking:
        _refuse_gaps(given, defaults=defaults)
    answers = _complete(name, starter, deploy, database, asking=asking)
    _show(create(answers, with_git=with_git))


def _refuse_gaps(given: Mapping[str, str | None], *, defaults: bool) -> None:
    from carboy.generator import AnswersError

    if given["name"] is None:
        raise AnswersError("A name is missing: carboy new NAME")
    gaps = [f"--{name}" for name, value in given.items() if value is None]
    if gaps and not defaults:
        raise AnswersError(
            f"There is no terminal to ask on, and no {', '.join(gaps)}. "
            "Give what is missing, or take the defaults: --defaults"
        )


def _complete(
    name: str | None,
    starter: str | None,
    deploy: str | None,
    database: str | None,
    *,
    asking: bool,
) -> Answers:
    """Ask for what is missing, or take the defaults; refuse each answer as soon as it is known."""
    from carboy.generator import (
        DATABASES,
        STARTERS,
        TARGETS,
        Answers,
        AnswersError,
        needs_a_server,
        targets_of,
    )

    def checked(**more: str | tuple[str, ...]) -> Answers:
        return Answers.of({**chosen, **more})

    chosen: dict[str, str | tuple[str, ...]] = {}
    if name is None:
        name = _ask("Name of the project, such as demo-shop", lambda given: checked(name=given))
    chosen["name"] = checked(name=name).name
    if starter is None and asking:
        _list("Starter", STARTERS)
        starter = _ask(">", lambda given: checked(starter=given), Answers.starter)
    chosen["starter"] = checked(starter=starter or Answers.starter).starter
    if deploy is None and asking:
        _list("Runs on, one or several, separated by commas", {_NONE: "later", **TARGETS})
        deploy = _ask(">", lambda given: checked(deploy=targets_of(given), database=_SERVER), _NONE)
    chosen["deploy"] = targets_of(deploy or _NONE)
    natural = _SERVER if needs_a_server(targets_of(deploy or _NONE)) else Answers.database
    if database is None and asking:
        _list("Database", DATABASES)
        database = _ask(">", lambda given: checked(database=given), natural)
    answers = checked(database=database or natural)
    if answers.starter not in STARTERS:
        raise AnswersError(f"A new project needs a starter: {', '.join(STARTERS)}.")
    return answers


def _list(question: str, choices: Mapping[str, str]) -> None:
    click.secho(f"\n{question}", bold=True)
    width = max(map(len, choices))
    for choice, meaning in choices.items():
        click.echo(f"  {choice:<{width}}  {meaning}")


def _ask(question: str, check: Callable[[str], object], default: str | None = None) -> str:
    """Let an answer be typed until it is one."""
    from carboy.generator import AnswersError

    def taken(given: str) -> str:
        try:
            check(given.strip())
        except AnswersError as error:
            raise click.UsageError(error.message) from error
        return given.strip()

    suffix = " " if question == ">" else ": "
    asked = click.prompt(question, default=default, value_proc=taken, prompt_suffix=suffix)
    return str(asked)


def _show(created: Created) -> None:
    kind = ", in git with a first commit" if created.is_repository else ""
    click.echo(f"{created.folder} holds your project{kind}. Next:\n")
    click.echo(f"  cd {created.folder}")
    click.echo("  make test     # install what it needs, run its tests")
    click.echo("  make start    # serve it on http://127.0.0.1:8080")
