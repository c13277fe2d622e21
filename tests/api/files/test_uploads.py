"""What may be sent as a file, and how it is told: by its content."""

import io
import os
import zipfile

import pytest
from flask import Flask
from marshmallow import validate
from marshmallow.fields import List

from carboy import Blueprint, Carboy, File, Storage
from carboy.api.files.content import KNOWN, is_of_type, type_of
from carboy.api.openapi import document_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20


def packed(*names, first=None):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if first:
            archive.writestr("mimetype", first)
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


OFFICE = "application/vnd.openxmlformats-officedocument."
CONTENT = [
    ("image/png", PNG), ("image/jpeg", JPEG), ("image/gif", b"GIF89a" + b"\0" * 9),
    ("image/webp", b"RIFF\0\0\0\0WEBPVP8 "), ("image/avif", b"\0\0\0\x1cftypavif"),
    ("image/heic", b"\0\0\0\x1cftypheic"), ("image/bmp", b"BM\1\0\0\0\0\0\0\0\0\0"),
    ("image/tiff", b"II*\0\0"), ("application/pdf", b"%PDF-1.7\n"),
    ("application/gzip", b"\x1f\x8b\x08\0"), ("video/mp4", b"\0\0\0\x1cftypisom"[:8] + b"mp42"),
    ("video/quicktime", b"\0\0\0\x1cftypqt  "), ("audio/mp4", b"\0\0\0\x1cftypM4A "),
    ("video/webm", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x84webm"),
    ("audio/mpeg", b"ID3\4\0"), ("audio/wav", b"RIFF\0\0\0\0WAVEfmt "), ("audio/flac", b"fLaC\0"),
    ("audio/ogg", b"OggS\0"), ("application/zip", packed("a.txt")),
    (f"{OFFICE}wordprocessingml.document", packed("[Content_Types].xml", "word/document.xml")),
    (f"{OFFICE}spreadsheetml.sheet", packed("[Content_Types].xml", "xl/workbook.xml")),
    ("application/vnd.oasis.opendocument.text",
     packed("content.xml", first="application/vnd.oasis.opendocument.text")),
    ("application/zip", packed("word/document.xml")),
    ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'>"),
    ("image/svg+xml", b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x --><svg:svg >"),
    ("text/html", b"<!DOCTYPE html><p>"), ("text/html", b"hello <script>alert(1)</script>"),
    ("text/html", b"words, then <svg onload=alert(1)>"), ("application/xml", b"<?xml ?><a/>"),
    ("text/plain", "words and ümläuts".encode()), ("text/plain", b""),
    ("text/plain", b"\xe2" * 0 + "€".encode() * 100_000),
    ("application/octet-stream", b"a\0b"), ("application/octet-stream", b"caf\xe9"),
    ("application/octet-stream", b"a" * 5000 + b"\0"),
    ("application/octet-stream", "€".encode()[:2]), ("application/octet-stream", b"MZ\x90\0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "content"), CONTENT, ids=[f"{n} {name}" for n, (name, _) in enumerate(CONTENT)]
)
def test_the_content_decides(expected, content):
    file = io.BytesIO(content)
    file.seek(0, 2)
    assert type_of(file) == expected
    assert file.tell() == 0
    assert expected in KNOWN | {"application/octet-stream"}


@pytest.mark.parametrize(
    ("found", "wanted", "passes"),
    [
        ("text/plain", "text/csv", True), ("text/html", "text/plain", False),
        ("image/svg+xml", "text/plain", False), ("image/png", "image/jpeg", False),
        (f"{OFFICE}spreadsheetml.sheet", "application/zip", True),
        ("application/zip", f"{OFFICE}spreadsheetml.sheet", False),
    ],
)  # fmt: skip
def test_what_passes_for_what(found, wanted, passes):
    assert is_of_type(found, wanted) is passes


@pytest.fixture
def app(tmp_path):
    app = Flask(__name__, instance_path=str(tmp_path))
    Carboy(app, {"APP_ENV": "Testing", "API_DOCS": False})
    storage = Storage(app)
    api = Blueprint("api", __name__)

    @api.post("/picture")
    @api.input(
        {"picture": File(types=["image/png", "image/jpeg"], size_max=2000, required=True)},
        location="files",
    )
    def picture(files):
        kept = files["picture"].keep(storage)
        return {"key": kept.key, "name": kept.name, "type": kept.type, "size": kept.size}, 201

    @api.post("/many")
    @api.input(
        {"papers": List(File(types=["text/csv"]), validate=validate.Length(max=2))},
        location="files",
    )
    def many(files):
        return [[one.name, one.type, one.size] for one in files["papers"]]

    @api.post("/any")
    @api.input({"one": File(size_max=5_000_000, empty=True)}, location="files")
    def anything(files):
        one = files["one"]
        assert len(one.stream.read()) == one.size
        kept = one.keep(storage)
        return {"type": kept.type, "size": kept.size}

    app.register_blueprint(api)
    return app


def post(app, path, **files):
    return app.test_client().post(path, data=files, content_type="multipart/form-data")


def test_a_picture_is_kept_by_its_true_type_and_a_safe_name(app):
    answer = post(app, "/picture", picture=(io.BytesIO(JPEG), "../../évil.exe", "text/html"))
    data = answer.get_json()["data"]
    assert answer.status_code == 201
    assert {**data, "key": ""} == {
        "key": "", "name": "évil.exe", "type": "image/jpeg", "size": len(JPEG)
    }  # fmt: skip
    with app.app_context():
        assert app.extensions["carboy.storage"].path(data["key"]).read_bytes() == JPEG


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"GIF89a......", "not of a type that is taken here", id="another image"),
        pytest.param(b"<svg onload=alert(1)>", "not of a type that is taken", id="a script"),
        pytest.param(b"<html>" + PNG, "not of a type that is taken here", id="a page first"),
        pytest.param(PNG + b"\0" * 2000, "larger than 2000 bytes", id="too large"),
        pytest.param(b"", "empty", id="no content"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_not_kept(app, tmp_path, content, message):
    answer = post(app, "/picture", picture=(io.BytesIO(content), "a.png", "image/png"))
    assert answer.status_code == 422
    assert message in answer.get_json()["data"]["picture"][0]
    assert not (tmp_path / "storage").exists()


def test_a_field_that_is_no_file_is_refused(app):
    assert post(app, "/picture", picture="text").status_code == 422
    body = b'--x\r\nContent-Disposition: form-data; name="picture"; filename=""\r\n\r\n\r\n--x--'
    answer = app.test_client().post(
        "/picture", data=body, content_type="multipart/form-data; boundary=x"
    )
    assert answer.get_json()["data"] == {"picture": ["Not a file."]}


def test_a_list_has_a_length(app):
    papers = [(io.BytesIO(b"a,b\n"), f"{n}.csv") for n in range(3)]
    assert post(app, "/many", papers=papers[:2]).get_json()["data"] == [
        ["0.csv", "text/csv", 4], ["1.csv", "text/csv", 4]
    ]  # fmt: skip
    papers = [(io.BytesIO(b"a,b\n"), f"{n}.csv") for n in range(3)]
    assert post(app, "/many", papers=papers).status_code == 422


@pytest.mark.parametrize("size", [0, 10, 3_000_000], ids=["empty", "in memory", "on disk"])
def test_any_content_is_taken_where_no_type_is_named(app, size):
    content = b"\0" + os.urandom(size - 1) if size else b""
    head = b'--x\r\nContent-Disposition: form-data; name="one"; filename="x"\r\n\r\n'
    answer = app.test_client().post(
        "/any",
        data=head + content + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )
    kind = "application/octet-stream" if size else "text/plain"
    assert answer.get_json()["data"] == {"type": kind, "size": size}


# Werkzeug leaves the file of an unfinished part to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_connection_that_breaks_keeps_nothing(app, tmp_path):
    body = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n' + PNG
    answer = app.test_client().post(
        "/picture", data=body, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code in (400, 422)
    assert not (tmp_path / "storage").exists()


@pytest.mark.parametrize(
    ("types", "words"),
    [("image/png", r"types=\['image/png'\]"), (["image/x-odd"], "image/x-odd")],
    ids=["text instead of a list", "an unknown type"],
)
def test_rules_that_cannot_hold_stop_the_start(types, words):
    with pytest.raises(TypeError, match=words):
        File(types=types)


def test_the_document_has_the_rules(app):
    paths = document_of(app)["paths"]
    media = paths["/picture"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert media["encoding"] == {"picture": {"contentType": "image/png, image/jpeg"}}
    assert media["schema"]["required"] == ["picture"]
    assert media["schema"]["properties"]["picture"] == {
        "type": "string", "format": "binary", "minLength": 1, "maxLength": 2000
    }  # fmt: skip
    many = paths["/many"]["post"]["requestBody"]["content"]["multipart/form-data"]
    papers = many["schema"]["properties"]["papers"]
    assert (papers["maxItems"], papers["items"]["format"]) == (2, "binary")
    whole = paths["/any"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert "encoding" not in whole
