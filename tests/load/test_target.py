"""Where the requests go, before any is sent."""

import http.server
import socket
import threading

import pytest

from carboy.load import PlanError, target


@pytest.mark.parametrize(("given", "url"), [
    pytest.param("http://127.0.0.1:8080", True, id="URL"),
    pytest.param("HTTPS://example.com", True, id="in capitals"),
    pytest.param("shop:create_app", False, id="app"),
    pytest.param("shop", False, id="module"),
    pytest.param('shop:create_app("test")', False, id="factory with an argument"),
])  # fmt: skip
def test_a_url_is_told_from_an_app(given, url):
    assert target.is_url(given) is url


@pytest.mark.parametrize("given", ["localhost:8080", "example.com:80/shop", "[::1]:8080"])
def test_an_address_without_its_scheme_is_told_how_to_be_one(given):
    with pytest.raises(PlanError, match="Write http://"):
        target.is_url(given)


@pytest.mark.parametrize(("given", "reason"), [
    ("ftp://example.com", "is no URL"),
    ("http://", "is no URL"),
    ("http://127.0.0.1:99999", "is no URL"),
    ("http://[::1", "is no URL"),
    ("http://ada:secret@127.0.0.1", "Leave name and password out"),
    ("http://127.0.0.1/?a=b", "has a query"),
])  # fmt: skip
def test_a_url_that_cannot_be_used_is_refused(given, reason):
    with pytest.raises(PlanError, match=reason) as refused:
        target.checked(given)
    assert "secret" not in str(refused.value)


def test_a_slash_at_the_end_is_dropped():
    assert target.checked("http://127.0.0.1:8080/shop/") == "http://127.0.0.1:8080/shop"


@pytest.mark.parametrize(("url", "here"), [
    ("http://127.0.0.1", True),
    ("http://127.8.8.8:80", True),
    ("http://[::1]:8080", True),
    ("http://localhost", True),
    ("http://2130706433", True),  # 127.0.0.1 in one number
    ("http://10.0.0.1", False),
    ("http://0.0.0.0", False),
    ("http://169.254.169.254", False),
])  # fmt: skip
def test_this_machine_is_known_by_its_addresses(url, here):
    assert target.is_this_machine(url) is here


def test_an_unknown_host_is_one_clear_error():
    with pytest.raises(PlanError, match=r"'nowhere\.invalid' is not known"):
        target.is_this_machine("http://nowhere.invalid")


def test_no_proxy_stands_before_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    here = {name.lower() for name in target.environment("http://127.0.0.1")}
    there = {name.lower() for name in target.environment("http://10.0.0.1")}
    assert not here & {"http_proxy", "https_proxy"}
    assert {"http_proxy", "https_proxy"} <= there


@pytest.fixture
def peer():
    """Serve connections with a function, one after another."""
    listener = socket.create_server(("127.0.0.1", 0))

    def begin(serve):
        def loop():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    serve(connection)

        threading.Thread(target=loop, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield begin
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_any_status_is_an_answer(peer):
    url = peer(lambda it: it.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"))
    target.check_answers(url)
    assert target.status_of(url) == 503
    assert target.document_of(url) is None


@pytest.mark.parametrize("said", [b"", b"220 mail.example.com ESMTP\r\n"])
def test_what_speaks_no_http_does_not_answer(peer, said):
    url = peer(lambda it: it.sendall(said))
    with pytest.raises(PlanError, match=r"Nothing answers at .*does not speak HTTP"):
        target.check_answers(url)
    assert target.status_of(url) is None


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"\xff", b"[" * 100_000])
def test_a_document_that_is_none_is_none(body):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert target.document_of(f"http://127.0.0.1:{server.server_port}") is None
        server.shutdown()


def test_a_port_where_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(
        PlanError, match=f"Nothing answers at http://127.0.0.1:{port}: connection refused"
    ):
        target.check_answers(f"http://127.0.0.1:{port}")
