"""A name is held once, among threads and among processes."""

import signal
import subprocess
import sys

import pytest

from carboy.backing.names import Names

HOLDER = """
import sys
from pathlib import Path
from carboy.backing.names import Names

with Names(Path(sys.argv[1])).hold("order 1") as free:
    print(free, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["shared with other processes", "of this process"])
def names(request, tmp_path):
    return Names(tmp_path / "names" if request.param.startswith("shared") else None)


def test_a_name_is_held_once_and_free_afterwards(names):
    with names.hold("order 1") as first:
        with names.hold("order 1") as second, names.hold("order 2") as other:
            assert (first, second, other) == (True, False, True)
        with names.hold("order 1") as third:
            assert third is False, "who was refused must not give the name back"
    with names.hold("order 1") as again:
        assert again is True


def test_an_error_frees_the_name(names):
    with pytest.raises(ZeroDivisionError), names.hold("order 1"):
        raise ZeroDivisionError
    with names.hold("order 1") as again:
        assert again is True


@pytest.mark.parametrize("end", [signal.SIGKILL, None], ids=["killed", "ended"])
def test_another_process_holds_it_until_its_end(tmp_path, end):
    names = Names(tmp_path / "names")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "names")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        with names.hold("order 1") as mine, names.hold("order 2") as other:
            assert (mine, other) == (False, True)
        if end:
            holder.send_signal(end)
        holder.stdin.close()
        holder.wait(30)
        with names.hold("order 1") as mine:
            assert mine is True


def test_a_file_that_cannot_be_made_is_an_error_not_a_held_name(tmp_path):
    names = Names(tmp_path / "missing" / "names")
    with pytest.raises(FileNotFoundError), names.hold("order 1"):
        pytest.fail("held")
