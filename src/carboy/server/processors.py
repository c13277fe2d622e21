"""How many processors this process may really use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_processors(cgroups: Path = _CGROUPS, own_cgroup: Path = _OWN_CGROUP) -> int:
    """Count the processors that the affinity mask and the container's quota leave; at least 1.

    A container limited to half a processor on a machine with 64 sees 64 of them; workers
    for each would only wait for one another.

    :param cgroups: where the control groups are mounted.
    :param own_cgroup: the file that names this process's group.

    Source: Linux, "Control Group v2", ``cpu.max``; "CFS Bandwidth Control", ``cpu.cfs_quota_us``.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    quotas = _quotas(cgroups, own_cgroup)
    return max(1, min([allowed, *(math.ceil(quota) for quota in quotas)]))


def _quotas(cgroups: Path, own_cgroup: Path) -> Iterator[float]:
    """Every limit on the way from the process's group to the root, in processors."""
    for line in _text(own_cgroup).splitlines():
        _, controllers, group = line.split(":", 2)
        if not controllers:
            yield from filter(None, (_v2(folder) for folder in _upwards(cgroups, group)))
        elif "cpu" in controllers.split(","):
            mounts = (cgroups / controllers, cgroups / "cpu")
            mount = next((path for path in mounts if path.is_dir()), cgroups)
            yield from filter(None, (_v1(folder) for folder in _upwards(mount, group)))


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    folder = mount / group.lstrip("/")
    yield folder
    while folder != mount and mount in folder.parents:
        folder = folder.parent
        yield folder


def _v2(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() else None


def _v1(folder: Path) -> float | None:
    quota = _text(folder / "cpu.cfs_quota_us").strip()
    period = _text(folder / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
