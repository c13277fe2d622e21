"""What reaches the service, and what becomes of a request that cannot."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
import time

import pytest

SOON_S = 10


@pytest.mark.parametrize("server", ["http", "tls"])
def test_nginx_takes_the_configuration(prepare, nginx, certificate, server):
    configuration, *_ = prepare(server, [9])
    tested = subprocess.run(
        [nginx, "-t", "-c", str(configuration)], capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr


def test_what_a_client_claims_of_itself_is_overwritten_or_dropped(proxy):
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Prefix": "/evil",
        "X-Real-IP": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
    }
    sent = proxy.sent(**forged)
    told = {name: sent[name] for name in forged if name in sent}
    assert told == {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}
    assert sent["Host"] == f"127.0.0.1:{proxy.port}"
    assert "Connection" not in sent


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("from-the-caller.1", True, id="well-formed: the caller's"),
        pytest.param("two words", False, id="malformed: a new one"),
        pytest.param("x" * 129, False, id="too long: a new one"),
        pytest.param("", False, id="none: a new one"),
    ],
)
def test_a_request_id_reaches_service_and_log(proxy, given, kept):
    sent = proxy.sent(X_Request_ID=given)["X-Request-ID"]
    assert sent == given if kept else re.fullmatch("[0-9a-f]{32}", sent)
    assert proxy.logged(1)[0]["request_id"] == sent


def test_the_service_learns_when_a_request_came(proxy):
    came = float(proxy.sent()["X-Request-Start"].removeprefix("t="))
    assert abs(came - time.time()) < SOON_S


@pytest.mark.parametrize(
    ("method", "repeated"), [("GET", True), ("PUT", True), ("POST", False), ("PATCH", False)]
)
def test_only_what_may_be_repeated_is_sent_to_the_next_replica(proxy, services, method, repeated):
    answer = proxy.ask(method, "/break-off", b"{}" if method != "GET" else None)
    asked = [request for service in services for request in service.asked]
    assert answer.status == 503
    assert json.loads(answer.said)["code"] == "unavailable"
    assert asked == [f"{method} /break-off"] * (2 if repeated else 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_no_replica_got_goes_to_the_next_one(proxy, services, method):
    services[0].end()
    answers = [proxy.ask(method, "/", b"{}" if method == "POST" else None) for _ in range(6)]
    assert {answer.status for answer in answers} == {200}
    assert len(services[1].asked) == 6


def test_replicas_take_turns_over_kept_connections(proxy, services):
    for _ in range(10):
        proxy.sent()
    assert [len(service.asked) for service in services] == [5, 5]


def test_a_refusal_of_the_service_is_passed_on_as_it_is(proxy, services):
    answer = proxy.ask("GET", "/busy")
    assert (answer.status, answer.getheader("Retry-After")) == (503, None)
    assert "port" in json.loads(answer.said)
    assert sum(len(service.asked) for service in services) == 1


@pytest.mark.parametrize(("size", "status"), [(16 * 2**20, 200), (16 * 2**20 + 1, 413)])
def test_bodies_are_bounded_as_the_service_bounds_them(proxy, size, status):
    answer = proxy.ask("POST", "/", bytes(size))
    assert answer.status == status
    said = json.loads(answer.said)
    assert said["length"] == size if status == 200 else said["code"] == "content_too_large"


def test_a_body_is_collected_before_the_service_hears_of_it(proxy, services):
    head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxy.port)) as slow:
        slow.sendall(f"{head}half".encode())
        assert proxy.ask("GET", "/").status == 200
        assert [request for service in services for request in service.asked] == ["GET /"]
        slow.sendall(b"whole")
        assert slow.recv(12) == b"HTTP/1.1 200"


def test_over_tls_the_service_is_told_so(tls_proxy, certificate):
    trust = ssl.create_default_context(cafile=certificate)
    connection = http.client.HTTPSConnection("localhost", tls_proxy.tls_port, context=trust)
    try:
        connection.request("GET", "/", headers={"X-Forwarded-Proto": "http"})
        sent = dict(json.loads(connection.getresponse().read())["headers"])
    finally:
        connection.close()
    assert sent["X-Forwarded-Proto"] == "https"
    assert sent["X-Forwarded-For"] == "127.0.0.1"


def test_plain_http_is_sent_to_tls_but_for_challenges(tls_proxy, services):
    answer = tls_proxy.ask("POST", "/orders?page=2", b"{}", Host="shop.example.com")
    assert answer.status == 308
    assert answer.getheader("Location") == "https://shop.example.com/orders?page=2"
    challenges = tls_proxy.folder / "srv/acme/.well-known/acme-challenge"
    challenges.mkdir(parents=True)
    (challenges / "token").write_bytes(b"proof")
    assert tls_proxy.ask("GET", "/.well-known/acme-challenge/token").said == b"proof"
    assert [request for service in services for request in service.asked] == []
