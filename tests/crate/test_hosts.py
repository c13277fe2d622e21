"""Which host names the service answers to."""

import json

import pytest

from carboy.crate.hosts import Hosts, split_host
from carboy.errors import BadRequest, SettingsError

TRUSTED = ("api.example.com", ".shop.example", "bücher.example", "[::1]", "127.0.0.1")


def accepted(hosts, made):
    try:
        hosts.check(made)
    except BadRequest:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        pytest.param("api.example.com", True, id="an exact name"),
        pytest.param("API.Example.COM", True, id="in capitals"),
        pytest.param("api.example.com:8080", True, id="with a port"),
        pytest.param("shop.example", True, id="a dotted entry covers the name itself"),
        pytest.param("a.b.shop.example", True, id="and any depth below it"),
        pytest.param("evilshop.example", False, id="but no name that only ends alike"),
        pytest.param("xn--bcher-kva.example", True, id="an international name"),
        pytest.param("[::1]:8080", True, id="IPv6"),
        pytest.param("127.0.0.1", True, id="IPv4"),
        pytest.param("evil.example", False, id="another name"),
        pytest.param("api.example.com.evil.example", False, id="the name as a prefix"),
        pytest.param("api.example.com@evil.example", False, id="user information"),
        pytest.param("api.example.com, evil.example", False, id="two hosts"),
        pytest.param("api.example.com:0", False, id="port 0"),
        pytest.param("api.example.com:99999", False, id="a port beyond the last"),
        pytest.param("api.example.com/", False, id="a path"),
        pytest.param("", False, id="an empty host"),
        pytest.param(None, False, id="no host"),
    ],
)
def test_the_list_decides(environ, host, answered):
    hosts = Hosts(TRUSTED)
    assert accepted(hosts, environ(HTTP_HOST=host) | {"SERVER_NAME": "api.example.com"} if host
                    is not None else {"SERVER_PROTOCOL": "HTTP/1.1"}) is answered  # fmt: skip
    if host:
        assert accepted(hosts, environ(HTTP_HOST=host)) is answered  # a second time, as remembered


def test_before_http_1_1_the_host_may_be_missing():
    old = {"SERVER_PROTOCOL": "HTTP/1.0", "SERVER_NAME": "127.0.0.1"}
    assert accepted(Hosts(TRUSTED), old)
    assert not accepted(Hosts(TRUSTED), old | {"SERVER_NAME": "elsewhere"})


@pytest.mark.parametrize("trusted", [("*",), (), ("a.example", "*")])
def test_any_host_still_has_to_be_one(environ, trusted):
    assert accepted(Hosts(trusted), environ(HTTP_HOST="whatever.example"))
    assert not accepted(Hosts(trusted), environ(HTTP_HOST="a b"))


def test_what_is_remembered_is_bounded(environ):
    hosts = Hosts(("*",))
    assert all(accepted(hosts, environ(HTTP_HOST=f"h{number}.example")) for number in range(600))
    assert len(hosts.accepted) < 300


def test_an_entry_that_is_no_name_stops_the_start():
    with pytest.raises(SettingsError) as caught:
        Hosts(("https://api.example.com", "ok.example", "a b", "a" * 70 + "ü.example"))
    assert len(caught.value.problems) == 3
    assert "Write a bare name" in str(caught.value)


def test_split_host():
    assert split_host("a.example:80") == ("a.example", "80")
    assert split_host("[::1]") == ("[::1]", "")
    assert split_host("") is None


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
def test_probes_come_by_address(make_crate, get, path):
    crate = make_crate()
    assert get(crate, path, HTTP_HOST="10.1.2.3:8080").status == 200
    refused = get(crate, "/", HTTP_HOST="10.1.2.3:8080")
    assert refused.status == 400
    assert json.loads(refused.body)["code"] == "bad_host"
    assert "TRUSTED_HOSTS" in json.loads(refused.body)["message"]
