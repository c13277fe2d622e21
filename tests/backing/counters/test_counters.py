"""What holds for counters wherever they are."""

import multiprocessing
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from carboy.backing.counters import Window, open_counters
from carboy.backing.counters.memory import MemoryCounters
from carboy.backing.counters.redis import RedisCounters
from carboy.backing.counters.sqlite import SQLiteCounters
from carboy.errors import CarboyError, SettingsError

DAY_S = 86_400
FIVE = Window("five", 5, DAY_S)
TWO = Window("two", 2, DAY_S)
MINUTE = Window("minute", 3, 60)


def test_as_many_takes_fit_as_the_quota_says(counters):
    assert [counters.take([FIVE])[0] for _ in range(7)] == [True] * 5 + [False] * 2
    assert counters.levels([FIVE])[0].taken == 5


def test_the_level_says_when_the_first_take_is_given_back(counters):
    _, [level] = counters.take([FIVE])
    assert level.taken == 1
    assert DAY_S <= level.free_in_s <= DAY_S * 61 / 60
    assert counters.levels([TWO]) == [(0, 0.0)]


def test_of_several_windows_all_are_taken_or_none(counters):
    results = [counters.take([FIVE, TWO])[0] for _ in range(4)]
    assert results == [True, True, False, False]
    assert [level.taken for level in counters.levels([FIVE, TWO])] == [2, 2]


def test_what_is_given_back_can_be_taken_again(counters):
    for _ in range(2):
        counters.take([TWO])
    counters.give_back([TWO])
    assert counters.take([TWO])[0]
    assert not counters.take([TWO])[0]


def test_nothing_is_given_back_to_an_empty_window(counters):
    counters.give_back([TWO])
    counters.take([TWO])
    counters.give_back([TWO])
    counters.give_back([TWO])
    assert counters.levels([TWO])[0].taken == 0


def test_a_forgotten_window_is_empty(counters):
    counters.take([FIVE, TWO])
    counters.forget([FIVE])
    assert [level.taken for level in counters.levels([FIVE, TWO])] == [0, 1]


def test_parallel_threads_take_exactly_the_quota(counters):
    window = Window("threads", 50, DAY_S)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: counters.take([window])[0], range(200)))
    assert sum(taken) == 50


@pytest.mark.parametrize(
    ("after_s", "fits"),
    [
        pytest.param(59.9, False, id="nothing is given back within the window"),
        pytest.param(61.1, True, id="all is given back one part after the window"),
    ],
)
def test_takes_leave_the_window(timed, clock, after_s, fits):
    for _ in range(3):
        assert timed.take([MINUTE])[0]
    _, [level] = timed.take([MINUTE])
    assert 60 <= level.free_in_s <= 61
    clock.now += after_s
    assert timed.take([MINUTE])[0] is fits


def test_no_window_wherever_it_begins_has_more_takes_than_the_quota(timed, clock):
    window = Window("moving", 7, 60)
    taken_at = []
    for step in range(2000):
        clock.now += (step * 7919 % 100) / 25  # up to 4 s, unevenly
        if timed.take([window])[0]:
            taken_at.append(clock.now)
    assert len(taken_at) > 100
    assert all(
        later - earlier >= 60
        for earlier, later in zip(taken_at, taken_at[window.quota :], strict=False)
    )


def test_what_left_its_window_is_deleted(clock, tmp_path):
    file = tmp_path / "limits.sqlite3"
    kept = SQLiteCounters(file, clock=clock)
    for number in range(10):
        kept.take([Window(f"old {number}", 5, 60)])
    clock.now += 120
    kept.take([Window("recent", 5, 60)])
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT key FROM takes").fetchall() == [("recent",)]
    connection.close()


def test_memory_does_not_grow_with_those_who_left(clock):
    kept = MemoryCounters(clock)
    for number in range(3000):
        clock.now += 1
        kept.take([Window(f"visitor {number}", 5, 60)])
    assert len(kept._parts) < 1200


def test_redis_lets_keys_expire(redis_server):
    url, prefix = redis_server
    counters = RedisCounters(url, prefix=prefix)
    counters.take([MINUTE])
    assert 61 <= counters._server.ttl(f"{prefix}minute") <= 62


PROGRAM = """
import sys
from pathlib import Path
from carboy.backing.counters import Window, open_counters

counters = open_counters(sys.argv[1], folder=Path(sys.argv[2]), prefix=sys.argv[3])
window = Window("shared", 60, 86400)
print(sum(counters.take([window])[0] for _ in range(80)))
"""


@pytest.mark.parametrize("place", ["sqlite", "redis"])
def test_processes_together_take_exactly_the_quota(place, request, tmp_path):
    url, prefix = "sqlite:///limits.sqlite3", ""
    if place == "redis":
        url, prefix = request.getfixturevalue("redis_server")
    command = [sys.executable, "-c", PROGRAM, url, str(tmp_path), prefix]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    taken = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(taken) == 60


def take_in_child(counters, answers):
    answers.put([counters.take([FIVE])[0] for _ in range(4)])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_counts_with_its_parent(tmp_path):
    counters = SQLiteCounters(tmp_path / "limits.sqlite3")
    assert counters.take([FIVE])[0]
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    counters._lock.acquire()  # held by a thread of the parent at the moment of the fork
    child = context.Process(target=take_in_child, args=(counters, answers))
    child.start()
    counters._lock.release()
    child.join(30)
    assert child.exitcode == 0
    assert answers.get() == [True] * 4
    assert not counters.take([FIVE])[0]


def test_the_file_is_for_its_user_only(tmp_path):
    counters = open_counters("sqlite://", folder=tmp_path / "instance", prefix="")
    counters.take([FIVE])
    file = tmp_path / "instance" / "limits.sqlite3"
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "file"),
    [
        pytest.param("sqlite:///own.db", "own.db", id="relative to the folder"),
        pytest.param("sqlite:////{folder}/deep/own.db", "deep/own.db", id="absolute"),
    ],
)
def test_the_url_names_the_file(url, file, tmp_path):
    url = url.format(folder=str(tmp_path).lstrip("/"))
    open_counters(url, folder=tmp_path, prefix="").take([FIVE])
    assert (tmp_path / file).exists()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://user:hidden@host", id="another engine"),
        pytest.param("memory", id="no URL"),
        pytest.param("sqlite://hidden", id="a file without the third slash"),
        pytest.param("redis://host:hidden/0", id="a port that is none"),
    ],
)
def test_a_url_that_names_no_place_is_refused_without_repeating_it(url):
    with pytest.raises(SettingsError) as refused:
        open_counters(url, folder=Path(), prefix="")
    assert "hidden" not in str(refused.value)


def test_without_the_extra_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(CarboyError, match=r"carboy\[redis\]"):
        open_counters("redis://127.0.0.1", folder=Path(), prefix="")


def test_a_file_that_cannot_be_used_is_a_fault(tmp_path):
    file = tmp_path / "limits.sqlite3"
    file.write_bytes(b"no database " * 100)
    counters = SQLiteCounters(file)
    with pytest.raises(counters.faults):
        counters.take([FIVE])


def test_a_step_that_fails_leaves_nothing_behind(tmp_path):
    counters = SQLiteCounters(tmp_path / "limits.sqlite3")
    with pytest.raises(sqlite3.Error):
        counters.forget([Window({}, 1, 1)])
    assert counters.take([FIVE])[1][0].taken == 1
    assert os.getpid() == counters._process


OPENING = """
import sys
from pathlib import Path
from carboy.backing.counters import Window, open_counters

counters = open_counters("sqlite://", folder=Path(sys.argv[1]), prefix="")
print("ready", flush=True)
sys.stdin.readline()
print(counters.take([Window("five", 5, 86400)])[0])
"""


@pytest.mark.parametrize("attempt", range(2))
def test_processes_that_make_the_file_at_the_same_time_all_count(attempt, tmp_path):
    command = [sys.executable, "-c", OPENING, str(tmp_path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert answers == ["True"] * 4


def test_a_file_that_stays_locked_is_given_up(tmp_path):
    file = tmp_path / "limits.sqlite3"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    counters = SQLiteCounters(file, timeout_s=0.02)
    with pytest.raises(counters.faults, match="locked"):
        counters.take([FIVE])
    other.close()
    assert counters.take([FIVE])[0]
