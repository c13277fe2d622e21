"""The crate as a whole: PEP 3333 around any app, isolation, and what goes wrong."""

import io
import json
import logging
import sys
import threading
import wsgiref.util
from wsgiref.validate import validator

import pytest

from carboy.crate import Crate
from carboy.errors import Conflict, Unavailable
from carboy.logs import current_ids


class Body:
    """An iterable that tells whether and how often it was closed."""

    def __init__(self, *chunks):
        self.chunks = iter(chunks)
        self.closed = 0

    def __iter__(self):
        return self

    def __next__(self):
        chunk = next(self.chunks)
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    def close(self):
        self.closed += 1


def plain(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"o", b"k"]


def empty(environ, start_response):
    start_response("204 No Content", [])
    return []


def unchanged(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"1"')])
    return []


def head(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"ok"]


def generated(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"o"
    yield b"k"


def late(environ, start_response):
    """Start only when the first chunk is asked for."""

    def chunks():
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"ok"

    return chunks()


def writing(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"o")
    return [b"k"]


def reading(environ, start_response):
    stream = environ["wsgi.input"]
    got = stream.read(2) + stream.readline() + b"".join(stream.readlines()) + b"".join(stream)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [got]


def failing(environ, start_response):
    raise ValueError("secret detail")


def failing_at_once(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Body(ValueError("secret detail"))


def refusing(environ, start_response):
    raise Conflict("Two of them.", data={"name": ["taken"]})


def replacing(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        failing(environ, start_response)
    except ValueError:
        start_response("500 Oh", [("Content-Type", "text/plain")], sys.exc_info())
    return [b"sorry"]


APPS = [plain, empty, unchanged, head, generated, late, writing, reading, failing,
        failing_at_once, refusing, replacing]  # fmt: skip
REQUESTS = [
    pytest.param({}, id="GET"),
    pytest.param({"method": "HEAD"}, id="HEAD"),
    pytest.param({"method": "POST", "body": b"ab\ncd\nef"}, id="POST"),
    pytest.param({"method": "POST", "body": b"ab\ncd\nef", "HTTP_TRANSFER_ENCODING": "chunked",
                  "wsgi.input_terminated": True}, id="a chunked POST"),
    pytest.param({"method": "OPTIONS", "HTTP_ORIGIN": "https://a.example",
                  "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}, id="a preflight"),
    pytest.param({"HTTP_HOST": "evil.example"}, id="a strange host"),
    pytest.param({"path": "/health"}, id="health"),
    pytest.param({"path": "/health/ready"}, id="readiness"),
    pytest.param({"path": "/health/ready", "method": "POST"}, id="a wrong method"),
    pytest.param({"path": "/metrics"}, id="metrics"),
    pytest.param({"method": "POST", "CONTENT_LENGTH": "99999"}, id="too large"),
    pytest.param({"wsgi.url_scheme": "https", "HTTP_ORIGIN": "https://a.example"}, id="TLS"),
]  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("app", APPS, ids=lambda app: app.__name__)
def test_both_sides_of_the_crate_keep_to_pep_3333(make_crate, get, access, app, request_):
    crate = make_crate(validator(app), MAX_CONTENT_LENGTH=1000, CORS_ORIGINS="https://a.example",
                       LOG_LEVEL="INFO")  # fmt: skip
    answer = get(validator(crate), **request_)
    assert answer["X-Request-ID"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert len({name for name in answer.names() if name != "vary"}) == len(
        [name for name in answer.names() if name != "vary"]
    )
    assert b"secret detail" not in answer.body
    assert [record.status for record in access()] == [answer.status]
    assert access()[0].bytes == len(answer.body)
    assert current_ids.get() is None


@pytest.mark.parametrize(
    ("app", "status", "body"),
    [
        (plain, 200, b"ok"), (empty, 204, b""), (unchanged, 304, b""), (generated, 200, b"ok"),
        (late, 200, b"ok"), (writing, 200, b"ok"), (replacing, 500, b"sorry"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_answers_pass_as_they_are(make_crate, get, app, status, body):
    answer = get(make_crate(app))
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize("app", [failing, failing_at_once], ids=lambda app: app.__name__)
def test_an_unforeseen_failure_is_a_500_without_its_text(make_crate, get, caplog, app):
    answer = get(make_crate(app))
    assert answer.status == 500
    assert json.loads(answer.body)["code"] == "internal_error"
    logged = [record for record in caplog.records if record.name == "carboy.crate"]
    assert [record.exc_info[0] for record in logged] == [ValueError]


@pytest.mark.parametrize("app", [failing, failing_at_once], ids=lambda app: app.__name__)
def test_a_failure_is_let_through_when_asked(make_crate, get, access, app):
    crate = make_crate(app, propagate=True)
    with pytest.raises(ValueError, match="secret detail"):
        get(crate)
    assert [record.status for record in access()] == [500]
    assert current_ids.get() is None
    assert 'status="500"' in get(crate, "/metrics").body.decode()


def test_a_refusal_of_the_app_is_rendered_even_then(make_crate, get):
    answer = get(make_crate(refusing, propagate=True))
    assert answer.status == 409
    assert json.loads(answer.body) == {
        "status": "fail",
        "message": "Two of them.",
        "code": "conflict",
        "data": {"name": ["taken"]},
    }


def test_a_refusal_from_within_the_body(make_crate, get):
    def app(environ, start_response):
        return Body(Unavailable(retry_after_s=3))

    answer = get(make_crate(app))
    assert (answer.status, answer["Retry-After"]) == (503, "3")


def test_an_exit_is_never_held_up(make_crate, get, access):
    def app(environ, start_response):
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        get(make_crate(app))
    assert len(access()) == 1
    assert current_ids.get() is None


@pytest.mark.parametrize("error", [ValueError("late"), Unavailable()], ids=["failure", "refusal"])
def test_too_late_for_another_answer(make_crate, get, access, error):
    body = Body(b"half", error)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    with pytest.raises(type(error)):
        get(make_crate(app))
    assert body.closed == 1
    assert [record.status for record in access()] == [500]


def test_headers_that_are_out_raise_in_the_server(make_crate, environ, access):
    """A server that has sent the headers raises what it is given (PEP 3333)."""

    def start_response(status, headers, exc_info=None):
        if exc_info:
            raise exc_info[1]

    body = Body(ValueError("after the headers"))

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    result = make_crate(app)(environ(), start_response)
    with pytest.raises(ValueError, match="after the headers"):
        next(iter(result))
    result.close()
    assert body.closed == 1
    assert len(access()) == 1


@pytest.mark.parametrize("read", [0, 1, 2, 3])
def test_a_body_is_closed_once_and_the_request_finished_once(make_crate, environ, access, read):
    body = Body(b"a", b"b")

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    result = make_crate(app)(environ(), lambda *_: None)
    for _ in range(read):
        next(iter(result), None)
    assert len(access()) == (1 if read == 3 else 0)
    result.close()
    result.close()
    assert body.closed == 1
    assert [record.bytes for record in access()] == [min(read, 2)]


def test_the_last_promised_byte_finishes_the_request(make_crate, environ, access):
    result = make_crate(plain)(environ(), lambda *_: None)
    parts = iter(result)
    next(parts)
    assert not access()
    next(parts)
    assert len(access()) == 1
    result.close()
    assert len(access()) == 1


def test_a_client_that_left_before_the_answer(make_crate, environ, access):
    result = make_crate(late)(environ(), lambda *_: None)
    result.close()
    assert [record.status for record in access()] == [499]


def test_a_body_that_fails_to_close_still_ends_the_request(make_crate, environ, access):
    class Stubborn(Body):
        def close(self):
            raise OSError("gone")

    def app(environ, start_response):
        start_response("200 OK", [])
        return Stubborn(b"a")

    result = make_crate(app)(environ(), lambda *_: None)
    with pytest.raises(OSError, match="gone"):
        result.close()
    assert len(access()) == 1
    assert current_ids.get() is None


class SlottedWrapper(wsgiref.util.FileWrapper):
    """A wrapper that takes no attributes, as those written in C."""

    def __setattr__(self, name, value):
        if name == "close" and hasattr(self, "close"):
            raise AttributeError(name)
        super().__setattr__(name, value)


@pytest.mark.parametrize(
    ("wrapper", "kept"),
    [
        pytest.param(wsgiref.util.FileWrapper, True, id="a wrapper the server can send itself"),
        pytest.param(SlottedWrapper, False, id="one that takes no attributes is read through"),
    ],
)
def test_files_stay_files(make_crate, environ, access, wrapper, kept):
    file = io.BytesIO(b"0123456789")

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "10")])
        return environ["wsgi.file_wrapper"](file)

    result = make_crate(app)(environ(**{"wsgi.file_wrapper": wrapper}), lambda *_: None)
    assert isinstance(result, wrapper) is kept
    assert b"".join(result) == b"0123456789"
    result.close()
    assert file.closed
    assert [record.bytes for record in access()] == [10]
    assert current_ids.get() is None


def test_other_bodies_under_a_file_wrapper(make_crate, get):
    answer = get(make_crate(plain), **{"wsgi.file_wrapper": wsgiref.util.FileWrapper})
    assert answer.body == b"ok"


def test_an_envelope_that_fails_does_not_fail_the_answer(tmp_path, make_crate, get, caplog):
    from carboy import Testing

    def render(error, environ):
        raise RuntimeError("no envelope")

    crate = Crate(refusing, Testing.load(environ={}), instance_path=tmp_path, checks={},
                  render=render)  # fmt: skip
    answer = get(crate)
    assert (answer.status, json.loads(answer.body)["code"]) == (409, "conflict")
    assert "could not be written in the app's envelope" in caplog.text


def test_refusals_wear_what_render_makes_of_them(tmp_path, get):
    from carboy import Testing

    crate = Crate(refusing, Testing.load(environ={}), instance_path=tmp_path, checks={},
                  render=lambda error, environ: (f"{environ['PATH_INFO']} {error.code}".encode(),
                                                 "text/x-own"))  # fmt: skip
    answer = get(crate, "/shelf")
    assert (answer["Content-Type"], answer.body) == ("text/x-own", b"/shelf conflict")


def test_log_records_know_their_request_and_no_other(make_crate, get, caplog):
    """Many requests at the same time, each logging between two meetings with the others."""
    caplog.set_level(logging.INFO, logger="shop")
    count = 8
    together = threading.Barrier(count, timeout=20)

    def app(environ, start_response):
        together.wait()
        logging.getLogger("shop").info("%s", environ["PATH_INFO"])
        together.wait()
        start_response("200 OK", [])
        return [b""]

    crate = make_crate(app)
    threads = [
        threading.Thread(target=get, args=(crate, f"/{n}"), kwargs={"HTTP_X_REQUEST_ID": f"id-{n}"})
        for n in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    records = [record for record in caplog.records if record.name == "shop"]
    assert len(records) == count
    assert all(record.request_id == f"id-{record.getMessage()[1:]}" for record in records)


def test_a_request_within_a_request_gives_the_ids_back(make_crate, get):
    seen = []
    inner = make_crate()

    def app(environ, start_response):
        get(inner, HTTP_X_REQUEST_ID="inner")
        seen.append(current_ids.get().request_id)
        start_response("200 OK", [])
        return [b""]

    get(make_crate(app), HTTP_X_REQUEST_ID="outer")
    assert seen == ["outer"]


def test_the_context_lasts_until_the_close(make_crate, environ):
    seen = []

    class Closing(Body):
        def close(self):
            seen.append(current_ids.get().request_id)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "1")])
        return Closing(b"a")

    result = make_crate(app)(environ(HTTP_X_REQUEST_ID="lasting"), lambda *_: None)
    list(result)
    result.close()
    assert seen == ["lasting"]


@pytest.mark.parametrize("propagate", [None, 0])
def test_whether_a_failure_is_let_through_may_be_said_in_any_way(make_crate, get, propagate):
    assert get(make_crate(failing, propagate=propagate)).status == 500


def test_what_is_written_at_once_is_for_the_server_to_judge(make_crate, get):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])(bytearray(b"ok"))
        return []

    assert get(make_crate(app)).body == b"ok"
