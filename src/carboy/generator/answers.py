"""What is asked before a project is written, which answers go together, what follows from them."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from carboy.generator.errors import AnswersError
from carboy.generator.pins import names

STARTERS: Final = {
    "single": "one file: hello, a JSON endpoint and one resource",
    "module": "a package: accounts, an API, models, commands, migrations",
    "page": "the package with a website: pages, cards in Markdown, bundled assets",
    "model": "the package with a machine-learning model behind POST /predict",
}
DATABASES: Final = {
    "sqlite": "a file beside the service; one machine",
    "postgresql": "a server; several machines",
}
TARGETS: Final = {
    "compose": "nginx, several web processes, PostgreSQL and Redis on one machine",
    "heroku": "a Procfile with a release phase",
    "cloudrun": "Google Cloud Run, built by Cloud Build",
    "kubernetes": "manifests by kustomize, an overlay for each environment",
    "github": "a pipeline of GitHub Actions",
    "gitlab": "a pipeline of GitLab CI",
}
ADOPTED: Final = "none"
"""The starter of an app that was there before."""

_NEEDS_A_SERVER: Final = {
    "compose": "its replicas share one database",
    "heroku": "its disk is emptied at every start",
    "cloudrun": "its disk is emptied at every start",
    "kubernetes": "its replicas share one database",
}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH_MAX = 50
# These stand in shell scripts, YAML and Dockerfiles, where other characters have a meaning.
_APP = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*(:[A-Za-z_][A-Za-z0-9_.]*(\(\))?)?")
_STATIC = re.compile(r"(?!.*\.\.)[A-Za-z0-9_.][A-Za-z0-9_./-]*")
_PYTHON = re.compile(r"3\.[0-9]{1,2}")
_FEATURE = re.compile(r"[a-z][a-z0-9-]*")
# Names that the project's own files or what they import have already.
_TAKEN = frozenset(
    {"app", "carboy", "locustfile", "migrations", "steps", "test", "tests", "wheels", "wsgi"}
)
# What pinned packages are imported as, where that is not their name.
_IMPORTED = frozenset({"attr", "dotenv", "engineio", "jwt", "sklearn", "socketio", "zmq"})
_IMAGE_PYTHON = "3.13"


@dataclass(frozen=True)
class Answers:
    """One project as its owner wants it.

    :param name: of the project: lower-case letters, digits and hyphens.
    :param starter: a key of :data:`STARTERS`, or :data:`ADOPTED`.
    :param database: a key of :data:`DATABASES`.
    :param deploy: keys of :data:`TARGETS`, in their order.
    :param app: what a WSGI server imports, ``MODULE:APP``.
    :param migrations: whether there are migrations to run before a release.
    :param static: folder of static files relative to the project; empty: none.
    :param python: version of Python in the image.
    :param requirements: whether the requirements files are Carboy's to write.
    :param features: extras of Carboy that an app from before uses.
    :param left: files that were there before, and are not Carboy's to change.
    """

    name: str
    starter: str = "module"
    database: str = "sqlite"
    deploy: tuple[str, ...] = ()
    app: str = "wsgi:app"
    migrations: bool = True
    static: str = ""
    python: str = _IMAGE_PYTHON
    requirements: bool = True
    features: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Make answers of plain values, as a file or a test holds them; unknown names are left out.

        :raises AnswersError: if they do not go together.
        """
        known = {field.name for field in fields(cls)}
        chosen = {name: value for name, value in given.items() if name in known}
        for name in ("deploy", "features", "left"):
            chosen[name] = tuple(chosen.get(name, ()))
        chosen["deploy"] = tuple(sorted(chosen["deploy"], key=_place_of))
        answers = cls(**chosen)
        answers.check()
        return answers

    @property
    def package(self) -> str:
        """The name as Python imports it."""
        return self.name.replace("-", "_")

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.replace("-", " ").capitalize()

    @property
    def extras(self) -> list[str]:
        """Extras of Carboy that the project runs with, in alphabetical order."""
        wanted = set(self.features)
        if self.starter in {"module", "page", "model"}:
            wanted.add("auth")
        if self.starter == "page":
            wanted |= {"assets", "content"}
        if self.database == "postgresql":
            wanted.add("postgres")
        if _NEEDS_A_SERVER.keys() & set(self.deploy):
            wanted.add("redis")
        return sorted(wanted)

    def variables(self) -> dict[str, Any]:
        """Everything that templates may use, apart from what is known of Carboy itself."""
        own = {name: listed(value) for name, value in asdict(self).items()}
        if self.starter == "page" and not self.static:
            own["static"] = f"{self.package}/static"  # where the assets are built
        return own | {"package": self.package, "title": self.title, "extras": self.extras}

    def check(self) -> None:
        """Refuse what no project can be made of.

        :raises AnswersError: with every problem.
        """
        problems = [*_problems_of_name(self.name, adopted=self.starter == ADOPTED)]
        if self.starter != ADOPTED:
            problems += _unknown("starter", self.starter, STARTERS)
        problems += _unknown("database", self.database, DATABASES)
        problems += _problems_of_words(self)
        for target in self.deploy:
            problems += _unknown("deployment target", target, TARGETS)
            if self.database == "sqlite" and target in _NEEDS_A_SERVER:
                problems.append(
                    f"SQLite does not go with {target}: {_NEEDS_A_SERVER[target]}. "
                    "Use --database postgresql, or leave the target out."
                )
        if problems:
            raise AnswersError(problems)


def needs_a_server(deploy: tuple[str, ...]) -> bool:
    """Say whether one of the targets rules a file as the database out."""
    return bool(_NEEDS_A_SERVER.keys() & set(deploy))


def listed(value: Any) -> Any:
    """Make a tuple a list, as files and templates have it."""
    return list(value) if isinstance(value, tuple) else value


def targets_of(text: str) -> tuple[str, ...]:
    """Read targets as they are typed: separated by commas, or ``none``."""
    named = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    return () if named == ("none",) else named


def _place_of(target: str) -> int:
    return list(TARGETS).index(target) if target in TARGETS else len(TARGETS)


def _unknown(noun: str, given: str, known: Mapping[str, str]) -> list[str]:
    if given in known:
        return []
    return [f"There is no {noun} {given!r}. Choose from: {', '.join(known)}."]


def _problems_of_name(name: str, *, adopted: bool) -> list[str]:
    if not _NAME.fullmatch(name):
        said = f"{name!r} is no name for a project."
        return [f"{said} Use lower-case letters, digits and single hyphens, such as demo-shop."]
    if len(name) > _NAME_LENGTH_MAX:
        return [f"The name is longer than {_NAME_LENGTH_MAX} characters. Use a shorter one."]
    if adopted:
        return []
    package = name.replace("-", "_")
    if (
        package in _TAKEN | _IMPORTED | sys.stdlib_module_names
        or package in names()
        or keyword.iskeyword(package)
    ):
        return [f"{name!r} is the name of a module that the project uses. Use another one."]
    return []


def _problems_of_words(answers: Answers) -> list[str]:
    """Refuse what would be code in the files that are written."""
    problems = []
    if not _APP.fullmatch(answers.app):
        problems.append(
            f"The app {answers.app!r} cannot stand in the deployment files. Name it in a module, "
            "wsgi.py, app = create_app(...), and use wsgi:app."
        )
    if answers.static and (not _STATIC.fullmatch(answers.static) or answers.static[0] == "/"):
        problems.append(
            f"The folder of static files, {answers.static!r}, cannot stand in the deployment "
            "files. Rename it: letters, digits, dots, hyphens and underscores."
        )
    if not _PYTHON.fullmatch(answers.python):
        problems.append(f"{answers.python!r} is no version of Python. Use one such as 3.13.")
    problems += [
        f"{one!r} is no extra of Carboy. Leave it out of features."
        for one in answers.features
        if not _FEATURE.fullmatch(one)
    ]
    return problems
