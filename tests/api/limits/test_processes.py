"""Two server processes let through what one would."""

import http.client
import os
import re
import signal
import subprocess
import sys
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from carboy.settings import Settings

DEADLINE_S = 60
LIMIT = 40
APP = f"""
import os
from flask import Flask
from carboy import Carboy, limit

app = Flask("limits-{uuid.uuid4().hex}")
Carboy(app)

@app.get("/")
@limit("{LIMIT}/day", when_down="refuse")
def view():
    return {{"pid": os.getpid()}}
"""


@pytest.fixture(params=["sqlite", "redis"])
def storage(request):
    if request.param == "sqlite":
        yield ""
        return
    url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
    with redis.Redis.from_url(url, socket_connect_timeout=1) as server:
        try:
            server.ping()
        except redis.RedisError as error:
            if "REDIS_URL" in os.environ:
                raise
            pytest.skip(f"no Redis: set REDIS_URL ({error})")
        yield url
        name = re.search(r'Flask\("(.+)"\)', APP)[1]
        server.delete(*server.scan_iter(f"carboy:{name}:*"))


@pytest.fixture
def ports(tmp_path, storage):
    (tmp_path / "wsgi.py").write_text(APP)
    declared = {each for name in Settings.declarations() for each in (name, f"{name}_FILE")}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in (*declared, "PORT")},
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": "0",
        "WEB_CONCURRENCY": "1",
        "REDIS_URL": storage,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = tmp_path / "stderr.txt"
    with log.open("w") as stderr:
        servers = [
            subprocess.Popen(
                [sys.executable, "-m", "carboy", "run"],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
            for _ in range(2)
        ]
    lines = [server.stdout.readline().strip() for server in servers]
    yield [int(line.rpartition(":")[2]) for line in lines if line] or pytest.fail(log.read_text())
    for server in servers:
        server.send_signal(signal.SIGINT)
        server.wait(DEADLINE_S)
        server.stdout.close()


def test_parallel_requests_to_two_processes_get_exactly_the_limit(ports):
    def ask(number):
        connection = http.client.HTTPConnection("127.0.0.1", ports[number % 2], timeout=DEADLINE_S)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(LIMIT * 3)))
    assert Counter(status for status, _ in answers) == {200: LIMIT, 429: LIMIT * 2}
    assert len({body for status, body in answers if status == 200}) == 2, "both took part"
