"""A folder that is gone afterwards, however the work ends."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from carboy.generator.scratch import scratch_folder

WORK = """
import sys, time
from pathlib import Path
from carboy.generator.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), prefix=".work-") as scratch:
    (scratch.path / "deep").mkdir()
    (scratch.path / "deep" / "file").write_text("half of it")
    print("working", flush=True)
    time.sleep(60)
"""
GONE_S = 60


def wait_until_empty(folder):
    deadline = time.monotonic() + GONE_S
    while any(folder.iterdir()):
        assert time.monotonic() < deadline, list(folder.iterdir())
        time.sleep(0.01)


def test_it_is_removed_at_the_end(tmp_path):
    with scratch_folder(tmp_path) as scratch:
        assert scratch.path.is_dir()
        assert scratch.path.parent == tmp_path
        (scratch.path / "file").write_text("")
    assert list(tmp_path.iterdir()) == []


def test_it_is_removed_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path):
        1 / 0  # noqa: B018 - the error is the test
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_is_removed_when_the_process_is_ended(number, tmp_path):
    command = [sys.executable, "-c", WORK, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as working:
        assert working.stdout.readline() == b"working\n"
        assert len(list(tmp_path.iterdir())) == 1
        os.killpg(working.pid, number)
        status = working.wait(GONE_S)
    assert status == (128 + number if number == signal.SIGTERM else -number)
    wait_until_empty(tmp_path)


def test_what_was_given_another_name_stays(tmp_path):
    with scratch_folder(tmp_path) as scratch:
        inner = scratch.path / "result"
        inner.mkdir()
        inner.rename(tmp_path / "result")
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_sigterm_means_again_what_it_meant_before(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with scratch_folder(tmp_path):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_may_use_one(tmp_path):
    found = []

    def work():
        with scratch_folder(tmp_path) as scratch:
            found.append(scratch.path.is_dir())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]
    assert list(tmp_path.iterdir()) == []
