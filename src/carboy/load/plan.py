"""What a load test is asked to do, and what is wrong with that."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from carboy.errors import CarboyError

USUAL_LOCUSTFILE = "locustfile.py"


class LoadError(CarboyError):
    """The load test could not be carried out."""


class PlanError(CarboyError):
    """What the load test was asked to do is wrong."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True)
class Limits:
    """What the service must keep to; what is ``None`` is not judged.

    :param max_p99_ms: 99 of 100 requests are answered within this time.
    :param max_error_rate_percent: share of requests that may fail, 0 to 100.
    """

    max_p99_ms: float | None = None
    max_error_rate_percent: float | None = None


@dataclass(frozen=True)
class Plan:
    """One load test.

    :param target: URL of a service that runs, or an app as ``MODULE:APP``.
    :param users: how many users there are at the same time.
    :param spawn_rate_per_s: how many of them begin each second; by default all do at once.
    :param time_s: how long it takes.
    :param locustfile: the journeys of the users; by default ``locustfile.py`` if there is
        one, else GET requests to the public routes.
    :param html: the report to write; ``None`` writes none.
    :param service_log: where an app that is started writes its log; by default to a file
        that is thrown away.
    :param allowed_host: name of the host, in words, where it is not this machine.
    :param page: open Locust's own page instead of starting at once.
    :param locust_options: more options, as Locust's command line takes them.
    """

    target: str
    users: int = 10
    spawn_rate_per_s: float | None = None
    time_s: int = 30
    locustfile: Path | None = None
    html: Path | None = None
    service_log: Path | None = None
    allowed_host: str | None = None
    page: bool = False
    locust_options: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


def check_locust() -> None:
    """Make sure that Locust is there, without importing it.

    :raises PlanError: naming what to install.
    """
    if find_spec("locust") is None:
        raise PlanError("Load tests need Locust. Install it with: pip install 'carboy[load]'")


def journeys(plan: Plan) -> Path | None:
    """Find the locustfile; ``None`` means that there is none and nobody named one.

    :raises PlanError: if the one that was named is not there.
    """
    if plan.locustfile is None:
        usual = Path(USUAL_LOCUSTFILE)
        return usual if usual.is_file() else None
    if not plan.locustfile.is_file():
        raise PlanError(
            f"There is no locustfile {str(plan.locustfile)!r}. Check the name, or leave out "
            f"--locustfile: then {USUAL_LOCUSTFILE} is used if it is here, "
            "else the public routes are asked."
        )
    return plan.locustfile


def check_writable(*files: Path | None) -> None:
    """Find out before the test, not after it, that a file cannot be written.

    :raises PlanError: naming the file and the reason.
    """
    for file in files:
        if file is None:
            continue
        folder = file.absolute().parent
        if not folder.is_dir():
            raise PlanError(
                f"{file} cannot be written: there is no folder {folder}. Make it first."
            )
        if file.is_dir():
            raise PlanError(f"{file} cannot be written: it is a folder. Name a file in it.")
        if not os.access(file if file.exists() else folder, os.W_OK):
            raise PlanError(f"{file} cannot be written. Name a file in a folder of yours.")
