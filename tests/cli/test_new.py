"""``carboy new``: asks on a terminal, else one line says what is missing."""

import os
import pty
import subprocess
import sys

import pytest


def test_defaults_write_a_project_and_say_what_comes_next(carboy, tmp_path):
    done = carboy("new", "demo", "--defaults")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("demo holds your project")
    assert [line.split("#")[0].strip() for line in lines[2:]] == [
        *("cd demo", "make test", "make start")
    ]
    record = (tmp_path / "demo/.carboy.toml").read_text()
    assert 'starter = "module"\ndatabase = "sqlite"\ndeploy = []\n' in record


def test_a_server_target_means_postgresql(carboy, tmp_path):
    done = carboy("new", "demo", "--starter", "single", "--deploy", "compose", "--defaults")
    assert done.returncode == 0, done.stderr
    assert 'database = "postgresql"' in (tmp_path / "demo/.carboy.toml").read_text()


def test_no_git_makes_no_repository(carboy, tmp_path):
    assert carboy("new", "demo", "--defaults", "--no-git").returncode == 0
    assert not (tmp_path / "demo/.git").exists()


def test_everything_given_needs_no_terminal_and_no_defaults(carboy, tmp_path):
    words = ("--starter", "single", "--database", "sqlite", "--deploy", "none")
    assert carboy("new", "demo", *words).returncode == 0
    assert (tmp_path / "demo/app.py").is_file()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "carboy new NAME"),
        (["--defaults"], "carboy new NAME"),
        (["demo"], "no --starter, --deploy, --database"),
        (["demo", "--starter", "single"], "no --deploy, --database"),
        (["Demo", "--defaults"], "'Demo' is no name for a project"),
        (["json", "--defaults"], "'json' is the name of a module"),
        (["../demo", "--defaults"], "is no name"),
        (["demo", "--defaults", "--starter", "foo"], "single, module, page, model"),
        (["demo", "--defaults", "--starter", "none"], "needs a starter"),
        (["demo", "--defaults", "--database", "mysql"], "sqlite, postgresql"),
        (["demo", "--defaults", "--deploy", "swarm"], "compose, heroku"),
        (["demo", "--defaults", "--deploy", "none,compose"], "no deployment target 'none'"),
        (["demo", "--defaults", "--database", "sqlite", "--deploy", "heroku"], "its disk"),
        (["taken", "--defaults"], "not empty"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(words, reason, carboy, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("")
    done = carboy("new", *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]


def typed(answers, *words, folder):
    """Type answers on a terminal; gives what it shows and the exit status."""
    main, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "carboy", "new", *words],
        cwd=folder,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as asking:
        os.close(terminal)
        os.write(main, "".join(f"{answer}\n" for answer in answers).encode())
        shown = b""
        while True:
            try:
                chunk = os.read(main, 4096)
            except OSError:  # Linux ends a terminal so
                break
            if not chunk:
                break
            shown += chunk
    os.close(main)
    return shown.decode(), asking.returncode


def test_a_terminal_is_asked_for_everything(tmp_path):
    answers = ["demo", "single", "github", "postgresql"]
    shown, status = typed(answers, folder=tmp_path)
    assert status == 0, shown
    record = (tmp_path / "demo/.carboy.toml").read_text()
    assert 'starter = "single"\ndatabase = "postgresql"\ndeploy = ["github"]\n' in record


def test_what_cannot_be_is_asked_again(tmp_path):
    answers = ["Demo", "demo", "foo", "", "swarm", "heroku", "sqlite", ""]
    shown, status = typed(answers, folder=tmp_path)
    assert status == 0, shown
    for said in ("no name for a project", "no starter 'foo'", "target 'swarm'", "its disk"):
        assert said in shown
    record = (tmp_path / "demo/.carboy.toml").read_text()
    assert 'starter = "module"\ndatabase = "postgresql"\ndeploy = ["heroku"]\n' in record


def test_what_is_given_is_not_asked(tmp_path):
    words = ("demo", "--starter", "single", "--deploy", "none")
    shown, status = typed(["sqlite"], *words, folder=tmp_path)
    assert status == 0, shown
    assert "Starter" not in shown
    assert "Database" in shown


def test_ctrl_d_writes_nothing(tmp_path):
    shown, status = typed(["demo", "\x04"], folder=tmp_path)
    assert status == 1, shown
    assert list(tmp_path.iterdir()) == []
