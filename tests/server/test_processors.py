import os

import pytest

from carboy.server.processors import usable_processors

_ALLOWED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("own", "files", "quota"),
    [
        pytest.param("", {}, None, id="without control groups: as many as allowed"),
        pytest.param("0::/", {"cpu.max": "max 100000"}, None, id="version 2 without a quota"),
        pytest.param("0::/", {"cpu.max": "50000 100000"}, 1, id="half a processor is one worker"),
        pytest.param("0::/", {"cpu.max": "150000 100000"}, 2, id="one and a half are two"),
        pytest.param(
            "0::/a/b", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "max 100000"}, 1,
            id="the quota of a parent counts",
        ),
        pytest.param(
            "4:cpu,cpuacct:/",
            {"cpu,cpuacct/cpu.cfs_quota_us": "99999\n", "cpu,cpuacct/cpu.cfs_period_us": "99999\n"},
            1,
            id="version 1",
        ),
        pytest.param(
            "4:cpu:/\n3:memory:/x",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            None,
            id="version 1 without a quota",
        ),
    ],
)  # fmt: skip
def test_the_quota_of_the_container_limits_the_count(tmp_path, own, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "own").write_text(own)
    counted = usable_processors(tmp_path, tmp_path / "own")
    assert counted == min(_ALLOWED, quota or _ALLOWED)


def test_there_is_always_one():
    assert usable_processors() >= 1
