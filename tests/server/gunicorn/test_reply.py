# ruff: noqa: E501 - tables of what is tried
"""What is written at once is written as gunicorn writes it."""

import logging
import random
import re

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
LEAST_SHARE = 0.35

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
# As the crate has them: the same objects in each answer, in an order of a few.
CONSTANT = [(f"X-Constant-{number}", str(number)) for number in range(7)]


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


def undated(sent):
    return re.sub(rb"\r\nDate: [^\r]+", b"", sent, count=1)


def by_gunicorn(cfg, answer):
    method, status, headers, body, is_last = answer
    wire = Wire()
    response = Response(Asked(method, is_last=is_last), wire, cfg)
    response.start_response(status, headers)
    response.write(body)
    response.close()
    return wire.taken, response.should_close()


def first_difference(cfg, connection, reply=reply, writer=writer):
    draw, writing, taken = random.Random(5), writer.Writer(), 0
    connection.sock = Wire()
    for _ in range(ANSWERS):
        method, status, headers, body, is_last = answer = made_up(draw)
        ours = reply.Reply(method, connection, cfg, Lines(), is_last=is_last)
        ours.start(status, headers)
        connection.sock.taken = b""
        # By the last time, whatever can be remembered is.
        for _ in range(3):
            writing.written(status, headers, body, is_last=is_last)
        try:
            whole = ours.carry([body], writing)
        except Exception:  # noqa: BLE001 - gunicorn's, which has the word then
            continue
        if whole is None:
            continue
        taken += 1
        try:
            theirs, closes = by_gunicorn(cfg, answer)
        except Exception as error:  # noqa: BLE001 - what it refuses is a difference
            return answer, error
        if (undated(whole), is_last) != (undated(theirs), closes):
            return answer, whole, theirs
    connection.share, connection.runs = taken / ANSWERS, len(writing._runs)
    return None


def test_it_is_what_gunicorn_writes(cfg, connection):
    assert first_difference(cfg, connection) is None
    assert connection.share > LEAST_SHARE
    assert connection.runs > 3


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
    "a run is known by its first": ("and given[at : at + run.size] == run.headers", ""),
    "a run is one longer": ("at += run.size", "at += run.size + 1"),
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
        write = made.start(status, list(headers))
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
            made.start("200 OK", [])
        made.start("500 NO", [], given)

    assert answer([b"a"], before=twice)[1].startswith(b"HTTP/1.1 500 NO\r\n")


def test_another_start_after_the_first_byte_raises_its_reason(answer):
    error = ValueError("late")

    def too_late(made, write):
        write(b"a")
        with pytest.raises(ValueError, match="late"):
            made.start("500 NO", [], (ValueError, error, None))

    assert answer([b"b"], before=too_late)[1].startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_comes_after_a_whole_answer_is_not_sent(cfg, connection, pair):
    made = Reply("GET", connection, cfg, Lines(), is_last=False)
    write = made.start("200 OK", [("Content-Length", "1")])
    assert made.carry([b"a"], Writer()).endswith(b"\r\n\r\na")
    write(b"b")
    made.hint([("Link", "</a.css>")])
    error = ValueError("late")
    with pytest.raises(ValueError, match="late"):
        made.start("500 NO", [], (ValueError, error, None))
    connection.sock.close()
    assert pair[1].recv(65536) == b""


def test_what_comes_after_the_last_chunk_is_not_sent(cfg, connection, pair):
    made = Reply("GET", connection, cfg, Lines(), is_last=False)
    write = made.start("200 OK", [])
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


def test_headers_that_come_together_are_written_together():
    writer = Writer()
    shared = [(f"X-{number}", "a") for number in range(9)]
    secret = ("Set-Cookie", "session=secret")
    written = set()
    for _ in range(5):
        headers = [*shared[:5], secret, *shared[5:], ("Content-Length", "1")]
        written.add(writer.written("200 OK", headers, b"a", is_last=False))
    assert len(written) == 1
    assert [run.headers for run in writer._runs.values()] == [shared[:5], shared[5:]]


@pytest.mark.replaces
def test_nothing_is_learned_of_what_another_thread_has_made_room_of():
    writer = Writer()

    class Forgetful(dict):
        """Another thread clears it behind the look whether a header is there."""

        def __contains__(self, header):
            found = super().__contains__(header)
            if header == shared[-1]:
                self.clear()
            return found

    shared = [(f"X-{number}", "a") for number in range(9)]
    headers = [*shared, ("Content-Length", "1")]
    for _ in range(2):
        writer.written("200 OK", headers, b"a", is_last=False)
    writer._known = Forgetful(writer._known)
    for _ in range(5):
        assert writer.written("200 OK", headers, b"a", is_last=False).count(b"\r\n") == 15
    assert writer._runs == {}


def test_what_others_make_anew_each_time_is_not_remembered_for_ever():
    writer = Writer()
    for number in range(3000):
        headers = [(f"X-{n}", f"{number // 3} {n}") for n in range(9)]
        assert writer.written("200 OK", [*headers, ("Content-Length", "1")], b"a", is_last=False)
    assert writer._runs == {}
    assert len(writer._seen) <= 1009


def test_headers_are_remembered_while_they_are_few():
    writer = Writer()
    for number in range(2500):
        known = remembered(writer, [("X-A", str(number)), ("X-B", "b" * 1000)], 2)
    assert 0 < len(known) <= 1000
    assert all(len(line) < 600 for line in known.values())
