"""The file in a project that says what it was generated from."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from carboy.generator.answers import Answers
from carboy.generator.errors import AnswersError

NAME = ".carboy.toml"
# It names a file, and reaches pip.
_VERSION = re.compile(r"[0-9]+(\.[0-9a-z]+)*(\+[a-z0-9]+)?")
_HEAD = """\
# What this project was generated from. `carboy upgrade` reads and renews it; keep it in git.
"""


@dataclass(frozen=True)
class Record:
    """Answers, and the version of Carboy whose templates were used.

    :param version: as the project is pinned to it.
    """

    answers: Answers
    version: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the record of the project in *folder*.

        :raises AnswersError: if there is none, or it cannot be used.
        """
        path = folder / NAME
        try:
            held = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise AnswersError(
                f"There is no {NAME} in this folder: it is no project that Carboy generated. "
                "Go to the project's folder. An app of your own gets its deployment files by: "
                "carboy adopt"
            ) from None
        except (OSError, ValueError) as error:
            raise cls._unusable("it cannot be read") from error
        if not _VERSION.fullmatch(str(held.get("carboy_version"))):
            raise cls._unusable("carboy_version is missing, or is no version")
        try:
            return cls(Answers.of(held), held["carboy_version"])
        except (TypeError, ValueError) as error:
            raise cls._unusable("an answer has the wrong type") from error

    def write(self, folder: Path) -> None:
        """Write the record of the project in *folder*."""
        (folder / NAME).write_text(self.text(), "utf-8")

    def text(self) -> str:
        """Write it as TOML, of which JSON's texts, lists and truth values are a part."""
        held = {"carboy_version": self.version} | asdict(self.answers)
        return _HEAD + "".join(
            f"{name} = {json.dumps(held[name], ensure_ascii=False)}\n" for name in held
        )

    @staticmethod
    def _unusable(reason: str) -> AnswersError:
        return AnswersError(f"{NAME} cannot be used: {reason}. Restore it: git checkout -- {NAME}")
