"""Uploads: the names and the contents of files, wherever one is taken."""

import io
from pathlib import Path

import pytest

from .conftest import PNG
from .endpoints import WITH_FILES, over
from .values import ODD

NAMES = {
    **{note: value for note, value in ODD.items() if value},
    "a path": "../../../../tmp/hostile.png",
    "a path of another system": "..\\..\\hostile.png",
    "a whole path": "/tmp/hostile.png",
    "a hidden file": ".htaccess",
    "a name that ends in dots": "hostile.png. . .",
    "a device": "CON.png",
    "two extensions": "hostile.png.php",
    "a name of one dot": ".",
    "an encoded path": "%2e%2e%2fhostile.png",
}
NO_PICTURES = {
    "nothing": b"",
    "text": b"hello",
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a program": b"\x7fELF" + bytes(100),
    "a ZIP": b"PK\x03\x04" + bytes(100),
    "a PDF": b"%PDF-1.7\n",
    "half a signature": PNG[:5],
    "a signature that does not begin": b" " + PNG,
    "NUL": bytes(1000),
    "an animation": b"GIF89a" + bytes(100),
    "JSON": b'{"a": 1}',
}


def files(shop):
    """Name what lies in the instance folder, and how large it is."""
    folder = Path(shop.config["INSTANCE_PATH"])
    return {
        str(one.relative_to(folder)): one.stat().st_size
        for one in folder.rglob("*")
        if one.is_file() and ".sqlite3" not in one.name
    }


@pytest.fixture
def send_file(send):
    def sent(target, content, name, *, kind="image/png", fields=None):
        form = {
            field: (io.BytesIO(content), name, kind) for field in fields or target.form_fields()
        }
        return send(target, data=form, content_type="multipart/form-data", note=(name, kind))

    return sent


@over(WITH_FILES)
def test_a_picture_is_taken(send_file, target):
    """Else the laws below would hold because nothing is taken."""
    assert send_file(target, PNG, "a.png").status_code < 300


@over(WITH_FILES)
def test_no_name_leads_out_of_the_storage(shop, send_file, target):
    outside = {name for name in files(shop) if not name.startswith("storage/")}
    for name in NAMES.values():
        send_file(target, PNG, name)
    found = files(shop)
    assert {name for name in found if not name.startswith("storage/")} == outside
    assert not any("hostile" in name or ".." in name or "htaccess" in name for name in found)


@over(WITH_FILES)
def test_only_the_content_says_what_a_file_is(shop, send_file, target):
    before = files(shop)
    for note, content in NO_PICTURES.items():
        for kind in ("image/png", "image/svg+xml", "a/b", "", "image/png\0"):
            answer = send_file(target, content, "a.png", kind=kind)
            assert answer.status_code == 422, (note, kind, answer.text)
    assert files(shop) == before


@over(WITH_FILES)
def test_a_file_is_no_field_and_a_field_no_file(send, send_file, target):
    for name in [*target.form_fields(), "unknown"]:
        for note, value in ODD.items():
            for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
                answer = send(target, data={name: value}, content_type=kind, note=note)
                assert answer.status_code >= 400, (note, kind)
    answer = send_file(target, PNG, "a.png", fields=["unknown"])
    assert answer.status_code >= 400
    for note, name in ODD.items():
        send_file(target, PNG, "a.png", fields=[*target.form_fields(), name or note])


@over(WITH_FILES)
def test_of_several_files_no_more_than_one_is_kept(shop, send, target):
    grown = []
    for number in (1, 2, 50):
        before = files(shop)
        form = {
            name: [(io.BytesIO(PNG), "a.png") for _ in range(number)]
            for name in target.form_fields()
        }
        answer = send(target, data=form)
        assert answer.status_code in (200, 201, 413, 422), answer.text
        grown.append(len(files(shop).keys() - before.keys()))
    assert max(grown) == grown[0] > 0
