"""Whom the service believes about the client."""

import pytest

from carboy.crate.proxies import Proxies

SPOOFED = {
    "HTTP_X_FORWARDED_FOR": "198.51.100.7",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PORT": "1",
    "HTTP_X_FORWARDED_PREFIX": "/evil",
    "HTTP_X_FORWARDED_SSL": "on",
    "HTTP_X_REAL_IP": "198.51.100.7",
    "HTTP_FORWARDED": "for=198.51.100.7",
}


def test_without_proxies_all_claims_are_removed(environ):
    made = environ(**SPOOFED)
    Proxies(0).apply(made)
    assert made.keys().isdisjoint(SPOOFED)
    assert (made["REMOTE_ADDR"], made["HTTP_HOST"]) == ("192.0.2.1", "localhost")
    assert made["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize(
    ("trusted", "header", "client", "left"),
    [
        pytest.param(1, "203.0.113.9", "203.0.113.9", "203.0.113.9", id="one proxy"),
        pytest.param(1, "6.6.6.6, 203.0.113.9", "203.0.113.9", "203.0.113.9",
                     id="what the client claimed itself is cut off"),
        pytest.param(2, "6.6.6.6, 203.0.113.9,10.0.0.1", "203.0.113.9", "203.0.113.9, 10.0.0.1",
                     id="two proxies: the second from the right"),
        pytest.param(2, "203.0.113.9", "192.0.2.1", None, id="too few values: not believed"),
        pytest.param(1, "unknown", "192.0.2.1", None, id="no address: not believed"),
        pytest.param(1, "", "192.0.2.1", None, id="empty: not believed"),
        pytest.param(1, "203.0.113.9:4711", "203.0.113.9", "203.0.113.9", id="a port is dropped"),
        pytest.param(1, "2001:DB8::1", "2001:db8::1", "2001:db8::1", id="IPv6"),
        pytest.param(1, "[2001:db8::1]:443", "2001:db8::1", "2001:db8::1", id="IPv6 with port"),
    ],
)  # fmt: skip
def test_the_client(environ, trusted, header, client, left):
    made = environ(HTTP_X_FORWARDED_FOR=header)
    Proxies(trusted).apply(made)
    assert made["REMOTE_ADDR"] == client
    assert made.get("HTTP_X_FORWARDED_FOR") == left


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param({"PROTO": "https"}, {"wsgi.url_scheme": "https"}, id="https"),
        pytest.param({"PROTO": "HTTPS"}, {"wsgi.url_scheme": "https"}, id="in capitals"),
        pytest.param({"PROTO": "https, http"}, {"wsgi.url_scheme": "http"}, id="the last counts"),
        pytest.param({"PROTO": "https", "HOST": "a.example"},
                     {"wsgi.url_scheme": "https", "HTTP_HOST": "a.example"}, id="both"),
        pytest.param({"PROTO": "gopher"}, {"wsgi.url_scheme": "http"}, id="no other scheme"),
        pytest.param({"HOST": "a.example:8443"},
                     {"HTTP_HOST": "a.example:8443", "SERVER_NAME": "a.example",
                      "SERVER_PORT": "8443"}, id="host with port"),
        pytest.param({"HOST": "a.example"}, {"HTTP_HOST": "a.example"}, id="host alone"),
        pytest.param({"HOST": "[::1]"}, {"HTTP_HOST": "[::1]"}, id="IPv6 host"),
        pytest.param({"HOST": "evil.example/path"}, {"HTTP_HOST": "localhost"},
                     id="a malformed host is not believed"),
        pytest.param({"PORT": "8443"}, {"HTTP_HOST": "localhost:8443", "SERVER_PORT": "8443"},
                     id="port"),
        pytest.param({"PORT": "443", "PROTO": "https"}, {"HTTP_HOST": "localhost"},
                     id="the usual port is left out"),
        pytest.param({"PORT": "99999"}, {"HTTP_HOST": "localhost", "SERVER_PORT": "80"},
                     id="no such port"),
        pytest.param({"PORT": ""}, {"HTTP_HOST": "localhost"}, id="empty port"),
    ],
)  # fmt: skip
def test_scheme_and_host(environ, claims, expected):
    made = environ(**{f"HTTP_X_FORWARDED_{name}": value for name, value in claims.items()})
    Proxies(1).apply(made)
    assert {name: made[name] for name in expected} == expected


@pytest.mark.parametrize("claim", ["FOR", "PROTO", "HOST", "PORT"])
def test_one_of_two_proxies_is_not_enough(environ, claim):
    value = {"FOR": "203.0.113.9", "PROTO": "https", "HOST": "a.example", "PORT": "8443"}[claim]
    made, before = environ(**{f"HTTP_X_FORWARDED_{claim}": value}), environ()
    Proxies(2).apply(made)
    streams = {"wsgi.input": None, "wsgi.errors": None}
    assert {**made, **streams} == {**before, **streams}


@pytest.mark.parametrize("length", [1, 200])
def test_what_is_remembered_of_one_caller_is_not_taken_for_another(environ, length):
    for trusted in (1, 2, 1):
        for number in range(3):
            header = f"{'9' * length}, 203.0.113.{number}, 10.0.0.{number}"
            made = environ(HTTP_X_FORWARDED_FOR=header)
            Proxies(trusted).apply(made)
            network = "10.0.0" if trusted == 1 else "203.0.113"
            assert made["REMOTE_ADDR"] == f"{network}.{number}"


def test_a_malformed_host_gets_no_port(environ):
    made = environ(HTTP_HOST="a b", HTTP_X_FORWARDED_PORT="8443")
    Proxies(1).apply(made)
    assert made["HTTP_HOST"] == "a b"


@pytest.mark.parametrize(
    "claim",
    ['fe80::1%evil" <script> 127.0.0.1', "fe80::1%eth0", "[fe80::1%25a b]:80", "%", "1.2.3.4%5"],
)
def test_the_zone_of_an_address_could_hold_any_text_and_is_no_address(environ, claim):
    made = environ(HTTP_X_FORWARDED_FOR=claim)
    Proxies(1).apply(made)
    assert made["REMOTE_ADDR"] == "192.0.2.1"


def test_the_crate_sees_the_client_behind_the_proxy(make_crate, get):
    answer = get(
        make_crate(TRUSTED_PROXIES=1),
        HTTP_X_FORWARDED_FOR="203.0.113.9",
        HTTP_X_FORWARDED_PROTO="https",
    )
    exchange = answer.environ["carboy.exchange"]
    assert (exchange.client, exchange.scheme) == ("203.0.113.9", "https")
    assert answer["Strict-Transport-Security"]


def test_what_is_remembered_is_bounded(environ):
    proxies = Proxies(1)
    for number in range(3000):
        proxies.apply(environ(HTTP_X_FORWARDED_FOR=f"203.0.{number // 250}.{number % 250}"))
        proxies.apply(environ(HTTP_X_FORWARDED_FOR=f"{number}, {'9' * 200}"))
    assert 0 < len(proxies._clients) <= 1024
    assert max(map(len, proxies._clients)) < 20
