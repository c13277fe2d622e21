"""Pages for browsers: what is on them, what they load, and how errors look."""

import re

import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = ["/", "/about"]


def loaded(html):
    """Addresses of everything that a browser loads for a page."""
    return re.findall(r'<(?:link|script|img)\b[^>]*?(?:href|src)="([^"]+)"', html)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole(client, path):
    answer = client.get(path, headers=BROWSER)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text.count("<h1>") == 1
    assert answer.text.rstrip().endswith("</html>")


@pytest.mark.parametrize("path", PAGES)
def test_the_navigation_says_where_one_is(client, path):
    current = re.findall(r'href="([^"]+)" aria-current="page"', client.get(path).text)
    assert current == [path]


def test_every_link_of_the_navigation_leads_somewhere(client):
    navigation = client.get("/").text.split("<nav")[1].split("</nav>")[0]
    links = re.findall(r'href="([^"]+)"', navigation)
    assert {link: client.get(link, headers=BROWSER).status for link in links} == dict.fromkeys(
        links, 200
    )


@pytest.mark.parametrize("path", PAGES)
def test_everything_that_a_page_loads_is_there_and_is_kept_for_a_year(client, path):
    addresses = loaded(client.get(path).text)
    assert len(addresses) >= 4
    for address in addresses:
        answer = client.get(address)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_a_page_needs_no_script_or_style_inside(client, path):
    answer = client.get(path, headers=BROWSER)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)


def test_the_front_page_greets_as_the_settings_say(client, app):
    assert app.config["MSG"] in client.get("/").text


def test_every_card_is_on_the_front_page_in_its_order(client, app):
    with app.app_context():
        cards = app.jinja_env.globals["cards"]("home")
    text = client.get("/").text
    shown = re.findall(r"<h3>(?:<a [^>]*>)?([^<]+)", text)
    assert shown == [card.title for card in cards]
    assert all(str(card.html) in text for card in cards)


def test_every_card_leads_somewhere(client):
    links = re.findall(r'<h3><a href="(/[^"]*)"', client.get("/").text)
    assert {link: client.get(link, headers=BROWSER).status for link in links} == dict.fromkeys(
        links, 200
    )


def test_somebody_who_is_lost_gets_a_page(client):
    answer = client.get("/nowhere", headers=BROWSER)
    assert answer.status == 404
    assert "<h1>Not Found</h1>" in answer.text
    assert 'href="/"' in answer.text


@pytest.mark.parametrize(
    ("path", "headers"), [("/nowhere", {}), ("/api/v1/nowhere", BROWSER)], ids=["program", "api"]
)
def test_programs_get_errors_as_data(client, path, headers):
    answer = client.get(path, headers=headers)
    assert (answer.status, answer.json["code"]) == (404, "not_found")


def test_a_failure_shows_a_page_without_its_cause(client, app, monkeypatch):
    def fail():
        raise RuntimeError("the password is 1234")

    monkeypatch.setitem(app.view_functions, "pages.about", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = client.get("/about", headers=BROWSER)
    assert answer.status == 500
    assert "<h1>Internal Server Error</h1>" in answer.text
    assert "1234" not in answer.text


def test_the_icon_is_found_without_looking_into_the_page(client):
    answer = client.get("/favicon.ico")
    assert answer.status == 302
    assert client.get(answer.headers["Location"]).body.startswith(b"\x00\x00\x01\x00")


def test_search_engines_are_told_what_is_not_for_them(client):
    answer = client.get("/robots.txt")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert "Disallow: /api/\n" in answer.text
