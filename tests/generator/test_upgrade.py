"""Newer templates merged into projects that were edited since."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from carboy.generator.record import NAME

from .earlier import TEMPLATES, unpacked

PROJECT = f"{TEMPLATES}project/"
GONE_S = 60


def earlier_templates(files):
    """A Makefile with one target more, a file that is gone today, one that is not there yet."""
    makefile = f"{PROJECT}Makefile.jinja"
    more = b".PHONY: olden\nolden: ## An old target\n\t@echo old\n\n.PHONY: help\n"
    files[makefile] = files[makefile].replace(b".PHONY: help\n", more, 1)
    files[f"{PROJECT}gone.txt"] = b"Carboy wrote this once.\n"
    files[f"{PROJECT}also-gone.txt"] = b"Carboy wrote this, too.\n"
    del files[f"{PROJECT}tests/test_health.py"]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """An installation of an earlier Carboy."""
    return unpacked(tmp_path_factory.mktemp("earlier"), "0.0.9", earlier_templates)


@pytest.fixture(scope="module")
def generated(tmp_path_factory, carboy, earlier):
    """A project that the earlier one generated."""
    folder = tmp_path_factory.mktemp("generated")
    carboy(folder, "new", "demo", "--starter", "single", "--defaults", PYTHONPATH=str(earlier))
    assert "olden" in (folder / "demo/Makefile").read_text()
    assert not (folder / "demo/tests/test_health.py").exists()
    return folder / "demo"


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory, generated, carboy):
    """The same, brought to this version."""
    folder = copied(generated, tmp_path_factory.mktemp("upgraded") / "demo")
    carboy(folder, "upgrade")
    return folder


@pytest.fixture
def project(generated, tmp_path):
    """A copy of the generated one, to work on."""
    return copied(generated, tmp_path / "demo")


def copied(folder, to):
    subprocess.run(["cp", "-r", folder, to], check=True)
    return to


@pytest.fixture
def commit(git):
    def commit(folder):
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "Own work")

    return commit


def state(folder):
    """Every file outside git's own; what tells one build of this version from another left out."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in {".git", "wheels"}
    }
    build = rb"0\.1\.0\+c[0-9a-f]{10}( \\\n    --hash=sha256:[0-9a-f]+)?"
    return {name: re.sub(build, b"0.1.0", content) for name, content in found.items()}


def test_newer_files_come_and_the_wheel_is_renewed(project, carboy, git):
    said = carboy(project, "upgrade")
    assert "olden" not in (project / "Makefile").read_text()
    assert (project / "tests/test_health.py").is_file()
    assert not (project / "gone.txt").exists()
    wheels = [path.name for path in (project / "wheels").iterdir()]
    assert len(wheels) == 1
    version = re.search(r'carboy_version = "(.+)"', (project / NAME).read_text())[1]
    assert wheels == [f"carboy-{version}-py3-none-any.whl"]
    assert f"carboy=={version} " in (project / "requirements.txt").read_text()
    assert "0.0.9" not in (project / "requirements-development.txt").read_text()
    assert f"→ {version}" in said
    # Nothing is committed: it is theirs to read and to take back.
    assert git(project, "log", "--oneline").count("\n") == 1
    assert git(project, "status", "--porcelain")
    assert not list(project.glob(".carboy-upgrade*"))


def test_it_is_then_what_a_new_project_is(upgraded, carboy, tmp_path):
    carboy(tmp_path, "new", "demo", "--starter", "single", "--defaults")
    assert state(upgraded) == state(tmp_path / "demo")


def test_a_second_upgrade_has_nothing_to_do(tmp_path, carboy):
    same = {"PYTHONPATH": str(unpacked(tmp_path / "carboy", "0.1.0"))}
    carboy(tmp_path, "new", "demo", "--starter", "single", "--defaults", **same)
    before = state(tmp_path / "demo")
    assert "Nothing to do" in carboy(tmp_path / "demo", "upgrade", **same)
    assert state(tmp_path / "demo") == before


def test_own_work_stays(project, carboy, commit):
    app = (project / "app.py").read_text() + "\n\nOWN = 'work'\n"
    (project / "app.py").write_text(app)
    readme = (project / "README.md").read_text()
    (project / "README.md").write_text("# My title\n" + readme.partition("\n")[2])
    makefile = (project / "Makefile").read_text() + "\n.PHONY: own\nown:\n\t@echo own\n"
    (project / "Makefile").write_text(makefile)
    (project / "own.txt").write_text("mine")
    (project / "locustfile.py").unlink()
    (project / "also-gone.txt").write_text("Carboy wrote this, and I went on.\n")
    commit(project)
    carboy(project, "upgrade")
    assert (project / "app.py").read_text() == app
    assert (project / "README.md").read_text().startswith("# My title\n")
    assert "echo own" in (project / "Makefile").read_text()
    assert "olden" not in (project / "Makefile").read_text()
    assert (project / "own.txt").read_text() == "mine"
    assert not (project / "locustfile.py").exists()
    assert not (project / "gone.txt").exists()


def test_packages_of_the_project_stay(project, carboy, commit):
    path = project / "requirements.txt"
    path.write_text(path.read_text() + "humanize==4.0 \\\n    --hash=sha256:abc\n")
    commit(project)
    carboy(project, "upgrade")
    text = path.read_text()
    assert "humanize==4.0 \\\n    --hash=sha256:abc\n" in text
    assert "0.0.9" not in text
    assert "humanize" not in (project / "requirements-development.txt").read_text()


@pytest.fixture
def disputed(project, commit):
    """A project that changed the lines which the newer templates take away."""
    path = project / "Makefile"
    path.write_text(path.read_text().replace("@echo old", "@echo my own"))
    commit(project)
    return project


def test_lines_that_both_changed_are_marked_and_the_file_is_listed(disputed, carboy):
    said = carboy(disputed, "upgrade", status=1)
    assert "conflict: Makefile" in said
    text = (disputed / "Makefile").read_text()
    assert "<<<<<<< before updating\n" in text
    assert "@echo my own" in text
    assert ">>>>>>> after updating\n" in text
    # The rest is merged all the same.
    assert (disputed / "tests/test_health.py").is_file()


def test_a_dry_run_prints_the_difference_and_changes_nothing(disputed, carboy, git):
    before = state(disputed)
    said = carboy(disputed, "upgrade", "--dry-run", status=1)
    assert "+++ b/tests/test_health.py\n" in said
    assert "+<<<<<<< before updating\n" in said
    assert "conflict: Makefile" in said
    assert "would be changed" in said
    assert state(disputed) == before
    assert git(disputed, "status", "--porcelain") == ""


def test_the_difference_can_be_applied(project, carboy, git, tmp_path, run):
    """What a dry run prints on standard output is a patch of the texts."""
    command = [sys.executable, "-m", "carboy", "upgrade", "--dry-run"]
    patch = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    (tmp_path / "patch").write_text(patch)
    git(project, "apply", "--exclude=wheels/*", tmp_path / "patch")
    assert (project / "tests/test_health.py").is_file()


def test_other_targets_can_be_chosen(upgraded, tmp_path, carboy, commit):
    project = copied(upgraded, tmp_path / "demo")
    commit(project)
    said = carboy(project, "upgrade", "--deploy", "compose", status=2)
    assert "SQLite does not go with compose" in said
    carboy(project, "upgrade", "--deploy", "github,gitlab")
    assert (project / ".github/workflows/pipeline.yml").is_file()
    assert 'deploy = ["github", "gitlab"]' in (project / NAME).read_text()
    commit(project)
    carboy(project, "upgrade", "--deploy", "none")
    assert not (project / ".github").exists()
    assert not (project / ".gitlab-ci.yml").exists()


def test_a_project_below_the_top_of_a_repository(tmp_path, carboy, earlier, git, commit):
    git(tmp_path, "init", "--quiet")
    (tmp_path / "deep").mkdir()
    words = ("new", "demo", "--starter", "single", "--defaults")
    carboy(tmp_path / "deep", *words, PYTHONPATH=str(earlier))
    (tmp_path / "other").write_text("not the project's")
    commit(tmp_path)
    carboy(tmp_path / "deep" / "demo", "upgrade")
    assert (tmp_path / "deep/demo/tests/test_health.py").is_file()
    changed = git(tmp_path, "status", "--porcelain").splitlines()
    assert changed
    assert all(line[3:].startswith("deep/demo/") for line in changed)


def make_dirty(project, git):
    (project / "app.py").write_text("changed")


def make_untracked(project, git):
    (project / "tests" / "test_health.py").write_text("not committed")


def make_no_repository(project, git):
    subprocess.run(["rm", "-r", project / ".git"], check=True)


def make_no_commit(project, git):
    make_no_repository(project, git)
    git(project, "init", "--quiet")


def make_no_record(project, git):
    git(project, "rm", "--quiet", NAME)
    git(project, "commit", "--quiet", "--message", "Remove")


def make_newer(project, git):
    path = project / NAME
    path.write_text(re.sub(r'carboy_version = ".*"', 'carboy_version = "99.0"', path.read_text()))
    git(project, "commit", "--quiet", "--all", "--message", "From the future")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(make_dirty, "Commit or stash", id="a change is not committed"),
        pytest.param(make_untracked, "Commit or stash", id="a file is not committed"),
        pytest.param(make_no_repository, "git init", id="no git repository"),
        pytest.param(make_no_commit, "Nothing is committed yet", id="no commit"),
        pytest.param(make_no_record, "carboy adopt", id="no project of Carboy's"),
        pytest.param(make_newer, "Upgrade Carboy first", id="a newer Carboy made it"),
    ],
)
def test_it_is_refused_in_one_line(make, reason, project, carboy, git):
    make(project, git)
    before = state(project)
    said = carboy(project, "upgrade", status=2)
    assert reason in said
    assert len(said.splitlines()) == 1
    assert state(project) == before


def test_a_lost_wheel_is_named(project, carboy, git):
    git(project, "rm", "--quiet", "-r", "wheels")
    git(project, "commit", "--quiet", "--message", "Remove")
    assert "git checkout -- wheels" in carboy(project, "upgrade", status=1)


def test_an_ignored_file_is_not_overwritten(project, carboy, commit):
    (project / ".gitignore").write_text("tests/test_health.py\n")
    commit(project)
    (project / "tests" / "test_health.py").write_text("mine alone")
    said = carboy(project, "upgrade", status=2)
    assert "tests/test_health.py" in said
    assert (project / "tests" / "test_health.py").read_text() == "mine alone"
    assert "olden" in (project / "Makefile").read_text()


@pytest.mark.parametrize(
    ("sign", "number"),
    [
        *[(sign, signal.SIGKILL) for sign in ("*", "*/clone/.git", "*/source/.git", "*/new")],
        *[("*/old", number) for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)],
        *[("*/clone/.git", number) for number in (signal.SIGTERM, signal.SIGINT)],
    ],
)
def test_an_interruption_leaves_the_old_state_or_the_new_one(
    sign, number, project, upgraded, environment
):
    """The command is ended as soon as what shows where it is has appeared."""
    before, after = state(project), state(upgraded)
    command = [sys.executable, "-m", "carboy", "upgrade"]
    with subprocess.Popen(
        command,
        cwd=project,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as upgrading:
        while upgrading.poll() is None and not any(project.glob(f".carboy-upgrade-{sign}")):
            pass
        if upgrading.poll() is None:
            os.killpg(upgrading.pid, number)
        upgrading.wait(GONE_S)
    deadline = time.monotonic() + GONE_S
    while any(project.glob(".carboy-upgrade-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert state(project) in (before, after)
