"""Render the template for some answers into a folder, by Copier."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carboy import __version__
from carboy.generator.answers import Answers
from carboy.generator.errors import GeneratorError
from carboy.generator.layers import TEMPLATES, assemble, chosen


def render(
    destination: Path | str,
    answers: Answers | Mapping[str, Any],
    *,
    wheel: str = "",
    version: str = __version__,
    templates: Path = TEMPLATES,
) -> None:
    """Write the files of the template for *answers*.

    What is computed instead of rendered (pinned requirements, ``.env.example``, wheels, the
    file of answers) is not among them; :func:`carboy.generator.create` writes everything.

    :param destination: folder to write into; files with the same names are replaced.
    :param answers: :class:`Answers`, or a mapping of the same names to plain values.
    :param wheel: file name below ``wheels/``; empty when Carboy comes from an index.
    :param version: of Carboy, that the project is pinned to.
    :param templates: folder of layers.
    :raises AnswersError: if the answers do not go together.
    :raises GeneratorError: if Copier is not installed.
    """
    if not isinstance(answers, Answers):
        answers = Answers.of(answers)
    variables = variables_of(answers, wheel=wheel, version=version)
    run_copy = copier().run_copy
    with tempfile.TemporaryDirectory(prefix="carboy-template-") as folder:
        source = Path(folder, "source")
        assemble(chosen(variables, templates), source, templates)
        run_copy(str(source), destination, variables, defaults=True, overwrite=True, quiet=True)


def variables_of(answers: Answers, *, wheel: str, version: str) -> dict[str, Any]:
    """Everything that templates may use."""
    return answers.variables() | {"carboy_version": version, "wheel": wheel}


def copier() -> Any:
    """Import Copier, on first use: it takes its time.

    :raises GeneratorError: if it is not installed.
    """
    try:
        import copier
    except ModuleNotFoundError as error:
        raise GeneratorError(
            "Projects are written by Copier, which is not installed. "
            "Install it with: pip install 'carboy[new]'"
        ) from error
    return copier
