"""What a generator refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from carboy.errors import CarboyError


class GeneratorError(CarboyError):
    """A project cannot be written or changed: a tool is missing, a file is in the way."""


class AnswersError(CarboyError):
    """One or more answers cannot be used; nothing was written.

    :param problems: one sentence each, naming the remedy.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))
