import re
from html.parser import HTMLParser

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from carboy.api.openapi import serve


class Page(HTMLParser):
    """What a browser would load, and what a strict policy would refuse."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.inline, self.data = [], [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in {"script", "img", "link"}:
            self.loaded.append(given.get("src") or given.get("href"))
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.data |= {name: value for name, value in given.items() if name.startswith("data-")}


@pytest.fixture
def app():
    made = Flask("shop")
    serve(made)

    @made.after_request
    def tell_policy(response):
        response.headers["X-Policy"] = request.environ.get("carboy.policy", "api")
        return response

    return made


@pytest.fixture
def client(app):
    """A client that reads a file to its end and closes it."""

    class Client(FlaskClient):
        def open(self, *args, **kwargs):
            return super().open(*args, buffered=True, **kwargs)

    app.test_client_class = Client
    return app.test_client()


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_page_declares_itself_one(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert answer.headers["X-Policy"] == "page"
    assert "<title>shop</title>" in answer.text


def test_the_title_is_escaped(app, client):
    app.config["API_TITLE"] = "<script>"
    assert "<title>&lt;script&gt;</title>" in client.get("/docs").text


def test_everything_the_page_loads_comes_from_the_app(client):
    page = Page(client.get("/docs").text)
    assert len(page.loaded) == 5
    for address in page.loaded:
        assert address.startswith("/docs/assets/")
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get(page.data["data-document"]).json["openapi"] == "3.1.0"


def test_nothing_on_the_page_is_inline(client):
    assert Page(client.get("/docs").text).inline == []


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(".js", "text/javascript"), (".css", "text/css"), (".png", "image/png")],
)
def test_assets_have_the_right_content_type(client, ending, kind):
    found = [one for one in Page(client.get("/docs").text).loaded if one.endswith(ending)]
    assert found
    assert {client.get(one).mimetype for one in found} == {kind}


def test_styles_load_nothing_from_elsewhere(client):
    for address in Page(client.get("/docs").text).loaded:
        if address.endswith(".css"):
            text = client.get(address).text
            assert "@import" not in text
            assert not re.search(r"""url\(\s*(?!["']?data:)""", text)


def test_the_validator_badge_is_off(client):
    (address,) = [one for one in Page(client.get("/docs").text).loaded if one.endswith("docs.js")]
    script = client.get(address).text
    assert "validatorUrl: null" in script
    assert "http" not in script


@pytest.mark.parametrize(
    "name", ["index.html", "../docs_page.py", "templates/carboy/docs.html", "%2e%2e/docs_page.py"]
)
def test_other_files_are_not_served(client, name):
    assert client.get(f"/docs/assets/1/{name}").status_code == 404


def test_addresses_follow_the_mount_point(client):
    page = Page(client.get("/docs", base_url="http://localhost/shop").text)
    assert all(one.startswith("/shop/docs/assets/") for one in page.loaded)
    assert page.data["data-document"] == "/shop/openapi.json"
