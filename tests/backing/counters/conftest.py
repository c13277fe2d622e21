"""The three places for counters, each with a clock or a server of its own."""

import os
import shutil
import subprocess
import time
import uuid
from contextlib import suppress

import pytest
import redis

from carboy.backing.counters.memory import MemoryCounters
from carboy.backing.counters.redis import RedisCounters
from carboy.backing.counters.sqlite import SQLiteCounters

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def redis_server():
    """A prefix of its own on the server, whose keys are gone afterwards."""
    server = redis.Redis.from_url(URL, socket_connect_timeout=1)
    try:
        server.ping()
    except redis.RedisError as error:
        server.close()
        if "REDIS_URL" in os.environ:
            raise
        pytest.skip(f"no Redis: set REDIS_URL ({error})")
    prefix = f"test:{uuid.uuid4().hex}:"
    yield URL, prefix
    keys = list(server.scan_iter(f"{prefix}*"))
    if keys:
        server.delete(*keys)
    server.close()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def counters(request, tmp_path):
    if request.param == "memory":
        return MemoryCounters()
    if request.param == "sqlite":
        return SQLiteCounters(tmp_path / "counters" / "limits.sqlite3")
    url, prefix = request.getfixturevalue("redis_server")
    return RedisCounters(url, prefix=prefix)


@pytest.fixture(params=["memory", "sqlite"])
def timed(request, tmp_path, clock):
    """Counters whose clock the test turns; that of Redis is the server's."""
    if request.param == "memory":
        return MemoryCounters(clock)
    return SQLiteCounters(tmp_path / "limits.sqlite3", clock=clock)


class OwnServer:
    """A Redis that the test may end and start again."""

    def __init__(self, folder):
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", ""],
            cwd=self.socket.parent,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        with redis.Redis.from_url(self.url) as server:
            while time.monotonic() < deadline:
                with suppress(redis.ConnectionError):
                    return server.ping()
                time.sleep(0.01)
        pytest.fail("redis-server did not start")

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@pytest.fixture
def own_redis(tmp_path_factory):
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server to end and start again")
    server = OwnServer(tmp_path_factory.mktemp("r"))
    server.start()
    yield server
    server.end()
