"""Whole lists, streamed: their form, their safety, and what becomes of the connection."""

import csv
import io
import json
import re
import subprocess
import sys
import textwrap

import pytest
from flask import Flask
from marshmallow import Schema, fields
from sqlalchemy import ForeignKey, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from carboy import Blueprint, Carboy, Database, exports
from carboy.api.exports import export
from carboy.api.exports.body import columns_of, csv_lines
from carboy.api.openapi import document_of
from carboy.settings import Testing
from carboy.testing import fresh_database


class Model(DeclarativeBase):
    pass


class Author(Model):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(lazy="selectin")


class Book(Model):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    title: Mapped[str]


class AuthorOut(Schema):
    id = fields.Integer()
    name = fields.String(data_key="Name")
    titles = fields.Pluck(lambda: BookOut(), "title", many=True, attribute="books")  # noqa: PLW0108 - declared below
    secret = fields.String(load_only=True)


class BookOut(Schema):
    id = fields.Integer()
    title = fields.String()


db = Database(Model)


def make_app(url):
    app = Flask(__name__)
    Carboy(app, Testing.load(DATABASE_URL=url, API_DOCS=False))
    db.init_app(app)
    api = Blueprint("api", __name__)

    @api.get("/authors/export")
    @exports(db, AuthorOut, name="authors")
    def export_authors():
        return select(Author).order_by(Author.id)

    @api.get("/books")
    @exports(db, BookOut, name='büch"er', formats=["csv"], bom=True, formulas="keep")
    def export_books():
        db.session.scalar(select(func.count(Book.id)))  # what checks the caller, for one
        return select(Book.id, Book.title).order_by(Book.id)

    @api.get("/broken")
    @exports(db, AuthorOut, name="broken", formats=["ndjson"])
    def export_broken():
        return select(func.no_such_function())

    @api.get("/refused")
    @exports(db, AuthorOut, name="refused")
    async def refused():
        return {"no": "rows"}, 200

    app.register_blueprint(api)
    with app.app_context():
        Model.metadata.create_all(db.engine)
    return app


@pytest.fixture(scope="module")
def app():
    with fresh_database() as url:
        app = make_app(url)
        yield app
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def fill(app):
    def fill(*names, books=()):
        with app.app_context():
            for kind in (Book, Author):
                db.session.query(kind).delete()
            rows = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
            if rows:
                db.session.execute(insert(Author), rows)
            for number, title in enumerate(books, 1):
                db.session.add(Book(id=number, author_id=1, title=title))
            db.session.commit()

    return fill


def held(app):
    with app.app_context():
        return db.engine.pool.checkedout()


def table(answer):
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))


def test_every_row_is_a_line_of_csv(app, fill):
    fill("Ann", 'Bob "the, quick"', "two\nlines", books=["A", "B"])
    answer = app.test_client().get("/authors/export")
    assert answer.content_type == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="authors.csv"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.get_data(as_text=True) == (
        "id,Name,titles\r\n"
        '1,Ann,"[""A"",""B""]"\r\n'
        '2,"Bob ""the, quick""",[]\r\n'
        '3,"two\nlines",[]\r\n'
    )


def test_every_row_is_an_object_of_ndjson(app, fill):
    fill("Ann", "Bob", books=["A"])
    answer = app.test_client().get("/authors/export?format=ndjson")
    assert answer.content_type == "application/x-ndjson"
    assert [json.loads(line) for line in answer.data.splitlines()] == [
        {"id": 1, "Name": "Ann", "titles": ["A"]},
        {"id": 2, "Name": "Bob", "titles": []},
    ]


def test_no_rows_are_a_head_only(app, fill):
    fill()
    assert app.test_client().get("/authors/export").data == b"id,Name,titles\r\n"
    assert app.test_client().get("/authors/export?format=ndjson").data == b""


def test_many_batches_lose_nothing(app, fill):
    fill(*(f"name {number}" for number in range(1234)))
    rows = table(app.test_client().get("/authors/export"))
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1, 1235)]


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        pytest.param("", None, "text/csv", id="nothing asked: the first"),
        pytest.param("", "*/*", "text/csv", id="anything: the first"),
        pytest.param("", "application/x-ndjson", "application/x-ndjson", id="by Accept"),
        pytest.param("", "text/html, text/*;q=0.5", "text/csv", id="the best of several"),
        pytest.param("?format=csv", "application/x-ndjson", "text/csv", id="the query wins"),
    ],
)
def test_the_caller_chooses(app, fill, query, accept, expected):
    fill("Ann")
    headers = {"Accept": accept} if accept else {}
    answer = app.test_client().get(f"/authors/export{query}", headers=headers, buffered=True)
    assert answer.mimetype == expected
    assert answer.headers["Vary"] == "Accept"


def test_what_nobody_can_accept_is_406(app):
    answer = app.test_client().get("/authors/export", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.get_json()["status"]) == (406, "fail")


def test_an_unknown_format_is_422(app):
    answer = app.test_client().get("/authors/export?format=xml")
    assert answer.status_code == 422
    assert answer.get_json()["data"] == {"format": ["Must be one of: csv, ndjson."]}


@pytest.mark.parametrize(
    ("stored", "cell"),
    [
        ("=1+1", "'=1+1"), ("+cmd|x", "'+cmd|x"), ("-2+3", "'-2+3"), ("@SUM(A1)", "'@SUM(A1)"),
        ("'=1+1", "''=1+1"), ("''-5", "'''-5"), ("'tis", "'tis"), ("a '=1", "a '=1"),
        ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("\n=1", "'\n=1"), ("＝1+1", "'＝1+1"),  # noqa: RUF001
        ("-12.50", "-12.50"), ("+49", "+49"), ("-1e5", "-1e5"), ("a=b", "a=b"), ("", ""),
    ],
    ids=repr,
)  # fmt: skip
def test_text_that_a_spreadsheet_would_run_is_neutralised(app, fill, stored, cell):
    fill(stored)
    assert table(app.test_client().get("/authors/export"))[1][1] == cell


def test_programs_can_have_what_was_stored(app, fill):
    fill("Ann", books=["=1+1"])
    answer = app.test_client().get("/books")
    assert answer.data == b"\xef\xbb\xbfid,title\r\n1,=1+1\r\n"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"buch er.csv\"; filename*=UTF-8''b%C3%BCch%20er.csv"
    )


def test_what_is_wrong_at_once_is_an_answer_in_the_envelope(app):
    app.testing = False
    try:
        answer = app.test_client().get("/broken")
    finally:
        app.testing = True
    assert answer.status_code == 500
    assert held(app) == 0


def test_other_answers_of_the_view_pass(app):
    assert app.test_client().get("/refused").get_json()["data"] == {"no": "rows"}


def test_the_connection_is_back_after_the_last_row(app, fill):
    fill(*("x" * 2000))
    answer = app.test_client().get("/authors/export", buffered=False)
    assert held(app) == 1
    assert sum(map(len, answer.response))
    assert held(app) == 0
    answer.close()


def test_the_connection_is_back_when_the_caller_goes_away(app, fill):
    fill(*("x" * 2000))
    answer = app.test_client().get("/authors/export", buffered=False)
    next(iter(answer.response))
    assert held(app) == 1
    answer.close()
    assert held(app) == 0


def test_head_sends_no_rows_and_holds_nothing(app, fill):
    fill("Ann")
    answer = app.test_client().head("/authors/export")
    assert (answer.status_code, answer.data) == (200, b"")
    answer.close()
    assert held(app) == 0


def test_all_rows_are_of_one_moment(app, fill):
    fill(*("x" * 1500))
    answer = app.test_client().get("/authors/export?format=ndjson", buffered=False)
    chunks = iter(answer.response)
    lines = next(chunks).splitlines()
    with app.app_context():
        db.session.execute(insert(Author), [{"id": 9999, "name": "late"}])
        db.session.add(Book(id=1, author_id=1500, title="late"))
        db.session.commit()
    lines += b"".join(chunks).splitlines()
    answer.close()
    assert len(lines) == 1500
    assert json.loads(lines[-1])["titles"] == []


def test_a_test_that_undoes_everything_sees_its_own_rows(app, fill):
    fill("Ann")
    with db.test_isolation(app):
        with app.app_context():
            db.session.add(Author(id=2, name="Bob"))
            db.session.commit()
        answer = app.test_client().get("/authors/export?format=ndjson")
        assert len(answer.data.splitlines()) == 2
    assert len(app.test_client().get("/authors/export").data.splitlines()) == 2


def test_rows_of_anything_can_be_exported(app):
    with app.test_request_context():
        answer = export([[{"id": 1, "title": None}], [{"id": 2}]], BookOut(), name="x")
        assert answer.get_data() == b"id,title\r\n1,\r\n2,\r\n"
        answer.close()


def test_an_error_midway_breaks_the_body_off(app):
    def rows():
        yield [{"id": 1, "title": "A"}]
        raise ConnectionError("the database went away")

    with app.test_request_context():
        chunks = export(rows(), BookOut(), format="ndjson").response
        body = iter(chunks)
        assert next(body) == b'{"id":1,"title":"A"}\n'
        with pytest.raises(ConnectionError):
            next(body)
        chunks.close()


@pytest.mark.parametrize("formats", [[], ["xml"]], ids=["none", "unknown"])
def test_formats_are_checked_where_they_are_declared(formats):
    with pytest.raises(TypeError, match="csv, ndjson"):
        exports(db, AuthorOut, name="x", formats=formats)


def test_the_document_describes_it(app):
    operation = document_of(app)["paths"]["/authors/export"]["get"]
    content = operation["responses"]["200"]["content"]
    assert content.keys() == {"text/csv", "application/x-ndjson"}
    assert content["text/csv"]["schema"]["pattern"] == r"^id,Name,titles\r\n"
    row = {"$ref": "#/components/schemas/AuthorOut"}
    assert content["application/x-ndjson"]["schema"] == {"type": "array", "items": row}
    assert {"406", "422"} <= operation["responses"].keys()
    (parameter,) = operation["parameters"]
    assert parameter["schema"] == {"type": "string", "enum": ["csv", "ndjson"], "default": "csv"}


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_exports_fulfil_their_document(app, fill, carboy_contract, kind):
    fill("Ada", '=1+"1"', books=["A", "B"])
    client = app.test_client()
    assert client.get(f"/authors/export?format={kind}").status_code == 200
    assert client.head(f"/authors/export?format={kind}").status_code == 200
    assert client.get("/authors/export?format=xml").status_code == 422
    assert client.get("/authors/export", headers={"Accept": "image/png"}).status_code == 406
    fill()
    assert client.get(f"/authors/export?format={kind}").status_code == 200
    assert carboy_contract.count == 5


@pytest.mark.parametrize(
    ("bom", "formulas", "names"),
    [
        pytest.param(False, "escape", ["id", "=sum", "a,b"], id="names that are escaped"),
        pytest.param(True, "keep", ["=sum(x)", "a.b[c]{d}|^$*?/", 'q"q'], id="names of syntax"),
        pytest.param(False, "keep", ["a\r\nb", "t\tt", "ü", "\\"], id="odd letters"),
    ],
)
def test_the_pattern_of_a_csv_is_that_of_its_first_line(bom, formulas, names):
    api = Blueprint("api", __name__)
    schema = Schema.from_dict({name: fields.String() for name in names})
    escape = formulas == "escape"
    head = next(csv_lines([], columns_of(schema()), bom=bom, escape=escape)).decode()

    @api.get("/rows")
    @exports(db, schema, name="rows", formats=["csv"], bom=bom, formulas=formulas)
    def rows(): ...

    app = Flask("rows")
    app.register_blueprint(api)
    content = document_of(app)["paths"]["/rows"]["get"]["responses"]["200"]["content"]
    pattern = content["text/csv"]["schema"]["pattern"]
    assert re.match(pattern, head + "a,b").end() == len(head)
    assert not re.match(pattern, head[:-3] + "x" + head[-2:])
    assert pattern.isprintable()


MEASURED = """
    import sys
    from flask import Flask
    from marshmallow import Schema, fields
    from sqlalchemy import insert, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    from carboy import Carboy, Database, exports

    class Model(DeclarativeBase): pass
    class Line(Model):
        __tablename__ = "lines"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]
    class LineOut(Schema):
        id = fields.Integer()
        text = fields.String()

    app = Flask("measured")
    Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": sys.argv[1], "API_DOCS": False})
    db = Database(Model, app)

    @app.get("/")
    @exports(db, LineOut, name="lines")
    def lines():
        return select(Line).order_by(Line.id)

    with app.app_context():
        Model.metadata.create_all(db.engine)
        for start in range(0, int(sys.argv[2]), 5000):
            rows = [{"id": start + n + 1, "text": "x" * 200} for n in range(5000)]
            db.session.execute(insert(Line), rows)
            db.session.commit()

    def peak():
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

    answer = app.test_client().get("/", buffered=False)
    body = iter(answer.response)
    size = len(next(body))
    before = peak()
    size += sum(map(len, body))
    print(size, peak() - before)
"""


def test_memory_does_not_grow_with_the_rows():
    with fresh_database() as url:
        command = [sys.executable, "-c", textwrap.dedent(MEASURED), url, "100000"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    size, grown_kib = map(int, done.stdout.split())
    assert size > 20_000_000
    assert grown_kib < 8 * 1024
