"""Projects: written by ``carboy new``, kept up to date by ``carboy upgrade``."""

from carboy.generator.answers import Answers
from carboy.generator.errors import AnswersError, GeneratorError
from carboy.generator.rendering import render

__all__ = ["Answers", "AnswersError", "GeneratorError", "render"]
