# ruff: noqa: E501 - tables of what is tried
"""What is read at once is read as gunicorn reads it."""

import random
import time
from collections import Counter

import pytest
from gunicorn.http import get_parser
from gunicorn.http.wsgi import create

from carboy.server.gunicorn import heads
from carboy.server.gunicorn.heads import Heads

from .conftest import CLIENT, SERVER
from .mutation import mutated

REQUESTS = 12_000
# Of all requests that are made up; the rest is there to be left alone.
LEAST_SHARE = 0.35
# What is of a server, not of a request.
_OURS = frozenset({"wsgi.input", "wsgi.errors", "wsgi.early_hints", "gunicorn.socket"})

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
ODD_METHODS = ("get", "CONNECT", "TRACE", "G#T", "", "GET ", "BREW")
TARGETS = ("/", "/a", "/a/b?c=d", "/%41%2f?%20", "/a;b=c?d=e&f", "/?", "/a?b?c", "/a[b]", "/:80/", "/a%",
           "/a%zz%C3%A4", "/'\"<>|{}^`\\", "/a/?/b", "/./../a")  # fmt: skip
ODD_TARGETS = (
    "//",
    "//a/b",
    "/a#b",
    "/a?b#c",
    "*",
    "a",
    "http://h/p?q",
    "/a b",
    "/\xe4",
    "/\x7f",
    "",
    "/\t",
    "/[",
)
VERSIONS = ("HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "")
FIELDS = (
    "Accept: */*", "Accept:*/*", "ACCEPT-language:  de ,en\t", "X-A: 1", "X-E: a  ", "x-b:", "X-C: \xe4\xff", "X-D: a\tb",
    "Connection: keep-alive", "Connection: close", "connection: Keep-Alive", "Content-Type: text/x",
    "Cookie: a=b; c=d", "Authorization: Bearer x", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https",
    "Forwarded: for=x", "Origin: null", "Range: bytes=0-", "User-Agent: x/1 (y; z)", 'If-None-Match: W/"a"',
)  # fmt: skip
ODD_FIELDS = (
    "X_A: 1", "X-A : 1", " X-A: 1", "X-A", ": 1", "X-A: \x00", "X-A: a\x0bb", "X-A: a\nb", "X-A: a\rb", "X\xe4: 1",
    "Connection: upgrade", "Connection: close, x", "Upgrade: websocket", "Expect: 100-continue", "Expect: x",
    "Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Host: b", "X-A: 2", "Script-Name: /x",
    "SCRIPT_NAME: /x", "Content-Type: b", "Trailer: x", "X-\x7f: 1", "X-A: \x7f", "Content-Length: 0", "X'A: 1",
    "HTTP2-Settings: x", "Proxy: x", "Content_Length: 5", "PATH_INFO: /x", "Secure: 1", "\tx",
)  # fmt: skip


def made_up(draw):
    """Make up a request: most are ordinary, or have one thing that is not."""
    oddly = draw.random()
    method = draw.choice(ODD_METHODS if oddly < 0.06 else METHODS)
    target = draw.choice(ODD_TARGETS if 0.06 <= oddly < 0.14 else TARGETS)
    version = draw.choice(VERSIONS) if 0.14 <= oddly < 0.19 else "HTTP/1.1"
    fields = draw.sample(FIELDS, draw.randint(0, 5))
    if draw.random() < 0.95:
        fields.insert(draw.randint(0, len(fields)), "Host: a.example:80")
    if 0.19 <= oddly < 0.38:
        fields.insert(draw.randint(0, len(fields)), draw.choice(ODD_FIELDS))
    body = b"x" * draw.choice((0, 0, 1, 5, 2000))
    if body or draw.random() < 0.1:
        length = (
            draw.choice(("+5", "-1", "5.0", "0x5", " 5", "\xb2", "05", ""))
            if 0.38 <= oddly < 0.44
            else len(body)
        )
        fields.insert(draw.randint(0, len(fields)), f"Content-Length: {length}")
    if 0.44 <= oddly < 0.5:
        body = draw.choice((body + b"GET / HTTP/1.1\r\n\r\n", body[:-1], b"\r\n" + body))
    line = draw.choice(("\n", "\r", "\r\r\n")) if 0.5 <= oddly < 0.53 else "\r\n"
    if 0.53 <= oddly < 0.56:
        fields.insert(0, "X-Long: " + "y" * draw.choice((8100, 8178, 8179, 9000)))
    if 0.56 <= oddly < 0.58:
        fields += [f"X-{number}: {number}" for number in range(draw.choice((90, 101)))]
    head = line.join([f"{method} {target} {version}", *fields, "", ""])
    return head.encode("latin-1") + body


def by_gunicorn(cfg, data):
    """Give what gunicorn makes of the first request, and whether more than that came."""
    parser = get_parser(cfg, iter([data]), CLIENT)
    request = next(parser)
    _, environ = create(request, None, CLIENT, SERVER, cfg)
    body = environ["wsgi.input"].read()
    environ["wsgi.multithread"] = True
    return environ, body, parser.unreader.buf.getvalue(), request.should_close()


def difference(reader, cfg, connection, data, counted):
    """Tell in what a request that is read at once is not what gunicorn reads; ``None``: nothing."""
    try:
        # With the fourth time nothing is read but the first line.
        for _ in range(4):
            environ = reader.read(data, connection)
    except Exception as error:  # noqa: BLE001 - it never refuses
        return error
    if environ is None:
        return None
    counted["taken"] += 1
    body = environ["wsgi.input"].read()
    closes = environ.get("HTTP_CONNECTION", "").lower() == "close"
    if len(body) != int(environ.get("CONTENT_LENGTH", 0)):
        return body
    ours = {name: value for name, value in environ.items() if name not in _OURS}
    try:
        their, *others = by_gunicorn(cfg, data)
    except BaseException as error:  # noqa: BLE001 - what it refuses is a difference
        return error
    theirs = {name: value for name, value in their.items() if name not in _OURS}
    if (ours, [body, b"", closes]) != (theirs, others):
        return {name: (ours.get(name), theirs.get(name)) for name in ours.keys() | theirs.keys()}
    return None


def first_difference(module, cfg, connection):
    draw, reader, counted = random.Random(11), module.Heads(cfg, SERVER), Counter()
    for _ in range(REQUESTS):
        data = made_up(draw)
        found = difference(reader, cfg, connection, data, counted)
        if found is not None:
            return data, found
    return None if counted["taken"] > REQUESTS * LEAST_SHARE else counted


def test_it_is_what_gunicorn_reads(cfg, connection):
    assert first_difference(heads, cfg, connection) is None


MUTANTS = {
    "a name with underscores passes for another": ("[A-Za-z0-9-]++", "[A-Za-z0-9_-]++"),
    "a space before the colon is nothing": ("++):[ ", "++) ?:[ "),
    "spaces behind a value are of it": ('[!-~\\x80-\\xff])?"\n', '[ -~\\x80-\\xff])?"\n'),
    "controls are text": ("(?:[\\t -~\\x80-\\xff]*", "(?:[\\x00-~\\x80-\\xff]*"),
    "fields that come twice are one": ("if field[0] in environ:", "if False:"),
    "a fragment is of the path": ('[!\\"$-~]*) HTTP', "[!-~]*) HTTP"),
    "every version is 1.1": ('HTTP/1\\.1")', 'HTTP/1\\..")'),
    "an expectation is met": ('"EXPECT", ', ""),
    "chunks are a body": ('"TRANSFER-ENCODING", ', ""),
    "what is no length is one": ("and not (value.isdecimal() and", "and not (True and"),
    "a body may be short": ("if not missing:", "if missing >= 0:"),
    "a body may be long": ("if not missing:", "if missing <= 0:"),
    "an escape is itself": ('if "%" in path:', "if False:"),
    "a query ends at its first mark": ('target.partition("?")', 'target.rpartition("?")'),
    "a line that is known is the first one's": ("self._lines.get(first)", "next(iter(self._lines.values()), None)"),
    "a line that is known is the root's": ("self._lines[line] = made", 'self._lines[line] = (*made[:2], "/", "")'),
    "what is long is taken": ("min(_HEAD_BYTES, cfg.limit_request_line or _HEAD_BYTES)", "20_000"),
    "any number of fields is taken": ("_FIELDS_MAX: Final = 100", "_FIELDS_MAX: Final = 1000"),
    "the content's type is a field": ('"CONTENT-TYPE": "CONTENT_TYPE", ', ""),
    "names keep their letters": (".upper()", ""),
    "fields are those of the last request": ("data.startswith(connection.fields, at)", "True"),
    "the client is somebody else": ('"REMOTE_PORT": str(connection.client[1]),', '"REMOTE_PORT": "80",'),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_is_seen(cfg, connection, mutant):
    assert first_difference(mutated(heads, *MUTANTS[mutant]), cfg, connection)


@pytest.mark.parametrize("line", [
    pytest.param(b"X:" + b" " * 8000 + b"\x00", id="spaces"),
    pytest.param(b"X:" + b"a " * 4000 + b"\x00", id="words"),
    pytest.param(b"X" * 8000 + b"\x00", id="a name"),
    pytest.param(b"X: a" + b" " * 8000 + b"\x00", id="spaces at the end"),
])  # fmt: skip
def test_what_is_long_and_wrong_takes_no_longer(cfg, connection, line):
    begun = time.process_time()
    head = b"GET / HTTP/1.1\r\n" + line + b"\r\n\r\n"
    assert Heads(cfg, SERVER).read(head, connection) is None
    assert time.process_time() - begun < 0.1


def test_fields_are_remembered_unless_they_are_secret_or_many(cfg, connection):
    reader = Heads(cfg, SERVER)

    def ask(field):
        assert reader.read(b"GET / HTTP/1.1\r\n" + field + b"\r\n\r\n", connection)

    ask(b"Cookie: a=b")
    ask(b"Authorization: Bearer a")
    ask(b"X-A: " + b"a" * 1000)
    assert reader._known == {}
    for number in range(2500):
        ask(b"X-A: %d" % number)
    assert 0 < len(reader._known) <= 1000


def test_lines_are_remembered_once_they_come_again_and_without_queries(cfg, connection):
    reader = Heads(cfg, SERVER)

    def ask(target):
        assert reader.read(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target, connection)

    for _ in range(3):
        ask(b"/a?token=secret")
    ask(b"/reset/secret")
    assert reader._lines == {}
    ask(b"/a")
    ask(b"/a")
    assert reader._lines == {b"GET /a HTTP/1.1": ("GET", "/a", "/a", "")}
    for number in range(2500):
        ask(b"/%d" % number)
        ask(b"/%d" % number)
    assert 0 < len(reader._lines) <= 1000


def test_what_came_before_is_not_read_again_but_secrets_are_not_kept(cfg, connection):
    reader = Heads(cfg, SERVER)
    made = [reader.read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", connection) for _ in range(5)]
    assert connection.fields == b"Host: a\r\n\r\n"
    made[3]["carboy.exchange"] = "of this request"
    assert "carboy.exchange" not in made[4]
    assert made[0] is not made[3]
    for _ in range(3):
        assert reader.read(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: b=c\r\n\r\n", connection)
    assert connection.fields == b"Host: a\r\n\r\n"
    assert "HTTP_COOKIE" not in connection.read


def test_an_app_that_has_been_moved_is_left_to_gunicorn(cfg, connection, monkeypatch):
    monkeypatch.setenv("SCRIPT_NAME", "/shop")
    assert Heads(cfg, SERVER).read(b"GET /shop HTTP/1.1\r\nHost: a\r\n\r\n", connection) is None
