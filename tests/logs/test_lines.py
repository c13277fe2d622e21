"""Lines that wait for each other are written whole, in order, and before anybody misses them."""

import io
import logging
import os
import subprocess
import sys
import threading

import pytest

from carboy.logs import Lines, Shortcut, make_formatter
from carboy.logs.handler import Output
from carboy.logs.output import LINE_BYTES_MAX


@pytest.fixture
def pipe():
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    yield ends
    for end in ends:
        os.close(end)


def test_lines_wait_and_are_written_in_order(pipe):
    waiting = Lines()
    for number in range(50):
        assert waiting.add(pipe[1], f"{number}\n")
    with pytest.raises(BlockingIOError):
        os.read(pipe[0], 9)
    waiting.write()
    assert os.read(pipe[0], 9999).decode().split() == [str(number) for number in range(50)]
    waiting.write()
    with pytest.raises(BlockingIOError):
        os.read(pipe[0], 9)


def test_no_step_is_larger_than_a_pipe_takes_whole(pipe, monkeypatch):
    steps, genuine = [], os.write
    monkeypatch.setattr(os, "write", lambda to, data: steps.append(data) or genuine(to, data))
    waiting = Lines()
    for number in range(40):
        waiting.add(pipe[1], f"{number:02}" + "x" * 697 + "\n")
    waiting.write()
    assert all(len(step) <= LINE_BYTES_MAX and step.endswith(b"\n") for step in steps)
    assert len(steps) == 40 * 700 // LINE_BYTES_MAX + 2
    assert b"".join(steps).count(b"\n") == 40


def test_a_file_takes_many_lines_in_one_step(tmp_path, monkeypatch):
    steps, genuine = [], os.write
    monkeypatch.setattr(os, "write", lambda to, data: steps.append(data) or genuine(to, data))
    waiting = Lines()
    lines = [f"{number:03}" + "x" * 996 + "\n" for number in range(100)]
    with (tmp_path / "log").open("wb") as file:
        for line in lines:
            waiting.add(file.fileno(), line)
        waiting.write()
    assert (tmp_path / "log").read_text() == "".join(lines)
    assert len(steps) == 2
    assert 60_000 < len(steps[0]) <= 1 << 16
    assert all(step.endswith(b"\n") for step in steps)


FULL = """
import io, os, resource, signal, sys

from carboy.logs import Lines

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_500, resource.RLIM_INFINITY))
sys.__stderr__ = kept = io.StringIO()
waiting = Lines()
file = os.open("log", os.O_WRONLY | os.O_CREAT)
for number in range(60):
    waiting.add(file, f"{number:03}" + "x" * 996 + "\\n")
waiting.write()
print([line[:3] for line in kept.getvalue().splitlines()] == [f"{n:03}" for n in range(11, 60)])
"""


def test_what_a_full_disk_does_not_take_is_left_to_the_stream(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout == "True\n", done.stderr
    assert (tmp_path / "log").read_text().splitlines()[9] == "009" + "x" * 996


def test_a_line_that_is_too_long_does_not_wait(pipe):
    waiting = Lines()
    assert waiting.add(pipe[1], "x" * (LINE_BYTES_MAX - 1) + "\n")
    assert not waiting.add(pipe[1], "x" * LINE_BYTES_MAX + "\n")


def test_each_line_goes_where_it_belongs(pipe):
    read, write = os.pipe()
    waiting = Lines()
    for number in range(6):
        waiting.add((write, pipe[1])[number % 2], f"{number}\n")
    waiting.write()
    assert os.read(read, 99) == b"0\n2\n4\n"
    assert os.read(pipe[0], 99) == b"1\n3\n5\n"
    os.close(read)
    os.close(write)


def test_what_cannot_be_written_is_left_to_the_stream(pipe, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", stream)
    os.set_blocking(pipe[1], False)
    while True:
        try:
            os.write(pipe[1], b"x" * 512)
        except BlockingIOError:
            break
    waiting = Lines()
    waiting.add(pipe[1], "a\n" * 500)
    waiting.add(pipe[1], "b\n")
    waiting.write()
    assert stream.getvalue().startswith("a\n")


def test_nobody_fails_for_want_of_a_stream(monkeypatch):
    monkeypatch.setattr(sys, "__stderr__", None)
    waiting = Lines()
    waiting.add(-1, "a\n")
    waiting.write()


def test_the_rest_of_what_was_taken_in_part_follows(pipe, monkeypatch):
    genuine = os.write
    monkeypatch.setattr(os, "write", lambda to, data: genuine(to, data[:3]))
    waiting = Lines()
    waiting.add(pipe[1], "ab\n")
    waiting.add(pipe[1], "cd\n")
    waiting.write()
    assert os.read(pipe[0], 99) == b"ab\ncd\n"


def test_threads_lose_no_line(tmp_path):
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    waiting = Lines()

    def work(name):
        for number in range(2000):
            waiting.add(file, f"{name}{number}\n")
            waiting.write()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    os.close(file)
    found = (tmp_path / "log").read_text().split()
    assert sorted(found) == sorted(f"{name}{number}" for name in "abcd" for number in range(2000))


def test_who_returns_has_its_line_written_whoever_writes_it(pipe, monkeypatch):
    begun, goes_on, genuine = threading.Event(), threading.Event(), os.write

    def slowly(to, data):
        begun.set()
        goes_on.wait(20)
        return genuine(to, data)

    monkeypatch.setattr(os, "write", slowly)
    waiting = Lines()
    waiting.add(pipe[1], "a\n")
    first = threading.Thread(target=waiting.write)
    first.start()
    assert begun.wait(20)
    second = threading.Thread(target=waiting.write)
    second.start()
    second.join(0.05)
    assert second.is_alive()
    goes_on.set()
    for thread in (first, second):
        thread.join(20)
    assert os.read(pipe[0], 9) == b"a\n"


def test_where_lines_go_is_looked_up_while_none_waits(pipe, monkeypatch):
    handler = Output(sys.__stderr__)
    handler.setFormatter(make_formatter("json", colour=False))
    monkeypatch.setattr(logging.root, "handlers", [handler])
    waiting, shortcut = Lines(), Shortcut(logging.getLogger("shop.access"), logging.WARNING)
    taken = sys.__stderr__.fileno()
    assert waiting.descriptor(shortcut) == taken
    waiting.add(pipe[1], "a\n")
    monkeypatch.setattr(logging.root, "handlers", [])
    assert waiting.descriptor(shortcut) == taken
    waiting.write()
    assert waiting.descriptor(shortcut) == -1
