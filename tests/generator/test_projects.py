"""Projects as their owners use them: installed, tested, checked and served.

Takes minutes, so not part of every run: `make projects`. Every two of the answers meet in one of
the combinations (pairwise): starter and database, starter and target, database and target.
"""

import contextlib
import itertools
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from carboy.generator.answers import DATABASES, STARTERS, TARGETS, needs_a_server

pytestmark = pytest.mark.projects

START_S = 120
COMBINATIONS = [
    ("single", "sqlite", ("github", "gitlab")),
    ("single", "postgresql", tuple(TARGETS)),
    ("module", "sqlite", ()),
    ("module", "postgresql", tuple(TARGETS)),
    ("page", "sqlite", ("github", "gitlab")),
    ("page", "postgresql", tuple(TARGETS)),
    ("model", "sqlite", ("github", "gitlab")),
    ("model", "postgresql", tuple(TARGETS)),
]
# One is installed as a newcomer's is, by pip; the others by uv, which is quicker.
BY_PIP = COMBINATIONS[2]


def test_every_two_answers_meet():
    pairs = set()
    for starter, database, deploy in COMBINATIONS:
        pairs.add((starter, database))
        pairs |= set(itertools.product((starter, database), deploy))
    wanted = set(itertools.product(STARTERS, DATABASES)) | set(itertools.product(STARTERS, TARGETS))
    for database, target in itertools.product(DATABASES, TARGETS):
        if not (database == "sqlite" and needs_a_server((target,))):
            wanted.add((database, target))
    assert wanted <= pairs


@pytest.fixture(scope="class")
def project(request, tmp_path_factory, carboy, sh):
    """One combination, generated and installed."""
    starter, database, deploy = request.cls.chosen
    folder = tmp_path_factory.mktemp("project")
    words = ("--starter", starter, "--database", database, "--deploy", ",".join(deploy) or "none")
    carboy(folder, "new", "demo-shop", *words)
    folder /= "demo-shop"
    uv = next(iter([*Path(sys.prefix).glob("uv-*/bin/uv"), shutil.which("uv")]), None)
    if uv is not None and request.cls.chosen != BY_PIP:
        requirements = ("--require-hashes", "--requirement", "requirements-development.txt")
        sh(folder, uv, "venv", "--quiet", "--seed", "--python", sys.executable, ".venv")
        sh(folder, uv, "pip", "install", "--quiet", "--python", ".venv/bin/python", *requirements)
        for stamp in ("for-development", "for-running"):
            (folder / ".venv" / stamp).touch()
    sh(folder, "make", "develop")
    return folder


@pytest.fixture(scope="session")
def sh(environment):
    """Run a program in a project; what it prints is shown when it fails."""

    def sh(folder, *words, **more):
        done = subprocess.run(
            [str(word) for word in words],
            cwd=folder,
            env={**environment, **more, "PWD": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return sh


@contextlib.contextmanager
def started(project, environment):
    """Run ``make start`` on a free port; give the address and the process."""
    with subprocess.Popen(
        ["make", "start"],
        cwd=project,
        env={**environment, "HTTP_PORT": "0", "WEB_CONCURRENCY": "1", "RATE_LIMIT": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as server:
        printed = []
        try:
            for line in server.stdout:
                printed.append(line)
                found = re.search(r"Listening at (http://127\.0\.0\.1:\d+)", line)
                if found:
                    break
            else:
                raise AssertionError("".join(printed))
            yield found[1], server
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


class Checks:
    """What holds for every project; a class for each combination, so that each is made once."""

    def test_its_tests_pass(self, project, sh):
        assert re.search(r"\d+ passed", sh(project, "make", "test"))

    def test_its_tests_pass_on_postgresql(self, project, sh):
        url = os.environ.get("DATABASE_URL", "")
        if not url.startswith("postgres"):
            pytest.skip("DATABASE_URL names no PostgreSQL")
        if "postgresql" not in (project / ".carboy.toml").read_text():
            pytest.skip("the project is on SQLite")
        assert re.search(r"\d+ passed", sh(project, "make", "test", DATABASE_URL=url))

    def test_its_style_and_types_are_right(self, project, sh):
        sh(project, "make", "check-style", "check-types")

    def test_its_coverage_is_measured(self, project, sh):
        if 'starter = "single"' not in (project / ".carboy.toml").read_text():
            pytest.skip("the tests are the same; once is enough")
        sh(project, "make", "coverage")
        assert (project / "coverage.xml").is_file()
        assert (project / "htmlcov" / "index.html").is_file()

    def test_it_is_ready_for_production(self, project, sh):
        ready = {
            "APP_ENV": "Production",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "TRUSTED_HOSTS": "demo.example.com",
        }
        if "postgresql" in (project / ".carboy.toml").read_text():
            ready["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
        printed = sh(project, project / ".venv/bin/carboy", "settings", **ready)
        assert "Production" in printed

    def test_make_start_serves_it_and_stops_when_told(self, project, sh, environment):
        with started(project, environment) as (url, server):
            with urllib.request.urlopen(f"{url}/health/ready", timeout=30) as answer:
                assert answer.status == 200
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert answer.status == 200
            sh(project, "make", "test", BASE_URL=url)
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(START_S)
        assert server.returncode in {0, -signal.SIGTERM}

    def test_locking_anew_moves_nothing(self, project, sh, git):
        if 'starter = "module"' not in (project / ".carboy.toml").read_text():
            pytest.skip("the rule is the same; one starter is enough")

        def pins():
            texts = [path.read_text() for path in sorted(project.glob("requirements*.txt"))]
            return [re.findall(r"(?m)^(?:--.*|\S+==\S+)", text) for text in texts]

        before = pins()
        sh(project, "make", "lock")
        assert pins() == before
        git(project, "restore", ".")

    def test_nothing_is_left_uncommitted(self, project, git):
        """What tests, coverage and a start leave behind is ignored by git."""
        assert git(project, "status", "--porcelain") == ""


for combination in COMBINATIONS:
    name = f"Test{combination[0].title()}On{combination[1].title()}"
    globals()[name] = type(name, (Checks,), {"chosen": combination})
