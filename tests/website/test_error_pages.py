"""Errors: pages for people, data for programs."""

from __future__ import annotations

import pytest
from flask import Response, abort, redirect
from werkzeug.exceptions import Forbidden

from carboy.errors import Conflict, TooManyRequests, Unauthorized

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGE = "<h1>{{ status }} {{ title }}</h1><p>{{ message }}</p>"


@pytest.fixture
def app(website):
    app = website.write(templates__error_html=PAGE).app()
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/fail")
    @app.get("/api/fail")
    def fail():
        raise RuntimeError("the password is 1234")

    @app.get("/conflict")
    def conflict():
        raise Conflict("Somebody was <faster>.")

    @app.get("/busy")
    def busy():
        raise TooManyRequests(retry_after_s=7)

    @app.get("/closed")
    def closed():
        raise Unauthorized

    @app.get("/said/<int:status>")
    def said(status):
        abort(status, "In the developer's words.")

    @app.get("/moved")
    def moved():
        abort(redirect("/"))

    @app.get("/answered")
    def answered():
        raise Forbidden(response=Response("In a response of its own.", 403))

    @app.get("/teapot")
    def teapot():
        abort(418)

    return app


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/none", 404, "<h1>404 Not Found</h1><p>There is no page at this address.</p>"),
        ("/fail", 500, "<h1>500 Internal Server Error</h1><p>Something went wrong on our side."),
        ("/conflict", 409, "<h1>409 Conflict</h1><p>Somebody was &lt;faster&gt;.</p>"),
        ("/busy", 429, "<h1>429 Too Many Requests</h1>"),
        ("/said/403", 403, "<h1>403 Forbidden</h1><p>In the developer&#39;s words.</p>"),
        ("/said/503", 503, "<p>The service is unavailable at the moment."),
        ("/teapot", 418, "<h1>418 I&#39;m a Teapot</h1><p>The request could not be answered.</p>"),
    ],
)
def test_a_browser_gets_a_page(app, path, status, text):
    answer = app.test_client().get(path, headers=BROWSER)
    assert answer.status_code == status
    assert answer.content_type == "text/html; charset=utf-8"
    assert text in answer.text
    assert "1234" not in answer.text
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html, application/json"])
def test_a_program_gets_data(app, accept):
    headers = {} if accept is None else {"Accept": accept}
    answer = app.test_client().get("/none", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "status"), [("/api", 404), ("/api/none", 404), ("/api/fail", 500)]
)
def test_the_api_answers_with_data_whoever_asks(app, path, status):
    answer = app.test_client().get(path, headers=BROWSER)
    assert answer.status_code == status
    assert answer.json["status"] in ("fail", "error")


def test_a_path_that_only_begins_like_the_api_is_a_page(app):
    assert "<h1>404" in app.test_client().get("/apis", headers=BROWSER).text


@pytest.mark.parametrize(
    ("path", "method", "header", "value"),
    [
        ("/busy", "GET", "Retry-After", "7"),
        ("/closed", "GET", "WWW-Authenticate", "Bearer"),
        ("/fail", "DELETE", "Allow", "GET"),
    ],
)
def test_headers_of_the_error_stay(app, path, method, header, value):
    answer = app.test_client().open(path, method=method, headers=BROWSER)
    assert value in answer.headers[header]
    assert answer.text.startswith("<h1>4")


def test_an_answer_that_is_there_already_stays(app):
    answer = app.test_client().get("/answered", headers=BROWSER)
    assert (answer.status_code, answer.text) == (403, "In a response of its own.")


def test_a_redirect_stays_one(app):
    answer = app.test_client().get("/moved", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_page_that_cannot_be_rendered_gives_way_to_data(app, website, caplog):
    website.write(templates__error_html="{{ asset_url('none.css') }}")
    app.jinja_env.cache.clear()
    answer = app.test_client().get("/none", headers=BROWSER)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "error.html, cannot be rendered" in caplog.text


def test_the_handler_of_a_blueprint_goes_first(app):
    app.register_error_handler(404, lambda error: ("mine", 404))
    assert app.test_client().get("/none", headers=BROWSER).text == "mine"
