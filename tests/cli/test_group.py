import subprocess
import sys

import pytest

from carboy import __version__
from carboy.compiled import is_compiled

COMMANDS = ["run", "settings", "secret", "maintenance"]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_names_every_command(carboy, option):
    told = carboy(option)
    assert told.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command}" in told.stdout


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)], ids=str)
def test_every_help_tells_the_exit_status(carboy, command):
    assert "Exit status" in " ".join(carboy(*command, "--help").stdout.split())


def test_the_version_is_told(carboy):
    kind = " (compiled)" if is_compiled() else ""
    assert carboy("--version").stdout == f"carboy, version {__version__}{kind}\n"


def test_several_problems_are_a_line_each_and_no_traceback(carboy):
    told = carboy("settings", APP_ENV="prod")
    assert told.returncode == 2
    assert told.stdout == ""
    lines = told.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("Error: ") for line in lines)


def test_debug_adds_the_traceback(carboy):
    told = carboy("--debug", "settings", APP_ENV="prod")
    assert told.returncode == 2
    assert told.stderr.startswith("Traceback")
    assert "Error: SECRET_KEY is not set." in told.stderr


def test_an_unknown_app_is_one_line(carboy):
    told = carboy("--app", "nope:app", "settings")
    assert told.returncode == 2
    assert told.stderr.startswith("Error: There is no module 'nope'")
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("heavy", ["flask", "sqlalchemy", "gunicorn", "rich", "marshmallow"])
def test_a_command_that_needs_little_imports_little(heavy):
    program = (
        "import sys\nfrom carboy.cli import main\n"
        "main(['secret'], standalone_mode=False)\n"
        f"assert {heavy!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True)
