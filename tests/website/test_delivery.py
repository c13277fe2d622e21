"""What a browser gets for the address of an asset."""

from __future__ import annotations

import gzip

import pytest


@pytest.fixture
def served(website):
    website.write(
        assets__logo_svg=website.square,
        assets__photo_webp=b"RIFF",
        assets__font_woff2=b"wOF2",
        assets__site_js="const a = 1;\n" * 40,
    )
    assert website.build().exit_code == 0
    website.write(static__own_txt="mine")
    return website.app(website.production)


def test_it_is_kept_for_a_year(website, served):
    answer = served.test_client().get(website.url(served), buffered=True)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("site.css", "text/css; charset=utf-8"),
        ("site.js", "text/javascript; charset=utf-8"),
        ("logo.svg", "image/svg+xml; charset=utf-8"),
        ("photo.webp", "image/webp"),
        ("font.woff2", "font/woff2"),
    ],
)
def test_it_has_its_type(website, served, name, kind):
    answer = served.test_client().get(website.url(served, name), buffered=True)
    assert answer.content_type == kind


@pytest.mark.parametrize("accept", ["gzip", "br, gzip;q=0.5", "*"])
def test_it_is_compressed_for_who_can_read_that(website, served, accept):
    url = website.url(served)
    plain = served.test_client().get(url, buffered=True)
    answer = served.test_client().get(url, headers={"Accept-Encoding": accept}, buffered=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["ETag"] != plain.headers["ETag"]
    assert answer.content_type == plain.content_type
    assert int(answer.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert gzip.decompress(answer.data) == plain.data


@pytest.mark.parametrize("accept", [None, "br", "gzip;q=0", "identity"])
def test_it_is_plain_for_who_cannot(website, served, accept):
    headers = {} if accept is None else {"Accept-Encoding": accept}
    answer = served.test_client().get(website.url(served), headers=headers, buffered=True)
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_pictures_that_are_compressed_already_stay_as_they_are(website, served):
    url = website.url(served, "photo.webp")
    answer = served.test_client().get(url, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert answer.data == b"RIFF"
    assert "Vary" not in answer.headers


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_a_browser_has_is_not_sent_again(website, served, encoding):
    client, url = served.test_client(), website.url(served)
    tag = client.get(url, headers={"Accept-Encoding": encoding}, buffered=True).headers["ETag"]
    answer = client.get(
        url, headers={"Accept-Encoding": encoding, "If-None-Match": tag}, buffered=True
    )
    assert answer.status_code == 304
    assert answer.data == b""
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_part_can_be_asked_for(website, served):
    answer = served.test_client().get(
        website.url(served), headers={"Range": "bytes=0-3"}, buffered=True
    )
    assert (answer.status_code, answer.data) == (206, b"body")


def test_other_files_in_the_static_folder_are_not_kept(served):
    answer = served.test_client().get("/static/own.txt", buffered=True)
    assert (answer.status_code, answer.text) == (200, "mine")
    assert "max-age" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["site.css", "site.0123456789abcdef.css", "../wsgi.py"])
def test_what_was_not_built_is_not_there(served, path):
    assert served.test_client().get(f"/static/{path}", buffered=True).status_code == 404
