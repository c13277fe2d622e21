"""Deployment files for an app that was there before."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask

from carboy.generator.answers import ADOPTED, Answers, needs_a_server
from carboy.generator.bringing import bring_over
from carboy.generator.distribution import Carboy, running
from carboy.generator.errors import AnswersError
from carboy.generator.project import put_wheel
from carboy.generator.record import NAME, Record
from carboy.generator.rendering import copier, render
from carboy.generator.requirements import RUNTIME, requirements
from carboy.generator.scratch import scratch_folder
from carboy.server.discovery import load


@dataclass(frozen=True)
class Adopted:
    """What came of it.

    :param written: names of files, relative to the app's folder.
    :param left: files of the same names that were there before, and are as they were.
    :param requirements: lines that the app's own requirements file lacks; empty: none.
    """

    written: tuple[str, ...]
    left: tuple[str, ...]
    requirements: str


def adopt(  # noqa: PLR0913 - each is a keyword with a default
    folder: Path,
    target: str,
    *,
    name: str | None = None,
    database: str | None = None,
    deploy: tuple[str, ...] = (),
    dry_run: bool = False,
) -> Adopted:
    """Write the deployment files for the app *target*; change no file that is there.

    :param folder: of the app, and where it is found.
    :param target: ``MODULE:APP``, as ``carboy run`` takes it.
    :param name: of the project; by default the folder's.
    :param database: by default PostgreSQL where a target needs a server, else SQLite.
    :param dry_run: only say what would be written.
    :raises AnswersError: if the answers do not go together or the app cannot be run so.
    :raises AppError: if the app cannot be loaded.
    """
    folder = folder.resolve()
    if (folder / NAME).exists():
        raise AnswersError(
            f"Carboy generated files here before: there is {NAME}. "
            "Use: carboy upgrade --deploy TARGETS"
        )
    copier()
    answers = _answers(folder, target, _named(folder, name), database, deploy)
    with scratch_folder(folder, prefix=".carboy-adopt-") as scratch:
        prepared = scratch.path / "prepared"
        carboy = running(scratch.path)
        render(prepared, answers, wheel=carboy.wheel, version=carboy.version)
        rendered = _names(prepared)
        left = tuple(found for found in rendered if os.path.lexists(folder / found))
        answers = replace(answers, left=left)
        if answers.requirements:
            text = requirements(answers, carboy)[RUNTIME]
            (prepared / RUNTIME).write_text(text, "utf-8")
        put_wheel(prepared, carboy)
        Record(answers, carboy.version).write(prepared)
        written = tuple(found for found in _names(prepared) if found not in left)
        if not dry_run:
            bring_over(prepared, folder, written, scratch)
    return Adopted(written, left, _missing(folder, answers, carboy))


def _answers(
    folder: Path, target: str, name: str, database: str | None, deploy: tuple[str, ...]
) -> Answers:
    natural = "postgresql" if needs_a_server(deploy) else "sqlite"
    plain = {
        "name": name,
        "starter": ADOPTED,
        "database": database or natural,
        "deploy": deploy,
        "app": target,
        "requirements": not (folder / RUNTIME).exists(),
    }
    Answers.of(plain)  # before the app is loaded, which takes its time
    app = _loaded(target)
    if "carboy" not in app.extensions:
        raise AnswersError(
            f"The app {app.name!r} has no health endpoints, which every deployment asks: nothing "
            "fits it into its crate. Add to it: from carboy import Carboy; Carboy(app)"
        )
    known = {
        "migrations": "db" in app.cli.commands and (folder / "migrations").is_dir(),
        "static": _static(folder, app),
        "features": ("auth",) if "carboy.auth" in app.extensions else (),
    }
    return Answers.of(plain | known)


def _loaded(target: str) -> Flask:
    """Load the app; what it keeps for itself, such as a key, is not left in its folder."""
    with tempfile.TemporaryDirectory(prefix="carboy-") as instance:
        given = os.environ.get("INSTANCE_PATH")
        os.environ["INSTANCE_PATH"] = given or instance
        try:
            return load(target)
        finally:
            if given is None:
                del os.environ["INSTANCE_PATH"]


def _named(folder: Path, name: str | None) -> str:
    if name is not None:
        return name
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")


def _static(folder: Path, app: Flask) -> str:
    """Where the files below /static/ are, relative to the folder; empty: there are none."""
    if not app.static_folder or app.static_url_path != "/static":
        return ""
    path = Path(app.static_folder).resolve()
    inside = path.is_dir() and path.is_relative_to(folder)
    return path.relative_to(folder).as_posix() if inside else ""


def _names(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _missing(folder: Path, answers: Answers, carboy: Carboy) -> str:
    """Write the lines that a requirements file of the app's own needs for the image to run."""
    if answers.requirements:
        return ""
    own = (folder / RUNTIME).read_text("utf-8", errors="replace")
    if re.search(r"(?m)^carboy\b.*", own) and f"=={carboy.version}" in own:
        return ""
    extras = f"[{','.join(answers.extras)}]" if answers.extras else ""
    wheels = "--find-links wheels\n" if carboy.wheel else ""
    return f"{wheels}carboy{extras}=={carboy.version}"
