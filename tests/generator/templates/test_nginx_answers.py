"""What nginx answers itself."""

from __future__ import annotations

import gzip
import json

import pytest

ASSET = "site.0123456789abcdef.css"
CSS = b"body { color: black }\n" * 100


@pytest.mark.parametrize(
    ("path", "lifetime"),
    [
        pytest.param(ASSET, "public, max-age=31536000, immutable", id="hashed: a year"),
        pytest.param("robots.txt", "public, max-age=3600", id="plain: an hour"),
    ],
)
def test_static_files_are_sent_by_nginx(proxy, services, path, lifetime):
    folder = proxy.folder / "srv/static"
    (folder / path).write_bytes(CSS)
    (folder / f"{path}.gz").write_bytes(gzip.compress(CSS))
    plain = proxy.ask("GET", f"/static/{path}")
    assert (plain.status, plain.said) == (200, CSS)
    assert plain.getheader("Cache-Control") == lifetime
    assert plain.getheader("X-Content-Type-Options") == "nosniff"
    short = proxy.ask("GET", f"/static/{path}", Accept_Encoding="gzip")
    assert short.getheader("Content-Encoding") == "gzip"
    assert gzip.decompress(short.said) == CSS
    assert [request for service in services for request in service.asked] == []


def test_a_static_file_that_is_not_there_is_the_services_to_answer(proxy, services):
    assert json.loads(proxy.ask("GET", "/static/missing.css").said)["port"]


@pytest.mark.parametrize("path", ["/static/../secret", "/static/%2e%2e/secret", "/static../secret"])
def test_nothing_beside_the_static_files_is_sent(proxy, path):
    (proxy.folder / "srv/secret").write_bytes(b"not for you")
    assert b"not for you" not in proxy.ask("GET", path).said


def test_a_kept_file_is_sent_by_nginx_with_the_services_policy(proxy):
    (proxy.folder / "srv/instance/storage/picture").write_bytes(b"png")
    answer = proxy.ask("GET", "/file")
    assert (answer.status, answer.said) == (200, b"png")
    assert answer.getheader("Content-Security-Policy") == "sandbox"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("X-Request-ID") == proxy.logged(1)[0]["request_id"]
    part = proxy.ask("GET", "/file?token=1", Range="bytes=1-1")
    assert (part.status, part.said) == (206, b"n")
    assert [line["path"] for line in proxy.logged(2)] == ["/file", "/file"]


@pytest.mark.parametrize("path", ["/_kept/picture", "/_answers/unavailable.json", "/metrics"])
def test_what_is_for_the_inside_is_nowhere_outside(proxy, services, path):
    (proxy.folder / "srv/instance/storage/picture").write_bytes(b"png")
    assert proxy.ask("GET", path).status == 404
    assert [request for service in services for request in service.asked] == []


def test_json_keeps_its_entity_tag_and_text_is_compressed(proxy):
    headers = {"Accept_Encoding": "gzip", "X_Padding": "x" * 2000}
    assert proxy.ask("GET", "/", **headers).getheader("Content-Encoding") is None
    assert proxy.ask("GET", "/text", **headers).getheader("Content-Encoding") == "gzip"


def test_in_maintenance_people_get_a_page_and_programs_the_services_answer(proxy, services):
    (proxy.folder / "srv/instance/maintenance.json").write_text("{}")
    page = proxy.ask("GET", "/", Accept="text/html,*/*")
    assert (page.status, page.getheader("Content-Type")) == (503, "text/html")
    assert page.getheader("Retry-After") == "60"
    assert b"Demo shop is closed for a moment" in page.said
    assert [request for service in services for request in service.asked] == []
    assert proxy.ask("GET", "/", Accept="application/json").status == 200
    assert proxy.ask("GET", "/health/ready", Accept="text/html").status == 200
