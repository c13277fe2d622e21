"""Requests taken for ordinary ones are answered as if they had been looked at closely."""

import logging
from collections import Counter
from random import Random

import pytest

from carboy.crate import Crate
from carboy.crate import crate as crate_module
from carboy.logs import current_ids

CLOSELY = (r"environ\.get\(\"PATH_INFO\", \"\"\) in self\._exempt\n", "True\n")
ORIGIN = "https://a.example"


def app(environ, start_response):
    environ["carboy.route"] = "/x"
    body = type(environ["wsgi.input"]).__name__.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def make_request(random, environ):
    return environ(
        random.choice(["/x", "/x", "/y", "/health", "/health/ready", "/metrics", ""]),
        random.choice(["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "OPTIONS"]),
        HTTP_HOST=random.choice(["localhost"] * 6 + ["localhost:80", "evil.example", "", None]),
        SERVER_PROTOCOL=random.choice(["HTTP/1.1"] * 9 + ["HTTP/1.0", "HTTP/2", "HTTP/3", None]),
        CONTENT_LENGTH=random.choice([None] * 6 + ["", "0", "2", "11", "x"]),
        HTTP_TRANSFER_ENCODING=random.choice([None] * 5 + ["chunked"]),
        HTTP_ORIGIN=random.choice([None, ORIGIN]),
        HTTP_ACCESS_CONTROL_REQUEST_METHOD=random.choice([None, "PUT"]),
        HTTP_X_REQUEST_ID="id-1",
        **{"wsgi.input_terminated": random.choice([True, False])},
    )


def answer(crate, call, request, monkeypatch, access):
    monkeypatch.setattr(Crate, "serve", call)
    current_ids.set(None)
    seen = []
    before = len(access())
    result = crate(dict(request), lambda status, headers, *_: seen.append((status, headers)))
    seen.append(b"".join(result))
    getattr(result, "close", int)()
    seen += [(record.status, record.bytes, record.route) for record in access()[before:]]
    return seen, current_ids.get()


def differences(make_crate, environ, monkeypatch, mutant, access, call, *, requests=500):  # noqa: PLR0917 - fixtures
    """Give the requests that *call* answers otherwise than one that looks closely."""
    close = mutant(crate_module, *CLOSELY).Crate.serve
    crate, random = make_crate(app, MAX_CONTENT_LENGTH=10, CORS_ORIGINS=ORIGIN), Random(9)
    for _ in range(requests):
        if random.random() < 0.08:
            random.choice([crate.maintenance.on, *[crate.maintenance.off] * 4])()
        if random.random() < 0.02:
            crate.maintenance.is_on()
        request = make_request(random, environ)
        telling = request["PATH_INFO"] in {"/metrics", "/health/ready"}
        if telling and request["REQUEST_METHOD"] in {"GET", "HEAD"}:
            continue  # their answers tell how many there were, and how long it took
        first = answer(crate, call, request, monkeypatch, access)
        second = answer(crate, close, request, monkeypatch, access)
        if first != second or first[1] is not None:
            yield request, first, second


@pytest.mark.replaces
def test_they_are_answered_alike(make_crate, environ, monkeypatch, mutant, access):
    hits, outside, call = Counter(), Crate._outside, Crate.serve

    def counted(self, exchange, environ):
        hits["closely"] += 1
        return outside(self, exchange, environ)

    monkeypatch.setattr(Crate, "_outside", counted)
    parts = (make_crate, environ, monkeypatch, mutant, access, call)
    hits["all"] = 500
    assert list(differences(*parts)) == []
    # One of each two looked closely on purpose.
    assert hits["closely"] - hits["all"] < hits["all"] * 0.8, hits


@pytest.mark.replaces
@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        pytest.param(r"environ\.get\(\"PATH_INFO\", \"\"\) in self\._exempt\n", "False\n",
                     id="health is the app's"),
        pytest.param(r"or environ\.get\(\"HTTP_HOST\"\) not in self\._hosts\.accepted", "",
                     id="any host will do"),
        pytest.param(r"or exchange\.method == \"OPTIONS\"", "", id="no preflight"),
        pytest.param(r"or started_ns >= self\.maintenance\.off_until_ns", "", id="never closed"),
        pytest.param(r"or environ\.get\(\"CONTENT_LENGTH\"\)", "", id="any length"),
        pytest.param(r"or \"HTTP_TRANSFER_ENCODING\" in environ", "", id="any coding"),
        pytest.param(r"or environ\.get\(\"SERVER_PROTOCOL\"\) != \"HTTP/1\.1\"", "",
                     id="any protocol"),
        pytest.param(r"_set_ids\(answer\.previous\)", "pass", id="the ids stay"),
        pytest.param(r"self\.finished\(exchange, environ, .*\)", "pass", id="no end"),
    ],
)  # fmt: skip
def test_a_mistake_is_noticed(  # noqa: PLR0917 - fixtures and parameters
    make_crate, environ, monkeypatch, mutant, access, pattern, replacement
):
    call = mutant(crate_module, pattern, replacement).Crate.serve
    parts = (make_crate, environ, monkeypatch, mutant, access, call)
    assert next(differences(*parts), None) is not None
    current_ids.set(None)


def test_a_switch_thrown_in_this_process_counts_at_once(make_crate, get, caplog):
    caplog.set_level(logging.INFO)
    crate = make_crate(app)
    for _ in range(3):
        assert get(crate, "/x").status == 200
        crate.maintenance.on()
        assert get(crate, "/x").status == 503
        assert crate.maintenance.is_on()
        crate.maintenance.off()
        assert get(crate, "/x").status == 200
