"""The running stack, asked over HTTP through nginx."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
import uuid

import pytest

pytestmark = pytest.mark.e2e

BODY_MAX = 16 * 1024 * 1024
SERVICES = ("nginx", "web", "postgres", "redis")
PAGE = {"Accept": "text/html"}


def test_routes_are_served(stack):
    assert stack.request("GET", "/").getheader("Content-Type").startswith("text/html")
    assert stack.request("GET", "/health").said == b"OK"
    assert stack.request("GET", "/health/ready").status == 200
    assert stack.request("GET", "/openapi.json").status == 200
    greeting = stack.request("POST", "/api/v1/custom", {"name": "Ann"})
    assert (greeting.status, json.loads(greeting.said)["data"]) == (200, {"message": "Hello, Ann!"})
    missing = stack.request("GET", "/api/v1/nowhere")
    assert (missing.status, json.loads(missing.said)["code"]) == (404, "not_found")


def test_what_is_written_is_in_postgresql(stack):
    name = f"e2e-{uuid.uuid4().hex[:12]}"
    form = {"username": name, "email": f"{name}@example.com", "password": "correct horse battery"}
    assert stack.request("POST", "/api/v1/users", form).status == 201
    assert stack.sql(f"SELECT count(*) FROM users WHERE username = '{name}'") == "1"


def test_both_replicas_are_used_and_count_together(stack):
    answers = [stack.request("GET", "/api/v1/custom", X_Request_ID=f"r{n}") for n in range(20)]
    ids = {answer.getheader("X-Request-ID") for answer in answers}
    assert ids == {f"r{n}" for n in range(20)}
    asked = [line for line in stack.logged("nginx") if line["request_id"] in ids]
    assert len({line["upstream"] for line in asked}) == 2
    left = [int(answer.getheader("RateLimit-Remaining")) for answer in answers]
    assert left == list(range(left[0], left[0] - 20, -1))


def test_only_nginx_can_be_reached_from_outside(stack):
    published = {}
    for service in SERVICES:
        for container in stack.containers(service):
            ports = stack.inspect(container)["NetworkSettings"]["Ports"]
            published |= {(service, port): at for port, at in ports.items() if at}
    assert published == {
        ("nginx", "8080/tcp"): [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_confined(stack, service):
    for container in stack.containers(service):
        found = stack.inspect(container)
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["Memory"] > 0 < host["NanoCpus"]
        assert host["PidsLimit"] > 0
        assert found["Config"]["User"] != "" or service == "postgres"


def test_a_web_process_is_nobody_and_can_write_nowhere_else(stack):
    script = (
        "id -u; grep -E '^(CapEff|NoNewPrivs)' /proc/1/status; "
        "for at in / /app /venv /etc /tmp /app/instance; "
        "do touch $at/x 2>/dev/null && echo $at; done"
    )
    said = stack.compose("exec", "-T", "web", "sh", "-c", script, status=None).split()
    assert said == [
        "10001", "CapEff:", "0000000000000000", "NoNewPrivs:", "1", "/tmp", "/app/instance",
    ]  # fmt: skip


def test_a_forged_forwarded_address_is_ignored(stack):
    identity = uuid.uuid4().hex
    headers = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-Forwarded-Host": "evil.example",
        "X-Request-ID": identity,
    }
    answer = stack.request("GET", "/api/v1/custom", **headers)
    assert answer.status == 200
    (seen,) = [line for line in stack.logged("nginx") if line.get("request_id") == identity]
    (told,) = [line for line in stack.logged("web") if line.get("request_id") == identity]
    assert told["client"] == seen["client"] != "6.6.6.6"


def test_a_body_at_the_limit_reaches_the_service_and_a_larger_one_does_not(stack):
    headers = {"Content-Type": "application/octet-stream"}
    taken = stack.request("POST", "/api/v1/custom", bytes(BODY_MAX), **headers)
    assert taken.getheader("X-Request-ID")
    refused = stack.request("POST", "/api/v1/custom", bytes(BODY_MAX + 1), **headers)
    assert (refused.status, refused.getheader("X-Request-ID")) == (413, None)
    assert json.loads(refused.said)["code"] == "content_too_large"


@pytest.mark.parametrize("path", ["/", "/api/v1/custom", "/api/v1/nowhere", "/health"])
def test_no_header_is_doubled(stack, path):
    names = [name.lower() for name, _ in stack.request("GET", path).getheaders()]
    assert sorted(set(names)) == sorted(names)
    assert "x-content-type-options" in names


def test_the_server_does_not_tell_its_version(stack):
    assert stack.request("GET", "/").getheader("Server") == "nginx"


def test_metrics_are_for_the_inside(stack):
    refused = stack.request("GET", "/metrics")
    assert (refused.status, json.loads(refused.said)["code"]) == (404, "not_found")
    script = (
        "import urllib.request as r; token = open('/run/secrets/metrics_token').read(); "
        "print(r.urlopen(r.Request('http://127.0.0.1:8080/metrics', "
        "headers={'Authorization': f'Bearer {token}'})).read().decode())"
    )
    assert "http_requests_total" in stack.compose("exec", "-T", "web", "python", "-c", script)


def test_assets_are_sent_by_nginx_for_a_year(stack):
    page = stack.request("GET", "/").said.decode()
    (path,) = set(re.findall(r'"(/static/[^"]+\.css)"', page))
    plain = stack.request("GET", path)
    assert plain.getheader("Cache-Control") == "public, max-age=31536000, immutable"
    assert plain.getheader("X-Content-Type-Options") == "nosniff"
    assert plain.getheader("X-Request-ID") is None  # the service was not asked
    assert plain.getheader("Content-Encoding") is None
    short = stack.request("GET", path, Accept_Encoding="gzip")
    assert short.getheader("Content-Encoding") == "gzip"
    assert gzip.decompress(short.said) == plain.said
    missing = stack.request("GET", "/static/missing.css")
    assert (missing.status, missing.getheader("Cache-Control")) == (404, "no-store")


def test_slow_clients_keep_nobody_out(stack):
    slow = [socket.create_connection(("127.0.0.1", stack.port)) for _ in range(100)]
    try:
        for client in slow:
            client.sendall(
                b"POST /api/v1/custom HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
            )
        begun = time.monotonic()
        for _ in range(20):
            assert stack.request("GET", "/api/v1/custom").status == 200
        assert time.monotonic() - begun < 5  # the slow ones are given ten
    finally:
        for client in slow:
            client.close()


def test_maintenance_shows_people_a_page_and_tells_programs_in_json(stack):
    switch = ("exec", "-T", "web", "carboy", "maintenance")
    stack.compose(*switch, "on", "--message", "Back at nine.")
    try:
        until = time.monotonic() + 5
        while (answer := stack.request("GET", "/api/v1/custom")).status == 200:
            assert time.monotonic() < until
        assert (answer.status, json.loads(answer.said)["message"]) == (503, "Back at nine.")
        page = stack.request("GET", "/", **PAGE)
        assert (page.status, page.getheader("Retry-After")) == (503, "60")
        assert page.getheader("Content-Type") == "text/html"
        assert b"closed for a moment" in page.said
        assert stack.request("GET", "/health/live", **PAGE).status == 200
    finally:
        stack.compose(*switch, "off")


def test_without_any_replica_nginx_says_so(stack):
    stack.compose("kill", "web")
    try:
        answer = stack.request("POST", "/api/v1/custom", {"name": "Ann"})
        assert (answer.status, json.loads(answer.said)["code"]) == (503, "unavailable")
        assert answer.getheader("Retry-After") == "60"
        page = stack.request("GET", "/", **PAGE)
        assert (page.status, page.getheader("Content-Type")) == (503, "text/html")
    finally:
        stack.start()
    assert stack.request("POST", "/api/v1/custom", {"name": "Ann"}).status == 200


def test_tls_is_one_file_more(stack):
    files = ("--file", "compose.yaml", "--file", "compose.tls.yaml")
    subject = ("-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")
    secrets = stack.folder / "deploy/secrets"
    certificate, key = secrets / "tls_certificate", secrets / "tls_key"
    stack.run("openssl", "req", "-x509", *subject, "-keyout", str(key), "-out", str(certificate))
    certificate.chmod(0o444)
    key.chmod(0o444)
    test = ("run", "--rm", "--no-deps", "-T", "nginx")
    command = ("nginx", "-t", "-c", "/etc/nginx/site/nginx.conf")
    assert "test is successful" in stack.compose(*files, *test, *command)
