"""Laws for hostile input, over every endpoint there is: one added later is held to them as well.

Whatever arrives, the answer is no failure of the server, tells nothing of the inside, wears the
envelope, carries a request id, and is what the OpenAPI document says (``_as_documented``).
"""

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import select

from carboy.api.openapi import document_of
from carboy.api.openapi.routes import path_of
from carboy.testing import fresh_database
from shop import create_app
from shop.database import Model, db
from shop.settings import ShopSettings

HERE = Path(__file__).resolve().parent.parent
INSIDE = re.compile(
    r"Traceback|File \"|site-packages|sqlalchemy|psycopg|sqlite3|werkzeug|marshmallow|"
    r"OverflowError|ValueError|TypeError|KeyError|SELECT |INSERT |root:x:",
)
ODD = {
    "a NUL": "a\0b",
    "line breaks": "a\r\nX-Injected: yes\r\n\r\n<b>",
    "an escape": "\x1b]0;a\x07\x1b[2J",
    "a mark that turns text around": "\u202ea\u2066",
    "a byte order mark": "\ufeff",
    "a character beyond 16 bits": "\U0010ffff\U0001f600",
    "text that grows when normalised": "\u0958" * 100,
    "text that grows when its case is folded": "ΐ" * 250,
    "many marks on one letter": "a" + "\u0301\u0316" * 2000,
    "a path": "../../../../etc/passwd",
    "SQL": "' OR 1=1; DROP TABLE users; --",
    "wildcards of SQL": "%_\\" * 20,
    "a template": "{{7*7}}${7*7}%s%n",
    "a hundred thousand letters": "a" * 100_000,
    "nothing": "",
    "white space": " \u3000\u2028",
    "a number beyond 64 bits": str(2**64),
    "a number of five thousand digits": "9" * 5000,
    "a number beyond any double": "1e400",
    "an exponent of ten digits": "1e9999999999",
    "no number": "NaN",
    "infinity": "-Infinity",
    "digits of another script": "\u0663\u0661",
}
WRONG = {
    "null": None,
    "true": True,
    "an empty list": [],
    "an empty object": {},
    "lists in lists": [[[[]]]],
    "an object in a list": [{"a": {"b": []}}],
    "zero": 0,
    "a negative number": -1,
    "a fraction": 1.5,
    "a number beyond 32 bits": 2**31,
    "the largest of 64 bits": 2**63 - 1,
    "a number beyond 64 bits": 2**63,
    "a number below 64 bits": -(2**63) - 1,
    "a number of 400 digits": 10**400,
    "the largest double": 1.7976931348623157e308,
}
MALFORMED = {
    "nothing": b"",
    "half an object": b'{"a": ',
    "half a word": b"tru",
    "two values": b"{} {}",
    "a name twice": b'{"a": 1, "a": 2}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "no UTF-8": b'{"a": "\xff\xfe\xc0\xae"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NUL": b"\0",
    "a control character in text": b'{"a": "\x1b"}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "a number beyond any double": b'{"a": 1e400}',
    "a hundred thousand digits": b'{"a": ' + b"9" * 100_000 + b"}",
    "a hundred thousand lists": b"[" * 100_000,
    "deep and complete": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "a list": b"[]",
    "a text": b'"a"',
    "a number": b"1",
    "null": b"null",
}
TYPES = [
    "",
    "text/plain",
    "application/json; charset=utf-16",
    'application/json; charset="',
    "application/merge-patch+json",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "application/x-www-form-urlencoded",
    "a/b/c;;;=",
    "a" * 5000,
    "\xe9\x1b",
]
HEADERS = [
    "Accept",
    "Authorization",
    "Cookie",
    "Content-Length",
    "Forwarded",
    "Host",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "Origin",
    "Range",
    "X-Forwarded-For",
    "X-Request-ID",
]
IN_PATHS = [
    *(quote(value[:5000], safe="") for value in ODD.values() if value),
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "%c0%ae%c0%ae%c0%afetc%c0%afpasswd",
    "%ff%fe",
    "%ud800",
    "0",
    "-1",
    "1.5",
    str(2**63),
]
TRIED = [
    "Some text", "example", "EXAMPLE-1", "a@example.com", "12.50", "2026-01-31",
    "2026-01-31T12:00:00Z", "12:00:00", "https://example.com/", "127.0.0.1", "::1",
    "123e4567-e89b-12d3-a456-426614174000", "*",
]  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One method of one route."""

    method: str
    rule: str
    path: str
    variables: tuple[str, ...]

    def __str__(self):
        return f"{self.method} {self.rule}"

    def at(self, **values):
        """Give an address: of what is most likely there, or with other *values*."""
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "1"), self.path)


def _targets():
    app = create_app(ShopSettings.load(APP_ENV="Testing", DATABASE_URL="sqlite://"))
    app.test_client().get("/openapi.json")  # what is registered with the first request
    found = {
        Target(method, rule.rule, path_of(rule), tuple(sorted(rule.arguments)))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    return sorted(found, key=str), document_of(app)


TARGETS, DOCUMENT = _targets()
DOING = [target for target in TARGETS if target.method not in ("HEAD", "OPTIONS")]


def over(targets):
    return pytest.mark.parametrize("target", [pytest.param(one, id=str(one)) for one in targets])


def described(target):
    return DOCUMENT["paths"].get(target.path, {}).get(target.method.lower(), {})


def names(target, place):
    listed = described(target).get("parameters", [])
    return [one["name"] for one in listed if one["in"] == place]


def body_schema(target):
    content = described(target).get("requestBody", {}).get("content", {})
    return next((one["schema"] for kind, one in content.items() if kind.endswith("json")), None)


def form_fields(target):
    content = described(target).get("requestBody", {}).get("content", {})
    forms = [one["schema"] for kind, one in content.items() if "form" in kind]
    return sorted({name for one in forms for name in resolved(one).get("properties", {})})


def resolved(schema):
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def sample(schema):
    """Make a value that fits the schema."""
    schema = resolved(schema)
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return {name: sample(one) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [sample(schema["items"])]
    if kind == "string":
        fits = Draft202012Validator(schema, format_checker=FormatChecker()).is_valid
        return next(value for value in [*schema.get("enum", []), *TRIED] if fits(value))
    return {"boolean": True, "null": None}.get(kind, schema.get("minimum", 1))


def places(value, at=()):
    """Give the way to every value inside *value*, and to itself."""
    yield at
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inside:
            yield from places(one, (*at, key))


def put(value, at, new):
    if not at:
        return new
    changed = copy.deepcopy(value)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = new
    return changed


WITH_JSON = [target for target in DOING if body_schema(target) is not None]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop of this module's own: what gets through may change and delete."""
    with fresh_database() as url:
        folder = tmp_path_factory.mktemp("hostile")
        app = create_app(
            ShopSettings.load(APP_ENV="Testing", DATABASE_URL=url, INSTANCE_PATH=str(folder))
        )
        # As a caller sees it: the exception stays inside.
        app.config["PROPAGATE_EXCEPTIONS"] = False
        runner = app.test_cli_runner()
        for words in (("db", "upgrade"), ("shop", "import-catalogue", str(HERE / "catalogue.csv"))):
            assert runner.invoke(args=words).exit_code == 0
        for target in [*WITH_JSON, *WITH_JSON]:  # twice: an order needs its user first
            if target.method == "POST":
                app.test_client().post(target.at(), json=sample(body_schema(target)))
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(autouse=True)
def _undone(shop):
    """Leave the rows as they were, for the next test."""
    with db.test_isolation(shop):
        yield


@pytest.fixture
def caller():
    """Give the headers of somebody who may do everything."""
    return {}


@pytest.fixture
def send(shop, caller):
    """Send a request, and hold the answer to the laws that always hold."""

    def sent(method, path, *, note, environ=None, **rest):
        answer = shop.test_client().open(
            path, method=method, headers=caller, environ_overrides=environ or {}, **rest
        )
        seen = (note, answer.status_code, answer.get_data()[:500])
        assert answer.status_code < 500, seen
        assert answer.headers.get("X-Request-ID"), seen
        assert "X-Injected" not in answer.headers, seen
        assert not any(re.search(r"[\r\n\0]", value) for value in answer.headers.values()), seen
        if answer.status_code >= 400 and method != "HEAD":
            assert INSIDE.search(answer.text) is None, seen
            assert answer.json["status"] == "fail", seen
            assert {"message", "code", "data"} <= answer.json.keys(), seen
        return answer

    return sent


@over(WITH_JSON)
def test_a_body_that_is_no_object_in_json_is_refused(send, target):
    for note, body in MALFORMED.items():
        answer = send(
            target.method, target.at(), note=note, data=body, content_type="application/json"
        )
        assert 400 <= answer.status_code < 500, (note, answer.text)


@over(WITH_JSON)
def test_no_field_of_a_body_takes_what_breaks_the_service(send, target):
    whole = sample(body_schema(target))
    for at in places(whole):
        for note, value in (ODD | WRONG).items():
            send(
                target.method,
                target.at(),
                note=f"{at}: {note}",
                data=json.dumps(put(whole, at, value)),
                content_type="application/json",
            )


@over(WITH_JSON)
def test_no_name_of_a_field_breaks_the_service(send, target):
    whole = sample(body_schema(target))
    for note, name in ODD.items():
        body = json.dumps({**whole, name: name})
        send(target.method, target.at(), note=note, data=body, content_type="application/json")


@over(DOING)
def test_no_content_type_breaks_the_service(send, target):
    for kind in TYPES:
        for body in (
            b"",
            b"a=%00&b=%ff",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
        ):
            send(
                target.method,
                target.at(),
                note=(kind, body),
                data=body,
                environ={"CONTENT_TYPE": kind},
            )


@over([target for target in DOING if target.variables])
def test_no_address_leads_outside_or_breaks_the_service(send, target):
    for variable in target.variables:
        for value in IN_PATHS:
            answer = send(target.method, target.at(**{variable: value}), note=value)
            assert b"root:" not in answer.get_data(), value


@over(DOING)
def test_no_query_breaks_the_service(send, target):
    for name in [*names(target, "query"), "unknown", "__proto__", "a\r\nb\0[]"]:
        for note, value in ODD.items():
            pair = f"{quote(name)}={quote(value)}"
            for query in (pair, f"{pair}&{pair}", f"{pair},{quote(value)}"):
                send(target.method, f"{target.at()}?{query}", note=(name, note))
    for query in ("%", "%ff=%fe", "&&&===", "=" * 1000, "a[b][c]=1", "a" * 50_000):
        send(target.method, f"{target.at()}?{query}", note=query[:20])


@over(DOING)
def test_no_header_breaks_the_service(send, target):
    for name in {*HEADERS, *names(target, "header")}:
        for note, value in ODD.items():
            key = name.upper().replace("-", "_")
            key = key if key == "CONTENT_LENGTH" else f"HTTP_{key}"
            # As WSGI hands bytes to an application (PEP 3333).
            raw = value.encode().decode("latin-1")
            send(target.method, target.at(), note=(name, note), environ={key: raw})


@over([target for target in DOING if target.method == "GET"])
def test_head_is_get_without_the_body(send, target):
    whole = send("GET", target.at(), note="GET")
    head = send("HEAD", target.at(), note="HEAD")
    changing = {"Date", "X-Request-ID"}
    assert head.status_code == whole.status_code
    assert head.get_data() == b""
    assert {name: value for name, value in head.headers if name not in changing} == {
        name: value for name, value in whole.headers if name not in changing
    }


@over([target for target in TARGETS if target.method == "OPTIONS"])
def test_options_names_the_methods_there_are(send, target):
    answer = send("OPTIONS", target.at(), note="OPTIONS")
    known = {one.method for one in TARGETS if one.rule == target.rule}
    assert {word.strip() for word in answer.headers["Allow"].split(",")} >= known


@over([target for target in TARGETS if target.method == "OPTIONS"])
def test_another_method_is_refused_with_the_list_of_those_there_are(send, target):
    shape = re.sub(r"\{\w+\}", "1", target.path)
    known = {one.method for one in TARGETS if re.sub(r"\{\w+\}", "1", one.path) == shape}
    others = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "A" * 500}
    for method in sorted(others - known):
        answer = send(method, target.at(), note=method)
        assert answer.status_code == 405, method
        assert set(answer.headers["Allow"].split(", ")) <= known


MARKS = (987_654_321, "mass-assigned", "1999-12-31T23:59:59+00:00", True)


def kept(shop):
    """Read everything the database holds, as text."""
    with shop.app_context():
        rows = [
            tuple(map(str, row))
            for table in Model.metadata.sorted_tables
            for row in db.session.execute(select(table))
        ]
        db.session.rollback()
    return rows


@over(WITH_JSON)
def test_no_column_that_the_schema_does_not_list_can_be_written(send, shop, target):
    whole = sample(body_schema(target))
    attributes = {
        name
        for mapper in Model.registry.mappers
        for name in mapper.attrs.keys()  # noqa: SIM118
    }
    for name in sorted(attributes - whole.keys()):
        before = kept(shop)
        for mark in MARKS:
            body = json.dumps({**whole, name: mark})
            answer = send(
                target.method, target.at(), note=name, data=body, content_type="application/json"
            )
            if answer.status_code >= 400:
                continue
            for row in set(kept(shop)) - set(before):
                assert not any(str(mark)[:19] in str(value) for value in row), (name, row)


@over(DOING)
def test_no_field_of_a_form_breaks_the_service(send, target):
    for name in [*form_fields(target), "unknown", "a\r\nb"]:
        for note, value in ODD.items():
            for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
                send(
                    target.method,
                    target.at(),
                    note=(name, note, kind),
                    data={name: value},
                    content_type=kind,
                )


@over(WITH_JSON)
def test_the_laws_reach_the_inside(send, target):
    """Else they would all hold because nobody is let in."""
    body = json.dumps(sample(body_schema(target)))
    answer = send(target.method, target.at(), note="", data=body, content_type="application/json")
    assert answer.status_code in (200, 201, 204, 409), answer.text
