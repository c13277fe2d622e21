"""Forms that are taken apart in one step, held against Werkzeug's own way with them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import flask
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

import carboy.fast.flask.form as quick
from carboy.fast.flask import Flask

B = b"boundary-7"
FIELD = b'--boundary-7\r\nContent-Disposition: form-data; name="a"\r\n\r\none'
FILE = (
    b'--boundary-7\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\xff\r\n\r\n-- \r"
)
LATIN = b"\r\nContent-Type: text/plain; charset=iso-8859-1"
END = b"\r\n--boundary-7--\r\n"
PLAIN = {
    "a field": FIELD + END,
    "a file": FILE + END,
    "both, and no line break at the end": FIELD + b"\r\n" + FILE + END[:-2],
    "an empty field": FIELD[:-3] + END,
    "an empty file name": FILE.replace(b"x.bin", b"") + END,
    "a name that repeats": FIELD + b"\r\n" + FIELD + END,
    "no name": FIELD.replace(b'; name="a"', b"") + END,
    "another charset": FIELD.replace(b"\r\n\r\none", LATIN + b"\r\n\r\n\xe9") + END,
    "bytes that are no UTF-8": FIELD + b"\xe9" + END,
    "a line break before": b"\r\n" + FIELD + END,
    "a file of 1 MB": FILE + b"x" * 1_000_000 + END,
}  # fmt: skip
OTHER = {
    "nothing": b"",
    "no end": FIELD,
    "an end that is cut": FIELD + END[:-5],
    "an end without a part": END[2:],
    "text before": b"hello\r\n" + FIELD + END,
    "text before a file": b"hello\r\n" + FILE + END,
    "two line breaks before": b"\r\n\r\n" + FIELD + END,
    "a bare line break before": b"\n" + FIELD + END,
    "text behind": FIELD + END + b"goodbye",
    "a part behind the end": FIELD + END + FILE + END,
    "line breaks of one letter": (FIELD + END).replace(b"\r\n", b"\n"),
    "line breaks of the other letter": (FIELD + END).replace(b"\r\n", b"\r"),
    "a boundary behind a bare line break": FIELD + b"\n" + FILE + END,
    "a boundary in the middle of a line": FIELD + FILE + END,
    "a boundary with more behind it": FIELD + b"\r\n--boundary-77\r\n" + END,
    "blanks behind a boundary": (FIELD + END).replace(b"boundary-7\r\n", b"boundary-7 \t\r\n"),
    "blanks behind the end": FIELD + END[:-2] + b" \r\n",
    "a boundary right behind the headers": FIELD[:-3] + END[2:],
    "a boundary instead of the blank line": FIELD[:-5] + END[2:],
    "no headers": b"--boundary-7\r\n\r\none" + END,
    "no disposition": FIELD.replace(b"Content-Disposition", b"X") + END,
    "a continued header": FIELD.replace(b"; name", b";\r\n name") + END,
    "a header with a bare line break": FIELD.replace(b"; name", b";\n name") + END,
    "a blank line of bare line breaks": FIELD.replace(b"\r\n\r\n", b"\n\n") + END,
    "a header that is no UTF-8": FIELD.replace(b'"a"', b'"\xe9"') + END,
    "headers without an end": FIELD.replace(b"\r\n\r\n", b"\r\n") + END,
    "headers of 5 kB": FIELD.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 5000 + b"\r\n\r\n") + END,
    "a field of 100 kB": FIELD + b"x" * 100_000 + END,
    "a field of 600 kB": FIELD + b"x" * 600_000 + END,
    "a field too many": (FIELD + b"\r\n") * 12 + FILE + END,
}


def parsed(parser: type, body: bytes, memory: int | None = 500_000) -> object:
    """What comes of a body, also if that is an error."""
    request = Request(EnvironBuilder().get_environ())
    made = parser(request._get_file_stream, max_form_memory_size=memory, max_form_parts=10,
                  silent=False)  # fmt: skip
    try:
        stream, form, files = made.parse(
            io.BytesIO(body), "multipart/form-data", len(body), {"boundary": B.decode()}
        )
    except Exception as error:  # noqa: BLE001 - whatever Werkzeug raises
        with warnings.catch_warnings():  # of the file that Werkzeug leaves open
            warnings.simplefilter("ignore", ResourceWarning)
            error.__traceback__ = error.__context__ = None
        return type(error), str(error)
    assert stream.read() == b""
    shown = []
    for key, file in files.items(multi=True):
        about = key, file.name, file.filename, list(file.headers), type(file.stream)
        shown.append((*about, file.read()))
        file.close()
    return list(form.items(multi=True)), shown


def hits() -> int:
    return quick._Quick.taken_apart


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_a_plain_form_is_taken_apart_in_one_step_into_the_same(body):
    before = hits()
    assert parsed(quick._Quick, body) == parsed(FormDataParser, body)
    assert hits() == before + 1


@pytest.mark.parametrize("body", OTHER.values(), ids=OTHER)
def test_any_other_form_is_left_to_werkzeug(body):
    before = hits()
    assert parsed(quick._Quick, body) == parsed(FormDataParser, body)
    assert hits() == before


@pytest.mark.parametrize("memory", [None, 500, 100_000], ids=["no limit", "tiny", "small"])
@pytest.mark.parametrize("name", ["a file", "a field of 100 kB"])
def test_another_limit_of_memory_has_the_same_effect(name, memory):
    body = {**PLAIN, **OTHER}[name]
    assert parsed(quick._Quick, body, memory) == parsed(FormDataParser, body, memory)


PIECES = [b"\r\n", b"\r", b"\n", b"--", b"boundary-7", b"--boundary-7", b" ", b"x", b"\xff",
          FIELD, FILE, END, b'Content-Disposition: form-data; name="b"']  # fmt: skip
_seen = {"forms": 0, "plain": 0}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([FIELD, FILE]), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(PIECES)), max_size=2),
)
def test_a_form_that_was_tampered_with_is_read_as_werkzeug_reads_it(parts, changes):
    body = b"\r\n".join(parts) + END
    for at, piece in changes:
        body = body[:at] + piece + body[at:]
    before = hits()
    assert parsed(quick._Quick, body) == parsed(FormDataParser, body)
    _seen["forms"] += 1
    _seen["plain"] += hits() - before


def test_many_of_them_were_taken_apart_in_one_step():
    test_a_form_that_was_tampered_with_is_read_as_werkzeug_reads_it()
    assert _seen["plain"] > _seen["forms"] // 10


MUTANTS = [
    (r'or body[at - 2 : at] != b"\r\n"', ""),
    ("else None\n    return None", "else None\n    return parts"),
    ("body[behind : behind + 5] in _ENDS", "True"),
    (r'b"\r" in line or b"\n" in line or line[:1] in b" \t"', "False"),
    ("max_form_parts or WHOLE", "max_form_memory_size or WHOLE"),
    ('"filename" in about or len(content) <= _FIELD_BYTES_MAX', "True"),
    ("value is None else", "value is None and False else"),
    ("view[gap + 4 : end]", "body[gap + 2 : end]"),
    ("get_part_charset(headers)", "get_part_charset(Headers())"),
    (r'not body.startswith(mark + b"\r\n", before)', "False"),
    ("files.append((name", 'files.append(("f"'),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong"), MUTANTS, ids=[right for right, _ in MUTANTS])
def test_a_mistake_in_it_would_be_noticed(right, wrong):
    source = Path(quick.__file__).read_text(encoding="utf-8")
    assert right in source
    mutant: dict[str, object] = {"__name__": "mutant"}
    exec(compile(source.replace(right, wrong), "mutant", "exec"), mutant)
    bodies = [*PLAIN.values(), *OTHER.values(), FILE.replace(b'"f"', b'"g"') + END]
    assert any(parsed(mutant["_Quick"], body) != parsed(FormDataParser, body) for body in bodies)


def test_views_on_the_lane_get_files_and_fields():
    app = Flask(__name__)

    @app.post("/")
    def take():
        from flask import request

        file = request.files["f"]
        return {"size": len(file.read()), "name": file.filename, "a": request.form["a"]}

    before = hits()
    answer = app.test_client().post(
        "/", data={"a": "é", "f": (io.BytesIO(b"x" * 400_000), "data.bin")}
    )
    assert answer.json == {"size": 400_000, "name": "data.bin", "a": "é"}
    assert hits() == before + 1


def test_a_parser_that_somebody_replaced_is_left_alone(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "parse", lambda *_: "replaced")
    assert type(quick.quickened(FormDataParser())) is FormDataParser


def test_a_parser_of_the_projects_own_is_left_alone():
    class Own(FormDataParser):
        pass

    assert type(quick.quickened(Own())) is Own


def test_a_file_goes_where_the_request_wants_it():
    wanted = io.BytesIO()
    parser = quick.quickened(FormDataParser(lambda *_, **__: wanted, max_form_memory_size=500_000))
    parser.parse(
        io.BytesIO(PLAIN["a file"]),
        "multipart/form-data",
        len(PLAIN["a file"]),
        {"boundary": B.decode()},
    )
    assert wanted.getvalue() == b"\x00\xff\r\n\r\n-- \r"


def test_a_file_of_the_projects_own_gets_bytes_as_ever():
    class Store(io.BytesIO):
        def write(self, data: Any) -> int:
            given.append(data)
            return super().write(data)

    given: list[Any] = []
    body = b"--%b\r\n%b\r\n\r\ncontent\r\n--%b--\r\n" % (
        B, b'Content-Disposition: form-data; name="a"; filename="b"', B
    )  # fmt: skip
    made = quick._Quick(lambda *_, **__: Store())
    before = hits()
    made.parse(io.BytesIO(body), "multipart/form-data", len(body), {"boundary": B.decode()})
    assert hits() == before + 1
    assert given == [b"content"]
    assert type(given[0]) is bytes


BROKEN_OFF = [FIELD + b"\r\n" + FIELD + END, FIELD, FIELD + b"\r\n" + FIELD, b""]


@pytest.mark.parametrize("parts", [None, 1])
@pytest.mark.parametrize("sent", BROKEN_OFF)
def test_of_a_form_that_breaks_off_the_first_mistake_is_told(sent, parts):
    said = []
    for kind in (flask.Flask, Flask):
        app = kind(__name__)
        app.config["MAX_FORM_PARTS"] = parts
        app.add_url_rule("/", "view", lambda: dict(flask.request.form), methods=["POST"])
        environ = EnvironBuilder("/", method="POST", data=sent).get_environ()
        environ.pop("wsgi.input_terminated", None)
        environ |= {
            "CONTENT_TYPE": "multipart/form-data; boundary=boundary-7",
            "CONTENT_LENGTH": str(len(sent) + 100),
        }
        app(environ, lambda status, headers: said.append(status[:3]))
    assert said[0] == said[1]
    assert said[1] in {"400", "413"}
