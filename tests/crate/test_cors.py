"""Who may call from a browser."""

from datetime import date

import flask
import pytest
from marshmallow import Schema
from sqlalchemy.orm import declarative_base

from carboy import (
    Auth,
    Blueprint,
    Carboy,
    Database,
    deprecated,
    downloads,
    exports,
    idempotent,
    requires,
)
from carboy.crate.cors import Cors
from carboy.errors import SettingsError

APP = "https://app.example.com"


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        pytest.param(APP, APP, True, id="exact"),
        pytest.param("HTTPS://App.Example.com", APP, True, id="listed in capitals"),
        pytest.param(APP, "http://app.example.com", False, id="another scheme"),
        pytest.param(APP, f"{APP}:8443", False, id="another port"),
        pytest.param(APP, f"{APP}.evil.example", False, id="only a prefix"),
        pytest.param("https://*.example.com", APP, True, id="one label"),
        pytest.param("https://*.example.com", "https://a.b.example.com", False, id="two labels"),
        pytest.param("https://*.example.com", "https://example.com", False, id="no label"),
        pytest.param("https://*.example.com", "https://evil.com/.example.com", False,
                     id="a label has no slash"),
        pytest.param("https://*.example.com", "https://aexampleXcom", False, id="dots are dots"),
        pytest.param("https://*.example.com:8443", f"{APP}:8443", True, id="a pattern with port"),
        pytest.param(r"re:https://pr-\d+\.example\.com", "https://pr-7.example.com", True,
                     id="an expression"),
        pytest.param(r"re:https://pr-\d+\.example\.com", "https://pr-7.example.com.evil.example",
                     False, id="anchored at the end"),
        pytest.param(r"re:https://pr-\d+\.example\.com", "xhttps://pr-7.example.com", False,
                     id="anchored at the start"),
        pytest.param(r"re:https://a\.example|https://b\.example", "https://b.example.evil", False,
                     id="every alternative is anchored"),
        pytest.param(r"re:https://a\.example", "https://a.example\n", False, id="a line feed"),
        pytest.param(r"re:https://a.*\.test", "https://abc.test", True, id="a loose expression"),
        pytest.param(r"re:https://a.*\.test", "https://aevil.com/.test", False,
                     id="an expression sees origins only: no path"),
        pytest.param(r"re:https://a.*\.test", "https://a@evil.com:80#.test", False,
                     id="an expression sees origins only: no user information"),
        pytest.param(r"re:https://a.*\.test", "https://a.example:1?.test", False,
                     id="an expression sees origins only: no query"),
        pytest.param("re:.*", "https://A.example", False, id="browsers send lower case"),
        pytest.param("re:.*", "https://[::1]:3000", True, id="an expression and IPv6"),
        pytest.param("*", "https://anyone.example", True, id="anyone"),
        pytest.param("*", "null", False, id="null is not anyone"),
        pytest.param("re:.*", "null", False, id="null matches no expression"),
        pytest.param("null", "null", True, id="null by its name"),
        pytest.param("http://localhost:3000", "http://localhost:3000", True, id="this machine"),
        pytest.param("http://[::1]:3000", "http://[::1]:3000", True, id="IPv6"),
    ],
)  # fmt: skip
def test_an_origin_is_allowed_or_not(make_crate, get, listed, origin, allowed):
    answer = get(make_crate(CORS_ORIGINS=listed), HTTP_ORIGIN=origin)
    assert answer.status == 200
    assert answer["Vary"] == "Origin"
    granted = "*" if listed == "*" else origin
    assert answer["Access-Control-Allow-Origin"] == (granted if allowed else "")
    assert ("access-control-expose-headers" in answer.names()) is allowed


def test_without_origins_nothing_is_said(make_crate, get):
    answer = get(make_crate(), HTTP_ORIGIN=APP)
    assert "vary" not in answer.names()
    assert not [name for name in answer.names() if name.startswith("access-control")]
    asked = {"HTTP_ORIGIN": APP, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    assert get(make_crate(), method="OPTIONS", **asked).body == b"hello"


@pytest.mark.parametrize(
    "entry",
    ["https://a.example/", "a.example", "https://", "https://*", "https://a.*.example", "re:(",
     "https://a.example?x", "https://u@a.example"],
)  # fmt: skip
def test_an_entry_no_browser_sends_stops_the_start(make_crate, entry):
    with pytest.raises(SettingsError, match="CORS_ORIGINS has"):
        make_crate(CORS_ORIGINS=(entry, APP))


def preflight(crate, get, origin=APP, **environ):
    return get(crate, method="OPTIONS", HTTP_ORIGIN=origin,
               HTTP_ACCESS_CONTROL_REQUEST_METHOD="PUT", **environ)  # fmt: skip


def test_a_preflight_is_answered_without_the_app(make_crate, get):
    def app(environ, start_response):
        raise AssertionError

    answer = preflight(make_crate(app, CORS_ORIGINS=APP, CORS_MAX_AGE_S=60), get)
    assert (answer.status, answer.body) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == APP
    assert "PUT" in answer["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in answer["Access-Control-Allow-Headers"]
    assert answer["Access-Control-Max-Age"] == "60"
    assert answer["Vary"].startswith("Origin, ")
    assert "content-length" not in answer.names()
    assert "content-type" not in answer.names()


def test_a_preflight_of_a_stranger_is_told_nothing(make_crate, get):
    answer = preflight(make_crate(CORS_ORIGINS=APP), get, "https://evil.example")
    assert answer.status == 204
    assert not [name for name in answer.names() if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("listed", "asked", "allowed"),
    [
        pytest.param("*", "X-One, x-two", "X-One, x-two", id="any header: the ones asked for"),
        pytest.param("*", "X-One\r\nX: y", "", id="any header: but only headers"),
        pytest.param("*", "", "", id="any header: none asked for"),
        pytest.param("X-One", "X-Two", "X-One", id="a list is told as it is"),
        pytest.param("", "X-Two", "", id="an empty list"),
    ],
)
def test_headers_of_a_preflight(make_crate, get, listed, asked, allowed):
    crate = make_crate(CORS_ORIGINS=APP, CORS_HEADERS=listed)
    answer = preflight(crate, get, HTTP_ACCESS_CONTROL_REQUEST_HEADERS=asked)
    assert answer["Access-Control-Allow-Headers"] == allowed


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_requests_reach_the_app(make_crate, get, method):
    answer = get(make_crate(CORS_ORIGINS=APP), method=method, HTTP_ORIGIN=APP)
    assert answer.body == b"hello"


@pytest.mark.parametrize(
    "entry",
    ["re:.*", "re:https://.*", r"re:https?://[a-z0-9.-]+", r"re:https://.*\.com",
     "https://*.com", r"re:https://a\.example|https://[^/]+", r"re:https://[\d.]+"],
)  # fmt: skip
def test_with_cookies_a_pattern_that_lets_strangers_in_stops_the_start(make_crate, entry):
    with pytest.raises(SettingsError, match="CORS_ORIGINS has an entry that matches http"):
        make_crate(CORS_ORIGINS=(APP, entry), CORS_CREDENTIALS=True)
    assert make_crate(CORS_ORIGINS=(APP, entry), CORS_CREDENTIALS=False)


@pytest.mark.parametrize(
    "entry", [r"re:https://pr-\d+\.example\.com", "https://*.example.com", r"re:.*\.shop\.test"]
)
def test_with_cookies_a_pattern_of_ones_own_domain_is_taken(make_crate, get, entry):
    assert make_crate(CORS_ORIGINS=entry, CORS_CREDENTIALS=True)


def test_credentials_name_the_origin(make_crate, get):
    crate = make_crate(CORS_ORIGINS="https://*.example.com", CORS_CREDENTIALS=True)
    answer = get(crate, HTTP_ORIGIN=APP)
    assert answer["Access-Control-Allow-Origin"] == APP
    assert answer["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize(
    ("given", "merged"),
    [
        pytest.param(["Accept"], "Accept, Origin", id="another name is kept"),
        pytest.param(["accept, origin"], "accept, origin", id="not added twice"),
        pytest.param(["Accept", "Cookie"], "Accept, Origin, Cookie", id="two fields"),
        pytest.param(["Accept", "ORIGIN"], "Accept, ORIGIN", id="in the second field"),
        pytest.param(["*"], "*", id="a star says it all"),
        pytest.param([""], "Origin", id="an empty field"),
    ],
)
def test_vary_is_merged(make_crate, get, given, merged):
    def app(environ, start_response):
        start_response("200 OK", [("vary", value) for value in given])
        return [b""]

    assert get(make_crate(app, CORS_ORIGINS=APP))["Vary"] == merged


def test_vary_is_merged_among_headers_that_are_lists(make_crate, get):
    def app(environ, start_response):
        start_response("200 OK", [["X-Own", "1"], ["Vary", "Accept"]])
        return [b""]

    answer = get(make_crate(app, CORS_ORIGINS=APP))
    assert (answer["X-Own"], answer["Vary"]) == ("1", "Accept, Origin")


def test_headers_of_the_app_are_not_doubled(make_crate, get):
    def app(environ, start_response):
        start_response("200 OK", [("access-control-allow-origin", "https://own.example")])
        return [b""]

    answer = get(make_crate(app, CORS_ORIGINS=APP, CORS_CREDENTIALS=True), HTTP_ORIGIN=APP)
    assert answer["Access-Control-Allow-Origin"] == "https://own.example"
    assert "access-control-allow-credentials" not in answer.names()


def test_one_header_of_the_app_wins_over_ours(make_crate, get):
    def app(environ, start_response):
        start_response("200 OK", [("Access-Control-Expose-Headers", "X-Own")])
        return [b""]

    answer = get(make_crate(app, CORS_ORIGINS=APP), HTTP_ORIGIN=APP)
    assert answer["Access-Control-Expose-Headers"] == "X-Own"


def test_nothing_to_expose_is_not_said(make_crate, get):
    answer = get(make_crate(CORS_ORIGINS=APP, CORS_EXPOSE_HEADERS=()), HTTP_ORIGIN=APP)
    assert "access-control-expose-headers" not in answer.names()


def test_allows_is_for_whole_origins(make_crate):
    from carboy import Testing

    cors = Cors(Testing.load(environ={}, CORS_ORIGINS="https://*.example.com"))
    assert cors.allows("https://a.example.com")
    assert not cors.allows("https://-.example.com")


# Fetch Standard, section 2.2.6: CORS-safelisted response-header names
ALWAYS_READ = {"Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires",
               "Last-Modified", "Pragma"}  # fmt: skip


def test_pages_may_read_every_header_that_the_documents_of_our_own_features_list(tmp_path):
    db = Database(declarative_base())
    api = Blueprint(
        "api", __name__, limit="100/minute", idempotency=idempotent(),
        deprecation=deprecated(since=date(2026, 1, 1), sunset=date(2027, 1, 1)),
    )  # fmt: skip

    @api.get("/files/<key>")
    @downloads(links=True)
    def file(key): ...

    @api.get("/rows")
    @exports(db, Schema, name="rows")
    def rows(): ...

    @api.post("/things")
    @api.output(
        Schema, 201, headers={"ETag": "Its version.", "Link": "More.", "Location": "Where."}
    )
    @requires("things:write")
    def make(): ...

    app = flask.Flask("shop", instance_path=str(tmp_path))
    Carboy(app, {"APP_ENV": "Testing", "CORS_ORIGINS": APP})
    Auth().init_app(app)
    app.register_blueprint(api)
    answer = app.test_client().get("/openapi.json", headers={"Origin": APP})
    described = {
        name
        for item in answer.json["paths"].values()
        for operation in item.values()
        for response in operation["responses"].values()
        for name in response.get("headers", {})
    }
    read = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"Sunset", "RateLimit", "Content-Range", "WWW-Authenticate", "Retry-After"} <= described
    assert described - ALWAYS_READ <= read
    assert "X-Request-ID" in read
    assert not read & ALWAYS_READ
