"""Write a new project."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from carboy.generator import git
from carboy.generator.answers import Answers
from carboy.generator.distribution import Carboy, running
from carboy.generator.errors import AnswersError, GeneratorError
from carboy.generator.record import Record
from carboy.generator.rendering import copier, render
from carboy.generator.requirements import requirements
from carboy.generator.scratch import scratch_folder


@dataclass(frozen=True)
class Created:
    """What came of it.

    :param folder: the project.
    :param is_repository: whether it is a git repository with a first commit.
    """

    folder: Path
    is_repository: bool


def create(answers: Answers, parent: Path = Path(), *, with_git: bool = True) -> Created:
    """Write a project into a new folder of its name.

    The folder appears complete or not at all, also when the work is interrupted or killed.

    :param answers: what the project is to be.
    :param parent: where its folder is made.
    :param with_git: make it a git repository, unless git is missing or *parent* lies in one.
    :raises AnswersError: if the answers do not go together, or something is in the way.
    :raises GeneratorError: if a tool is missing or the folder cannot be written.
    """
    answers.check()
    copier()
    destination = parent / answers.name
    refuse_what_is_there(destination)
    if not parent.is_dir():
        raise AnswersError(f"There is no folder {parent}. Make it first.")
    wanted = with_git and git.is_there() and git.top_of(parent) is None
    try:
        with scratch_folder(parent, prefix=f".{answers.name}-") as scratch:
            folder = scratch.path / answers.name
            folder.mkdir()
            write(folder, answers, running(scratch.path))
            if wanted:
                git.begin(folder, "Begin with what Carboy generates")
            # On POSIX an empty folder is replaced, one with something in it is not.
            folder.replace(destination)
    except OSError as error:
        raise GeneratorError(f"{destination} cannot be written: {error.strerror}.") from error
    return Created(destination, wanted)


def write(folder: Path, answers: Answers, carboy: Carboy) -> None:
    """Write every file of a project into *folder*."""
    render(folder, answers, wheel=carboy.wheel, version=carboy.version)
    for name, text in requirements(answers, carboy).items():
        (folder / name).write_text(text, "utf-8")
    put_wheel(folder, carboy)
    Record(answers, carboy.version).write(folder)


def put_wheel(folder: Path, carboy: Carboy) -> None:
    """Put the wheel where the requirements look for it, when no index has this Carboy."""
    if carboy.wheel:
        path = folder / "wheels" / carboy.wheel
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(carboy.content)


def refuse_what_is_there(destination: Path) -> None:
    """Refuse a destination that holds something already.

    :raises AnswersError: naming it.
    """
    if not os.path.lexists(destination):
        return
    if not destination.is_dir():
        raise AnswersError(f"There is a file {destination} already. Use another name.")
    if any(destination.iterdir()):
        raise AnswersError(
            f"The folder {destination} is not empty. Use another name, or empty it first. "
            "An app that is in it already gets its deployment files by: carboy adopt"
        )
