import json
import socket

import pytest


@pytest.mark.parametrize(("head", "status", "code"), [
    pytest.param(b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414, "uri_too_long", id="the address"),
    pytest.param(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 9000, 431,
                 "request_header_fields_too_large", id="a header"),
])  # fmt: skip
def test_a_head_that_is_too_long_is_refused_in_the_envelope(serve, head, status, code):
    server = serve()
    with socket.create_connection((server.host, server.port), timeout=20) as client:
        client.sendall(head + b"\r\nHost: localhost\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(65536), b""))
    top, _, body = received.partition(b"\r\n\r\n")
    assert top.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nx-request-id: " in top.lower()
    assert json.loads(body)["code"] == code
