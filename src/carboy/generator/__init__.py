"""Projects: written by ``carboy new``, kept up to date by ``carboy upgrade``."""

from carboy.generator.adopt import Adopted, adopt
from carboy.generator.answers import (
    DATABASES,
    STARTERS,
    TARGETS,
    Answers,
    needs_a_server,
    targets_of,
)
from carboy.generator.errors import AnswersError, GeneratorError
from carboy.generator.project import Created, create
from carboy.generator.rendering import render
from carboy.generator.upgrade import Upgraded, upgrade

__all__ = [
    "DATABASES",
    "STARTERS",
    "TARGETS",
    "Adopted",
    "Answers",
    "AnswersError",
    "Created",
    "GeneratorError",
    "Upgraded",
    "adopt",
    "create",
    "needs_a_server",
    "render",
    "targets_of",
    "upgrade",
]
