"""Headers added by plan are those that one would work out for each answer anew."""

from collections import Counter
from random import Random

import pytest

from carboy import Production
from carboy.crate import Exchange, dressing
from carboy.crate.cors import Cors
from carboy.crate.headers import SecurityHeaders

KEY = "sKq2-9f_ZxW7pLr4TnVb8Ym1CdHgJe5u"
OURS = "https://app.example.com"
SETTINGS = [
    {},
    {"SECURITY_POLICY": "page", "HSTS_MAX_AGE_S": 0},
    {"CORS_ORIGINS": OURS, "CORS_CREDENTIALS": True, "CORS_EXPOSE_HEADERS": "ETag"},
    {"CORS_ORIGINS": f"{OURS},null", "CORS_EXPOSE_HEADERS": "ETag,Link"},
    {"CORS_ORIGINS": "*", "SECURITY_POLICY": "page"},
]
NAMES = [
    "Content-Type", "Content-Length", "ETag", "Cache-Control", "Vary", "X-Request-ID", "Set-Cookie",
    "Content-Security-Policy", "Referrer-Policy", "X-Frame-Options", "Strict-Transport-Security",
    "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Location",
]  # fmt: skip
VALUES = ["", "7", "Cookie", "Accept, Origin", "*", "max-age=9"]


def work_out(settings, environ, exchange, status, headers):
    """Complete the headers of one answer, step by step and with nothing remembered."""
    given = {name.lower(): value for name, value in headers}
    security = SecurityHeaders(settings).choose(
        environ.get("carboy.policy"), exchange.scheme, given, unchanged=status == 304
    )
    found = [*headers, *security]
    if "x-request-id" not in given:
        found.append(("X-Request-ID", exchange.request_id))
    if settings.CORS_ORIGINS:
        cors = Cors(settings)
        if "vary" in given:
            place = next(at for at, (name, _) in enumerate(found) if name.lower() == "vary")
            all_values = ",".join(value for name, value in found if name.lower() == "vary")
            if {"origin", "*"}.isdisjoint(part.strip().lower() for part in all_values.split(",")):
                said = f"{found[place][1]}, Origin" if found[place][1] else "Origin"
                found[place] = (found[place][0], said)
        else:
            found.append(("Vary", "Origin"))
        origin = environ.get("HTTP_ORIGIN")
        if origin and "access-control-allow-origin" not in given and cors.allows(origin):
            anyone = "*" in settings.CORS_ORIGINS and not settings.CORS_CREDENTIALS
            found.append(("Access-Control-Allow-Origin", "*" if anyone else origin))
            if settings.CORS_CREDENTIALS:
                found.append(("Access-Control-Allow-Credentials", "true"))
            exposed = ", ".join(settings.CORS_EXPOSE_HEADERS)
            if exposed and "access-control-expose-headers" not in given:
                found.append(("Access-Control-Expose-Headers", exposed))
    return found, given.get("content-length")


def differences(module, counted, answers=1500):
    """Give the answers that are dressed otherwise than worked out."""
    random = Random(7)
    dressers = []
    for more in SETTINGS:
        settings = Production.load(environ={}, SECRET_KEY=KEY, TRUSTED_HOSTS="a", **more)
        cors = Cors(settings) if settings.CORS_ORIGINS else None
        dressers.append((settings, module.Dressing(SecurityHeaders(settings), cors)))
    few = [random.sample(NAMES, random.randint(0, 4)) for _ in range(20)]
    for _ in range(answers):
        settings, made = random.choice(dressers)
        names = random.choice([*few, random.choices(NAMES, k=5)])
        headers = [(random.choice([n, n, n.lower()]), random.choice(VALUES)) for n in names]
        environ = {
            **random.choice([{}, {}, {"carboy.policy": "page"}, {"carboy.policy": "api"}]),
            **random.choice([{}, {"HTTP_ORIGIN": random.choice([OURS, "https://x.y", "null"])}]),
        }
        request = {
            "REQUEST_METHOD": "GET",
            "HTTP_X_REQUEST_ID": "id-1",
            "wsgi.url_scheme": random.choice(["http", "https"]),
        }
        exchange = Exchange(request, 0)
        status = random.choice([200, 200, 304, 404])
        before = list(headers)
        planned = len(made._plans)
        given, before_id, request_id, behind, length = made.dress(
            environ, exchange, status, headers
        )
        named = [] if request_id is None else [("X-Request-ID", request_id)]
        got = [*given, *before_id, *named, *behind], length
        counted["remembered"] += len(made._plans) == planned < dressing._KINDS_MAX
        counted["all"] += 1
        if got != work_out(settings, environ, exchange, status, before) or headers != before:
            yield got


def test_planned_and_worked_out_are_the_same():
    counted = Counter()
    assert list(differences(dressing, counted)) == []
    assert counted["remembered"] > counted["all"] * 0.2, counted


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        pytest.param(r"map\(_names, headers\)", "map(_names, headers[:1])", id="one name will do"),
        pytest.param(r'environ.get\("carboy.policy"\)', "None", id="nor does the policy"),
        pytest.param(r"exchange\.scheme,", '"http",', id="nor the scheme"),
        pytest.param(r"status == _NOT_MODIFIED", "False", id="nor the status"),
        pytest.param(r"name\.lower\(\): place", "name: place", id="case matters"),
        pytest.param(r'"x-request-id" in given', "False", id="two ids"),
        pytest.param(r"vary_on_origin\(given\)", "pass", id="the app's Vary is enough"),
        pytest.param(r'cors is not None and "vary" not', '"vary" not', id="Vary without CORS"),
        pytest.param(r"self\._cors\.allows\(origin\)", "True", id="all origins are welcome"),
        pytest.param(
            r"plan\.security, named, behind", "behind, named, plan.security", id="another order"
        ),
        pytest.param(r"headers\[at\]\[1\]", "headers[0][1]", id="the first is the length"),
        pytest.param(r"\[\*headers\]", "headers", id="in place"),
    ],
)
def test_a_mistake_in_the_plans_is_noticed(mutant, pattern, replacement):
    changed = mutant(dressing, pattern, replacement)
    assert next(differences(changed, Counter()), None) is not None


def test_what_is_remembered_is_bounded(make_crate, get):
    def app(environ, start_response):
        start_response("200 OK", [(f"X-{environ['PATH_INFO'][1:]}", "1")])
        return [b""]

    crate = make_crate(app)
    for number in range(dressing._KINDS_MAX + 10):
        assert f"x-{number}" in get(crate, f"/{number}").names()
    assert len(crate._dressing._plans) == dressing._KINDS_MAX
