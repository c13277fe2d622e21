"""A new project: whole, or not there at all."""

import os
import signal
import subprocess
import sys
import time

import pytest

from carboy.generator import Answers, AnswersError, GeneratorError, create
from carboy.generator.record import NAME, Record

GONE_S = 10


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_is_written_and_committed(tmp_path, git):
    created = create(Answers("demo-shop"), tmp_path)
    assert created.folder == tmp_path / "demo-shop"
    assert created.is_repository
    assert names(tmp_path / "demo-shop").count(".git") == 1
    assert git(created.folder, "status", "--porcelain") == ""
    kept = git(created.folder, "ls-files").splitlines()
    assert {"requirements.txt", "requirements-development.txt", NAME} <= set(kept)
    assert [name for name in kept if name.startswith("wheels/")]
    assert git(created.folder, "branch", "--show-current") == "main\n"


def test_its_record_says_what_it_was_made_of(tmp_path):
    answers = Answers.of({"name": "demo", "database": "postgresql", "deploy": ["compose"]})
    record = Record.read(create(answers, tmp_path, with_git=False).folder)
    assert record.answers == answers
    assert f"carboy=={record.version} " in (tmp_path / "demo/requirements.txt").read_text()


def test_without_git_it_is_no_repository(tmp_path):
    assert not create(Answers("demo"), tmp_path, with_git=False).is_repository
    assert ".git" not in names(tmp_path / "demo")


def test_within_a_repository_it_is_no_other_one(tmp_path, git):
    git(tmp_path, "init", "--quiet")
    assert not create(Answers("demo"), tmp_path).is_repository
    assert ".git" not in names(tmp_path / "demo")


def test_an_empty_folder_may_be_there(tmp_path):
    (tmp_path / "demo").mkdir()
    create(Answers("demo"), tmp_path)
    assert "Makefile" in names(tmp_path / "demo")


def test_others_may_read_it_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        create(Answers("demo"), tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "demo").stat().st_mode & 0o777 == 0o750


def fill(path):
    path.mkdir()
    (path / "file").write_text("mine")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(fill, "is not empty", id="a folder with something in it"),
        pytest.param(lambda path: path.write_text("mine"), "a file", id="a file"),
        pytest.param(lambda path: path.symlink_to("nowhere"), "a file", id="a link to nowhere"),
    ],
)
def test_what_is_there_is_left(make, reason, tmp_path):
    make(tmp_path / "demo")
    before = names(tmp_path)
    with pytest.raises(AnswersError, match=reason) as refused:
        create(Answers("demo"), tmp_path)
    assert refused.value.exit_code == 2
    assert names(tmp_path) == before


def test_a_folder_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(AnswersError, match="no folder"):
        create(Answers("demo"), tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(GeneratorError, match="cannot be written"):
        create(Answers("demo"), tmp_path)


def test_an_error_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("carboy.generator.project.put_wheel", fail)
    with pytest.raises(GeneratorError, match="No space left"):
        create(Answers("demo"), tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("when", ["at its beginning", "in the middle", "at the commit"])
def test_an_interruption_leaves_nothing(number, when, tmp_path, environment):
    """The command is ended as soon as what shows where it is has appeared."""
    sign = {"at its beginning": "*", "in the middle": "*/Makefile", "at the commit": "*/.git"}
    folder = tmp_path / "empty"
    folder.mkdir()
    command = [sys.executable, "-m", "carboy", "new", "demo", "--defaults"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as writing:
        while not any(folder.glob(f".demo-*/{sign[when]}")) and not (folder / "demo").exists():
            assert writing.poll() is None, writing.stderr.read()
        os.killpg(writing.pid, number)
        writing.wait(GONE_S)
    deadline = time.monotonic() + GONE_S
    while any(name != "demo" for name in names(folder)):
        assert time.monotonic() < deadline, names(folder)
        time.sleep(0.01)
    if names(folder):  # it was faster: then it is whole
        assert (folder / "demo" / NAME).exists()
        assert (folder / "demo" / ".git" / "HEAD").exists()


def test_without_copier_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "copier", None)
    with pytest.raises(GeneratorError, match=r"pip install 'carboy\[new\]'"):
        create(Answers("demo"), tmp_path)
    assert names(tmp_path) == []
