"""The generated nginx configuration in a real nginx, between callers and services of this test.

The service is written down by hand: it notes what nginx sends, and misbehaves when it is asked to.
Only what belongs to the container is replaced: addresses, folders, and Docker's name server. What
an older nginx does not know is left out there; the tests in containers (`make e2e`) hold it whole.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from carboy.generator import render

NGINX = shutil.which("nginx") or next(iter(Path("/usr/sbin").glob("nginx")), None)

TRIES_S = 10
# What came with which version of nginx, and what stands there before.
LATER = {
    (1, 27, 3): (r" resolve\b", ""),
    (1, 27, 4): (r"keepalive_min_timeout [^;]+;", ""),
    (1, 25, 1): (r"http2 on;", ""),
    (1, 29, 3): (re.escape("$host$is_request_port$request_port"), "$http_host"),
}


class Service(ThreadingHTTPServer):
    """A replica: answers what it was sent, or breaks off."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        received = self.rfile.read(length)
        self.server.asked.append(f"{self.command} {self.path}")
        if self.path.startswith("/break-off"):
            self.close_connection = True
            return
        body = json.dumps(
            {"headers": self.headers.items(), "length": len(received), "port": self.server.port}
        ).encode()
        self.send_response(503 if self.path == "/busy" else 200)
        if self.path.startswith("/file"):
            self.send_header("X-Accel-Redirect", "/_kept/picture")
            self.send_header("Content-Security-Policy", "sandbox")
            self.send_header("ETag", '"1"')
            body = b""
        self.send_header(
            "Content-Type", "text/plain" if self.path == "/text" else "application/json"
        )
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - names of the standard library

    def log_message(self, *_arguments: object) -> None:
        pass


class Proxy:
    """The nginx under test.

    :param folder: where its files are.
    :param port: where it listens.
    :param tls_port: where it speaks TLS, if it does.
    """

    def __init__(self, folder: Path, port: int, tls_port: int) -> None:
        self.folder = folder
        self.port = port
        self.tls_port = tls_port

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            answer.said = answer.read()
        finally:
            connection.close()
        return answer

    def sent(self, path: str = "/", **headers: str) -> dict[str, str]:
        """Give the headers that reach the service."""
        return dict(json.loads(self.ask("GET", path, **headers).said)["headers"])

    def logged(self, number: int) -> list[dict[str, object]]:
        until = time.monotonic() + TRIES_S
        while len(lines := (self.folder / "log").read_text().splitlines()) < number:
            assert time.monotonic() < until, lines
            time.sleep(0.01)
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """Generate the configuration of a project with a website."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("project")
    answers = {"name": "demo-shop", "starter": "page", "database": "postgresql"}
    render(folder, {**answers, "deploy": ["compose"]})
    return folder / "deploy/nginx"


@pytest.fixture
def nginx() -> str:
    """Give the path of the program."""
    return str(NGINX)


@pytest.fixture
def services() -> Iterator[list[Service]]:
    both = [Service(), Service()]
    yield both
    for service in both:
        service.end()


@pytest.fixture
def prepare(site, tmp_path) -> Callable[..., tuple[Path, int, int]]:
    """Give the main file of the configuration as it can be used here, and its two ports."""
    return partial(_prepared, site, tmp_path)


@pytest.fixture
def certificate(tmp_path) -> Path:
    """Make one that signs itself, where the configuration looks for it."""
    made, key = tmp_path / "tls_certificate", tmp_path / "tls_key"
    subject = ("-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=DNS:localhost")
    command = ["openssl", "req", "-x509", *subject, *names, "-keyout", key, "-out", made]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture
def proxy(services, prepare, tmp_path) -> Iterator[Proxy]:
    """Run nginx in front of two services."""
    yield from _running(tmp_path, *prepare("http", [service.port for service in services]))


@pytest.fixture
def tls_proxy(services, prepare, certificate, tmp_path) -> Iterator[Proxy]:
    """Run nginx with TLS in front of two services."""
    yield from _running(tmp_path, *prepare("tls", [service.port for service in services]))


def _running(folder: Path, configuration: Path, port: int, tls_port: int) -> Iterator[Proxy]:
    command = [str(NGINX), "-c", str(configuration), "-g", "daemon off;"]
    with (folder / "errors").open("w") as errors:
        nginx = subprocess.Popen(command, stderr=errors)
    try:
        until = time.monotonic() + TRIES_S
        while not _listens(port):
            assert nginx.poll() is None, (folder / "errors").read_text()
            assert time.monotonic() < until
            time.sleep(0.01)
        yield Proxy(folder, port, tls_port)
    finally:
        nginx.terminate()
        nginx.wait(TRIES_S)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def _prepared(
    original: Path, scratch: Path, server: str, replicas: list[int]
) -> tuple[Path, int, int]:
    """Copy the configuration, with this machine's addresses and folders; give its main file."""
    site = scratch / "site"
    shutil.copytree(original, site)
    (scratch / "srv/static").mkdir(parents=True)
    (scratch / "srv/instance/storage").mkdir(parents=True)
    (scratch / "body").mkdir()
    port, second, health = _free_ports(3)
    version = tuple(map(int, re.search(r"nginx/([\d.]+)", _version())[1].split(".")))
    replaced = {
        r"(?<= )/tmp/": f"{scratch}/",
        re.escape("/etc/nginx/site/"): f"{site}/",
        re.escape("/etc/nginx/server/"): f"{site}/{server}/",
        "/srv/": f"{scratch}/srv/",
        "/dev/stdout": f"{scratch}/log",
        r"error_log stderr": f"error_log {scratch}/error.log",
        r"listen 8080\b": f"listen 127.0.0.1:{port}",
        r"listen 8443\b": f"listen 127.0.0.1:{second}",
        r"127\.0\.0\.1:8081": f"127.0.0.1:{health}",
        r"/run/secrets/": f"{scratch}/",
        r"resolver 127[^;]*;": "",
        r"server web:8080( resolve)? ([^;]*);": "".join(
            rf"server 127.0.0.1:{replica} \2;" for replica in replicas
        ),
        **dict(pair for needed, pair in LATER.items() if version < needed),
    }
    for file in site.rglob("*.conf"):
        text = file.read_text()
        for pattern, replacement in replaced.items():
            text = re.sub(pattern, replacement, text)
        file.write_text(text)
    if os.geteuid() == 0:  # its workers would be nobody, who cannot read here
        main = site / "nginx.conf"
        main.write_text(f"user root;\n{main.read_text()}")
    return site / "nginx.conf", port, second


def _version() -> str:
    return subprocess.run([str(NGINX), "-v"], capture_output=True, text=True, check=True).stderr


def _free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
