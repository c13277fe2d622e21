"""Security headers of an API, of pages, and of an app that has its own."""

import pytest

COMMON = ("x-content-type-options", "x-frame-options", "content-security-policy",
          "referrer-policy", "permissions-policy", "cross-origin-opener-policy",
          "cross-origin-resource-policy", "x-permitted-cross-domain-policies")  # fmt: skip


def answering(headers=(), status="200 OK", policy=None):
    def app(environ, start_response):
        if policy:
            environ["carboy.policy"] = policy
        start_response(status, list(headers))
        return [b""]

    return app


@pytest.mark.parametrize("policy", ["api", "page"])
@pytest.mark.parametrize("source", ["setting", "view"])
def test_each_policy_has_all_headers_once(make_crate, get, policy, source):
    if source == "setting":
        answer = get(make_crate(answering(), SECURITY_POLICY=policy))
    else:
        other = "page" if policy == "api" else "api"
        answer = get(make_crate(answering(policy=policy), SECURITY_POLICY=other))
    names = answer.names()
    assert [names.count(name) for name in COMMON] == [1] * len(COMMON)
    csp = answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in csp
    assert csp.startswith("default-src 'none'" if policy == "api" else "default-src 'self'")
    assert answer["Cache-Control"] == ("no-store" if policy == "api" else "")
    assert "strict-transport-security" not in names


@pytest.mark.parametrize(
    ("scheme", "age", "value"),
    [
        pytest.param("https", 31536000, "max-age=31536000; includeSubDomains", id="over TLS"),
        pytest.param("https", 0, "", id="switched off"),
        pytest.param("http", 31536000, "", id="never in the clear"),
    ],
)
@pytest.mark.parametrize("policy", ["api", "page"])
def test_transport_security(make_crate, get, scheme, age, value, policy):  # noqa: PLR0917 - fixtures and parameters
    crate = make_crate(answering(policy=policy), HSTS_MAX_AGE_S=age)
    assert get(crate, **{"wsgi.url_scheme": scheme})["Strict-Transport-Security"] == value


@pytest.mark.parametrize(
    ("status", "headers", "stored"),
    [
        pytest.param("200 OK", [], False, id="by default not"),
        pytest.param("304 Not Modified", [], True, id="304 keeps what is stored"),
        pytest.param("200 OK", [("etag", '"1"')], True, id="a validator"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_answers_of_an_api_may_be_stored(make_crate, get, status, headers, stored, scheme):  # noqa: PLR0917 - fixtures and parameters
    answer = get(make_crate(answering(headers, status)), **{"wsgi.url_scheme": scheme})
    assert answer["Cache-Control"] == ("" if stored else "no-store")


@pytest.mark.parametrize("name", [*COMMON, "cache-control", "strict-transport-security"])
def test_a_header_of_the_app_wins(make_crate, get, name):
    answer = get(make_crate(answering([(name, "own")])), **{"wsgi.url_scheme": "https"})
    assert answer[name] == "own"
    assert len(set(answer.names())) == len(answer.names())


def test_pages_may_have_a_policy_of_their_own(make_crate, get):
    crate = make_crate(answering(policy="page"), CONTENT_SECURITY_POLICY="default-src https:")
    assert get(crate)["Content-Security-Policy"] == "default-src https:"
    api = make_crate(answering(), CONTENT_SECURITY_POLICY="default-src https:")
    assert "'none'" in get(api)["Content-Security-Policy"]


def test_the_list_of_the_app_is_not_changed(make_crate, get):
    constant = [("Content-Type", "text/plain")]

    def app(environ, start_response):
        start_response("200 OK", constant)
        return [b""]

    crate = make_crate(app, CORS_ORIGINS="*")
    get(crate, HTTP_ORIGIN="https://a.example")
    assert constant == [("Content-Type", "text/plain")]
