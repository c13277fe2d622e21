"""A service in its processes."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from peers.database import Database
from peers.roster import THREADS, Peer
from peers.scenarios import HOST, ORIGIN

START_S = 60
STOP_S = 15
SETTLE_S = 5
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_FOLDER = Path(__file__).parents[1]


class ServiceError(Exception):
    """A service does not start, or answers what it must not."""


class Service:
    """A peer's service, started on entering and stopped on leaving.

    :param folder: where its output goes: errors and, if it writes one, the access log.
    """

    def __init__(self, peer: Peer, database: Database, folder: Path) -> None:
        self.peer = peer
        self._log = folder / f"{peer.name}-{database.kind}.log"
        self._environment = _environment(database, folder)

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        with self._log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - what the roster says
                self.peer.command(self.port),
                cwd=_FOLDER,
                env={**self._environment, "HTTP_PORT": str(self.port), **dict(self.peer.settings)},
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self.alive():
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def cpu_s(self) -> float:
        """Say how many seconds of a processor its processes have used."""
        return sum(_used(pid) for pid in _tree(self._process.pid))

    def settle(self) -> None:
        """Wait until it has done with requests whose answers nobody waits for any more."""
        deadline, used = time.monotonic() + SETTLE_S, -1.0
        while time.monotonic() < deadline and used != (used := self.cpu_s()):
            time.sleep(0.05)

    def alive(self) -> bool:
        """Say whether it still runs."""
        return self._process.poll() is None

    def complaint(self) -> str:
        """Give the end of what it wrote to its log."""
        return self._log.read_text(errors="replace")[-2000:]

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.alive():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/json", headers={"Host": HOST, "Origin": ORIGIN})
                if connection.getresponse().status == http.client.OK:
                    return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        raise ServiceError(f"{self.peer.title} does not start.\n{self.complaint()}")


def _environment(database: Database, folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(_FOLDER),
        "DATABASE_URL": database.url,
        "THREADS": str(THREADS),
        # Carboy's: all that a service in production has.
        "APP_ENV": "Production",
        "HTTP_HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
        "GUNICORN_THREADS": str(THREADS),
        "SECRET_KEY": "benchmark-only-5f1c0b7e9a3d4c68b2",
        "TRUSTED_HOSTS": HOST,
        "CORS_ORIGINS": ORIGIN,
        "METRICS_TOKEN": "benchmark-only-8d2e6a1f4b7c9035aa",
        "DATABASE_POOL_SIZE": str(THREADS),
        "DATABASE_UPGRADE": "false",
        "INSTANCE_PATH": str(folder),
        "RATE_LIMIT": "",
    }


def _tree(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # gone meanwhile
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, left = [], [root]
    while left:
        found.append(left.pop())
        left += parents.get(found[-1], [])
    return found


def _used(pid: int) -> float:
    """Add up what a process and its children that are gone have used; proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) * _TICK_S
