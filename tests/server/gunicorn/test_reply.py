# ruff: noqa: E501 - tables of what is tried
"""What is written at once is written as gunicorn writes it."""

import logging
import random
import re
from collections import Counter

import pytest
from gunicorn.http.wsgi import FileWrapper, Response

from carboy.logs import Lines
from carboy.server.gunicorn import reply, writer
from carboy.server.gunicorn.reply import Reply
from carboy.server.gunicorn.writer import Writer

from .mutation import mutated, source_of

# gunicorn warns of each body that it leaves out.
pytestmark = pytest.mark.usefixtures("quiet")

ANSWERS = 8_000
LEAST_SHARE = 0.3

STATUSES = (
    "200 OK",
    "201 CREATED",
    "404 NOT FOUND",
    "422 UNPROCESSABLE CONTENT",
    "500 INTERNAL SERVER ERROR",
)
ODD_STATUSES = ("204 NO CONTENT", "304 NOT MODIFIED", "101 SWITCHING PROTOCOLS", "100 CONTINUE", "200", "200 ", "OK",
                "600 X", "200 \xe4", "200 A\r\nB", 200, "2000 OK", "199 X")  # fmt: skip
HEADERS = (("Content-Type", "text/html; charset=utf-8"), ("X-A", "1"), ("X-A", "2"), ("x-a", "2"), ("X-E", ""), ("ETag", 'W/"a"'),
           ("Set-Cookie", "a=b; Path=/"), ("Set-Cookie", "c=d"), ("X-L", "\xe4\xff"), ("X-T", "a\tb"), ("Vary", "Origin"))  # fmt: skip
ODD_HEADERS = (("Connection", "close"), ("Connection", "upgrade"), ("Upgrade", "websocket"), ("Date", "never"),
               ("Server", "x"), ("Transfer-Encoding", "chunked"), ("X A", "1"), ("X-A", "a\r\nb"), ("X-A", " 1"),
               ("X-A", "1 "), ("X-A", "\u20ac"), ("", "1"), ("X-A", 1), (b"X-A", b"1"), ["X-A", "1"], ("X-A",),
               ("X:A", "1"), ("X_A", "1"), ("X-A", "a\x00"), ("X-A", "\x7f"), ("Keep-Alive", "timeout=5"))  # fmt: skip
LENGTHS = ("Content-Length", "content-length")
# As the crate has them: the same objects in each answer.
CONSTANT = [(f"X-Constant-{number}", str(number)) for number in range(7)]
RUNS = ((), tuple(CONSTANT), tuple(CONSTANT[:3]), (("Vary", "Origin"),))
ODD_RUNS = (
    (("Connection", "close"),),
    (("X-A", "a\r\nb"),),
    (("Content-Length", "1"),),
    ((*CONSTANT[:2], ("X A", "1"))),
)
IDS = (None, "0123456789abcdef", "a-b.c_d~e")
NOTHING = ((), None, ())
ODD_IDS = ("", "\xe4", "\u0663", "a\r\nb", "a b")


@pytest.fixture
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, "gunicorn.http.wsgi")


class Wire:
    """A client that takes everything."""

    def __init__(self):
        self.taken = b""

    def settimeout(self, _seconds):
        pass

    def sendall(self, data):
        self.taken += data


class Asked:
    version = (1, 1)

    def __init__(self, method, *, is_last):
        self.method, self._is_last = method, is_last

    def should_close(self):
        return self._is_last


def made_up(draw):
    """Make up an answer: most are ordinary, or have one thing that is not."""
    oddly = draw.random()
    method = "HEAD" if oddly < 0.05 else draw.choice(("GET", "POST"))
    status = draw.choice(ODD_STATUSES if 0.05 <= oddly < 0.17 else STATUSES)
    headers = draw.sample(HEADERS, draw.randint(0, 5))
    if draw.random() < 0.5:
        begin, step = draw.randint(0, 2), draw.choice((1, 1, 1, 2))
        headers += CONSTANT[begin : draw.randint(4, 7) : step]
    body = b"x" * draw.choice((0, 1, 20, 3000))
    if not 0.2 <= oddly < 0.27:
        headers.insert(draw.randint(0, len(headers)), ("Content-Length", str(len(body))))
    elif oddly >= 0.22:
        length = draw.choice((len(body) + 1, max(len(body) - 1, 0), "x", "", f" {len(body)}"))
        headers.insert(draw.randint(0, len(headers)), (draw.choice(LENGTHS), str(length)))
    if 0.27 <= oddly < 0.3:
        length = (draw.choice(LENGTHS), str(len(body) + draw.choice((-1, 0, 1))))
        headers.insert(draw.randint(0, len(headers)), length)
    if 0.3 <= oddly < 0.5:
        headers.insert(draw.randint(0, len(headers)), draw.choice(ODD_HEADERS))
    return method, status, headers, body, draw.random() < 0.2


def parts_of(draw):
    """Make up what comes behind the headers of an answer; mostly nothing is wrong with it."""
    oddly = draw.random()
    before = draw.choice(ODD_RUNS if oddly < 0.05 else RUNS)
    behind = draw.choice(ODD_RUNS if 0.05 <= oddly < 0.1 else RUNS)
    return before, draw.choice(ODD_IDS if 0.1 <= oddly < 0.15 else IDS), behind


def undated(sent):
    return re.sub(rb"\r\nDate: [^\r]+", b"", sent, count=1)


def by_gunicorn(cfg, answer):
    method, status, headers, body, is_last, (before, request_id, behind) = answer
    headers = [
        *headers,
        *before,
        *([] if request_id is None else [("X-Request-ID", request_id)]),
        *behind,
    ]
    wire = Wire()
    response = Response(Asked(method, is_last=is_last), wire, cfg)
    response.start_response(status, headers)
    response.write(body)
    response.close()
    return wire.taken, response.should_close()


def first_difference(cfg, connection, reply=reply, writer=writer):
    draw, writing, counted = random.Random(5), writer.Writer(), Counter()
    connection.sock = Wire()
    for _ in range(ANSWERS):
        method, status, headers, body, is_last = made_up(draw)
        parts = parts_of(draw) if draw.random() < 0.5 else NOTHING
        answer = method, status, headers, body, is_last, parts
        ours = reply.Reply(method, connection, cfg, Lines(), is_last=is_last)
        ours.in_parts(status, headers, *parts) if parts != NOTHING else ours(status, headers)
        connection.sock.taken = b""
        # By the last time, whatever can be remembered is.
        before, request_id, behind = parts
        more = {"before": before, "request_id": request_id, "behind": behind}
        for _ in range(3):
            writing.written(status, headers, body, is_last=is_last, **more)
        try:
            whole = ours.carry([body], writing)
        except Exception:  # noqa: BLE001 - gunicorn's, which has the word then
            continue
        if whole is None:
            continue
        counted.update(taken=1, in_parts=parts != NOTHING)
        try:
            theirs, closes = by_gunicorn(cfg, answer)
        except Exception as error:  # noqa: BLE001 - what it refuses is a difference
            return answer, error
        if (undated(whole), is_last) != (undated(theirs), closes):
            return answer, whole, theirs
    return (
        None if min(counted["taken"], 2 * counted["in_parts"]) > ANSWERS * LEAST_SHARE else counted
    )


def test_it_is_what_gunicorn_writes(cfg, connection):
    assert first_difference(cfg, connection) is None


MUTANTS = {
    "no content has a length": ("(?!204|304)", "(?!304)"),
    "what is not modified has a body": ("(?!204|304)", "(?!204)"),
    "HEAD has a body": (' and self.method != "HEAD"', ""),
    "any status is one": ('r"(?!204|304)[2-5]\\d\\d [ -~]+"', 'r"(?s:.)*"'),
    "any name is one": ('r"[A-Za-z0-9-]+"', 'r"(?s:.)*"'),
    "any value is one": ("_VALUE.fullmatch(text)", "True"),
    "hops are passed on": ("{*hop_headers, _LENGTH.lower()}", "{_LENGTH.lower()}"),
    "a length may be written in small letters": ("{*hop_headers, _LENGTH.lower()}", "{*hop_headers}"),
    "a length is what the app says": ("if header == length:", "if header[0] == _LENGTH:"),
    "headers are in another order": ("given: list[Any] = headers", "given = headers[::-1]"),
    "connections are kept": ("'close' if is_last else 'keep-alive'", "'keep-alive'"),
    "connections are kept, once": ("key = status, is_last", "key = status, False"),
    "all runs are one": ("known = self._runs.get(id(headers))", "known = next(iter(self._runs.values()), None)"),
    "a run is any headers": ("            if line is None:\n                return None\n            lines.append(line)\n        data", "            lines.append(line or b'')\n        data"),
    "the id comes last": ("lines += (first, line, last)", "lines += (first, last, line)"),
    "the runs change places": ("lines += (first, line, last)", "lines += (last, line, first)"),
    "any id is one": ("request_id.isalnum()", "True"),
    "a name has one value": ("self._known[name, value] = line", 'self._known[name, "1"] = line'),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_is_seen(cfg, connection, mutant):
    pattern, _ = MUTANTS[mutant]
    # Both anew: machine code takes no writer but its own.
    changed = {
        name: mutated(module, *MUTANTS[mutant] if pattern in source_of(module).read_text() else ())
        for name, module in (("reply", reply), ("writer", writer))
    }
    assert first_difference(cfg, connection, **changed)


@pytest.fixture
def answer(cfg, connection, pair):
    def give(body, *, method="GET", status="200 OK", headers=(), is_last=False, before=None):
        made = Reply(method, connection, cfg, Lines(), is_last=is_last)
        write = made(status, list(headers))
        if before is not None:
            before(made, write)
        whole = made.carry(body, Writer())
        connection.sock.close()
        return whole, b"".join(iter(lambda: pair[1].recv(65536), b"")), made

    return give


def test_a_body_of_unknown_length_goes_in_chunks(answer):
    whole, sent, _ = answer(iter([b"one", b"", b"two"]))
    assert whole is None
    assert sent.endswith(b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


@pytest.mark.parametrize(("method", "status", "length", "is_last"), [
    pytest.param("GET", "200 OK", "4", True, id="less than was promised"),
    pytest.param("GET", "200 OK", "3", False, id="what was promised"),
    pytest.param("HEAD", "200 OK", "4", False, id="what would be there"),
    pytest.param("GET", "304 NOT MODIFIED", "4", False, id="what is there already"),
])  # fmt: skip
def test_an_answer_that_is_too_short_is_the_last(answer, method, status, length, is_last):
    _, _, made = answer(iter([b"ab", b"c"]), method=method, status=status,
                        headers=[("Content-Length", length)])  # fmt: skip
    assert made.is_last is is_last


def test_a_file_is_sent_as_one(answer, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 10_000)
    with (tmp_path / "file").open("rb") as file:
        _, sent, _ = answer(FileWrapper(file), headers=[("Content-Length", "10000")])
    assert sent.partition(b"\r\n\r\n")[2] == b"x" * 10_000


def test_what_is_written_the_old_way_comes_first(answer):
    _, sent, _ = answer([b"two"], headers=[("Content-Length", "6")],
                        before=lambda _, write: write(b"one"))  # fmt: skip
    assert sent.endswith(b"\r\n\r\nonetwo")


def test_hints_come_before_the_answer(answer):
    hint = ("Link", "</a.css>; rel=preload")
    whole, sent, _ = answer([b""], headers=[("Content-Length", "0")],
                            before=lambda made, _: made.hint([hint]))  # fmt: skip
    assert sent == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")


def test_another_start_needs_a_reason_and_may_come_too_late(answer):
    error = ValueError("late")
    given = (ValueError, error, None)

    def twice(made, _write):
        with pytest.raises(RuntimeError, match="twice"):
            made("200 OK", [])
        made("500 NO", [], given)

    assert answer([b"a"], before=twice)[1].startswith(b"HTTP/1.1 500 NO\r\n")


def test_another_start_after_the_first_byte_raises_its_reason(answer):
    error = ValueError("late")

    def too_late(made, write):
        write(b"a")
        with pytest.raises(ValueError, match="late"):
            made("500 NO", [], (ValueError, error, None))

    assert answer([b"b"], before=too_late)[1].startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_comes_after_a_whole_answer_is_not_sent(cfg, connection, pair):
    made = Reply("GET", connection, cfg, Lines(), is_last=False)
    write = made("200 OK", [("Content-Length", "1")])
    assert made.carry([b"a"], Writer()).endswith(b"\r\n\r\na")
    write(b"b")
    made.hint([("Link", "</a.css>")])
    error = ValueError("late")
    with pytest.raises(ValueError, match="late"):
        made("500 NO", [], (ValueError, error, None))
    connection.sock.close()
    assert pair[1].recv(65536) == b""


def test_what_comes_after_the_last_chunk_is_not_sent(cfg, connection, pair):
    made = Reply("GET", connection, cfg, Lines(), is_last=False)
    write = made("200 OK", [])
    assert made.carry([b"a"], Writer()) is None
    write(b"b")
    connection.sock.close()
    assert pair[1].recv(65536).endswith(b"\r\n\r\n1\r\na\r\n0\r\n\r\n")


def test_a_body_without_a_status_is_the_apps_mistake(cfg, connection):
    with pytest.raises(RuntimeError, match="start_response"):
        Reply("GET", connection, cfg, Lines(), is_last=False).carry([b"a"], Writer())


@pytest.mark.parametrize("lengths", [(), ("1", "1"), ("1", "2"), ("2",)])
def test_a_length_is_announced_once_and_true(lengths):
    headers = [("Content-Length", length) for length in lengths]
    assert Writer().written("200 OK", headers, b"a", is_last=False) is None


def remembered(writer, headers, times):
    for _ in range(times):
        assert writer.written("200 OK", [*headers, ("Content-Length", "1")], b"a", is_last=False)
    return writer._known  # nothing else shows what is in memory


def test_cookies_are_not_remembered():
    assert remembered(Writer(), [("Set-Cookie", "session=secret")], 3) == {}


def test_what_is_another_one_each_time_is_not_remembered():
    assert remembered(Writer(), [("X-Request-ID", "a")], 3) == {}


def test_headers_are_remembered_once_they_come_again():
    writer = Writer()
    assert remembered(writer, [("X-A", "a")], 1) == {}
    assert remembered(writer, [("X-A", "a")], 1) == {("X-A", "a"): b"X-A: a\r\n"}


def test_headers_that_come_together_are_written_once():
    writer = Writer()
    shared = tuple((f"X-{number}", "a") for number in range(9))
    for _ in range(5):
        headers = [("Content-Length", "1")]
        whole = writer.written("200 OK", headers, b"a", is_last=False, before=shared)
        assert whole.count(b"\r\nX-") == 9
    assert [headers for headers, _ in writer._runs.values()] == [shared, ()]


def test_what_others_make_anew_each_time_is_not_remembered_for_ever():
    writer = Writer()
    for number in range(3000):
        run = ((f"X-{number}", "a"),)
        assert writer.written("200 OK", [("Content-Length", "1")], b"a", is_last=False, before=run)
    assert len(writer._runs) <= 1000


def test_what_is_not_sent_at_once_has_all_parts(cfg, connection, pair):
    made = Reply("GET", connection, cfg, Lines(), is_last=False)
    made.in_parts("200 OK", [("A", "1")], (("B", "2"),), "3", (("C", "4"),))
    assert made.carry(iter([b"a"]), Writer()) is None
    connection.sock.close()
    assert b"\r\nA: 1\r\nB: 2\r\nX-Request-ID: 3\r\nC: 4\r\n" in pair[1].recv(65536)


def test_another_start_forgets_the_parts(cfg, connection):
    made = Reply("GET", connection, cfg, Lines(), is_last=False)
    made.in_parts("200 OK", [("A", "1")], (("B", "2"),), "3", (("C", "4"),))
    with pytest.raises(RuntimeError, match="twice"):
        made.in_parts("200 OK", [], (), None, ())
    made("500 NO", [("Content-Length", "1")], (ValueError, ValueError("late"), None))
    assert made.carry([b"a"], Writer()).endswith(b"keep-alive\r\nContent-Length: 1\r\n\r\na")


def test_headers_are_remembered_while_they_are_few():
    writer = Writer()
    for number in range(2500):
        known = remembered(writer, [("X-A", str(number)), ("X-B", "b" * 1000)], 2)
    assert 0 < len(known) <= 1000
    assert all(len(line) < 600 for line in known.values())
