"""Pictures of products, under the test client and over HTTP."""

import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from shop.database import db
from shop.products.models import Product
from shop.products.pictures import storage
from shop.products.schemas import PICTURE_MAX_BYTES

PRODUCTS = "/api/v1/products"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(500)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(500)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def path(clerk, new_product):
    """The address of the picture of a product that has none."""
    return f"{PRODUCTS}/{new_product(clerk)['id']}/picture"


@pytest.fixture
def files(new_shop):
    """Name the files that the shop of this test keeps."""

    def read() -> set[str]:
        with new_shop.app_context():
            root = storage.root
        kept = (file.name for file in root.rglob("*") if file.is_file())
        return {name for name in kept if not name.endswith(".json")}

    return read


@pytest.fixture
def desk(new_shop, sign_in, new_product):
    """A clerk of a shop that has one product, and the address of its picture."""
    clerk = sign_in(new_shop, "clerk")
    return clerk, f"{PRODUCTS}/{new_product(clerk)['id']}/picture"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(PNG, "image/png", id="PNG"),
        pytest.param(JPEG, "image/jpeg", id="JPEG"),
        pytest.param(WEBP, "image/webp", id="WebP"),
    ],
)
def test_a_picture_is_shown_to_everybody_as_what_it_is(client, clerk, path, content, kind):
    assert client.get(path).status == 404
    put = clerk.upload(path, content, name="../../etc/passwd", kind="text/html")
    assert put.status == 200
    assert put.data["picture"] == path
    assert client.get(path.removesuffix("/picture")).data == put.data
    shown = client.get(path)
    assert (shown.status, shown.body) == (200, content)
    assert shown.headers["Content-Type"] == kind
    assert shown.headers["Content-Disposition"].startswith('inline; filename="passwd"')
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b"hello", "not of a type", id="text"),
        pytest.param(SVG, "not of a type", id="SVG, in which scripts run"),
        pytest.param(b"<html><script>1</script>" + PNG, "not of a type", id="HTML before a PNG"),
        pytest.param(b"GIF89a" + bytes(50), "not of a type", id="a GIF"),
        pytest.param(PNG[1:], "not of a type", id="a PNG without its first byte"),
        pytest.param(b"\x7fELF" + bytes(50), "not of a type", id="a program"),
        pytest.param(PNG + bytes(PICTURE_MAX_BYTES), "larger than", id="a PNG of 2 MB and more"),
    ],
)
@pytest.mark.parametrize(
    "claim",
    [{"name": "picture.png", "kind": "image/png"}, {"name": "picture.jpg", "kind": "image/jpeg"}],
)
def test_what_is_no_picture_is_refused_whatever_it_claims_to_be(clerk, path, content, told, claim):
    refused = clerk.upload(path, content, **claim)
    assert refused.status == 422
    assert told in refused.fields["picture"][0]
    assert clerk.get(path).status == 404


def test_a_picture_of_exactly_2_mb_is_taken(client, clerk, path):
    content = PNG + bytes(PICTURE_MAX_BYTES - len(PNG))
    assert clerk.upload(path, content).status == 200
    assert client.get(path).body == content


def test_a_form_without_the_picture_is_refused_naming_it(clerk, path):
    refused = clerk.upload(path, PNG, field="image")
    assert refused.status == 422
    assert "picture" in refused.fields


def test_a_body_that_is_no_form_is_refused(clerk, path):
    assert clerk.put(path, body=PNG, headers={"Content-Type": "image/png"}).status == 415


@pytest.mark.parametrize("number", ["0", "99999999", str(2**63)])
def test_a_product_that_is_not_there_has_no_picture(client, clerk, number):
    path = f"{PRODUCTS}/{number}/picture"
    assert client.get(path).status == 404
    assert clerk.upload(path, PNG).status == 404
    assert clerk.delete(path).status == 404


def test_only_clerks_give_and_take_pictures(client, clerk, customer, path):
    clerk.upload(path, PNG)
    assert customer.client.upload(path, JPEG).status == 403
    assert customer.client.delete(path).status == 403
    assert client.upload(path, JPEG).status == 401
    assert client.delete(path).status == 401
    assert client.get(path).body == PNG


def test_a_picture_that_is_taken_away_is_gone(client, clerk, path):
    clerk.upload(path, PNG)
    assert clerk.delete(path).status == 204
    assert client.get(path).status == 404
    assert client.get(path.removesuffix("/picture")).data["picture"] is None
    assert clerk.delete(path).status == 404


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        pytest.param("bytes=1-3", (206, PNG[1:4], "bytes 1-3/1032"), id="from, to"),
        pytest.param(
            "bytes=1000-", (206, PNG[1000:], "bytes 1000-1031/1032"), id="from, to the end"
        ),
        pytest.param("bytes=-4", (206, PNG[-4:], "bytes 1028-1031/1032"), id="the last four"),
        pytest.param("bytes=5000-", (416, None, "bytes */1032"), id="behind the end"),
        pytest.param("bytes=0-1,4-5", (200, PNG, None), id="several: all of it"),
        pytest.param("lines=1-2", (200, PNG, None), id="another unit: all of it"),
    ],
)
def test_a_part_of_a_picture(clerk, path, asked, answered):
    clerk.upload(path, PNG)
    part = clerk.get(path, headers={"Range": asked})
    status, body, said = answered
    assert part.status == status
    assert part.headers.get("Content-Range") == said
    assert body is None or part.body == body


def test_who_has_a_picture_gets_it_again_only_when_it_is_another(client, clerk, path):
    clerk.upload(path, PNG)
    first = client.get(path)
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(path, headers=known)
    assert (again.status, again.body) == (304, b"")
    clerk.upload(path, JPEG)
    changed = client.get(path, headers=known)
    assert (changed.status, changed.body) == (200, JPEG)
    rest = client.get(path, headers={"Range": "bytes=4-", "If-Range": first.headers["ETag"]})
    assert (rest.status, rest.body) == (200, JPEG)


def test_parallel_pictures_of_one_product_leave_one_of_them_whole(client, clerk, path):
    contents = [PNG + bytes([turn]) * 50_000 for turn in range(8)]
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda content: clerk.upload(path, content), contents))
    assert {answer.status for answer in answers} == {200}
    assert client.get(path).body in contents


def test_parallel_pictures_leave_one_file(desk, files):
    clerk, path = desk
    contents = [PNG + bytes([turn]) * 50_000 for turn in range(8)]
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda content: clerk.upload(path, content), contents))
    assert {answer.status for answer in answers} == {200}
    assert len(files()) == 1


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda clerk, path: clerk.delete(path), id="taken away"),
        pytest.param(lambda clerk, path: clerk.delete(path.removesuffix("/picture")), id="product"),
    ],
)
def test_a_file_goes_with_what_it_shows(desk, files, end):
    clerk, path = desk
    clerk.upload(path, PNG)
    former = files()
    clerk.upload(path, JPEG)
    assert len(files()) == 1
    assert files().isdisjoint(former)
    assert end(clerk, path).status == 204
    assert files() == set()


def test_a_picture_for_nothing_leaves_no_file(desk, files):
    clerk, _ = desk
    assert clerk.upload(f"{PRODUCTS}/99/picture", PNG).status == 404
    assert files() == set()


def test_a_product_that_cannot_be_deleted_keeps_its_picture(desk, files):
    clerk, path = desk
    clerk.upload(path, PNG)
    number = int(path.split("/")[-2])
    bought = clerk.post("/api/v1/checkout", json={"lines": [{"product_id": number, "quantity": 1}]})
    assert bought.status == 201
    assert clerk.delete(path.removesuffix("/picture")).status == 409
    assert len(files()) == 1
    assert clerk.get(path).body == PNG


@pytest.fixture
def losing_connection(new_shop, monkeypatch):
    """``losing_connection(when)``: lose the database in the next commit that changes a product.

    "before": it was not committed; "after": it was, and nobody knows.
    """

    def arrange(when: str) -> None:
        with new_shop.app_context():
            dialect, sessions = db.engine.dialect, db.sessionmaker.class_
        commit = dialect.do_commit
        armed = []

        def arm(session, _):
            if any(isinstance(row, Product) for row in session.dirty):
                armed.append(True)

        def lose(connection):
            lost = armed and armed.pop()
            if not lost or when == "after":
                commit(connection)
            if lost:
                monkeypatch.setattr(dialect, "do_commit", commit)
                error = dialect.loaded_dbapi.OperationalError("the connection is lost")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL  # one of those that pass
                raise error

        event.listen(sessions, "after_flush", arm)
        monkeypatch.setattr(dialect, "do_commit", lose)

    return arrange


def test_a_commit_that_fails_leaves_the_former_picture_and_no_other_file(
    desk, files, losing_connection
):
    clerk, path = desk
    clerk.upload(path, PNG)
    former = files()
    losing_connection("before")
    assert clerk.upload(path, JPEG).status == 503
    assert files() == former
    assert clerk.get(path).body == PNG


def test_a_commit_that_was_done_and_not_confirmed_keeps_the_file(desk, files, losing_connection):
    clerk, path = desk
    losing_connection("after")
    assert clerk.upload(path, PNG).status == 503
    assert len(files()) == 1
    assert clerk.get(path).body == PNG


def test_a_file_that_cannot_be_deleted_is_told_in_the_log_and_nobody_waits(
    desk, files, monkeypatch, caplog
):
    clerk, path = desk
    clerk.upload(path, PNG)

    def fail(key):
        raise OSError(f"{key} is on a disk that went away")

    monkeypatch.setattr(storage, "delete", fail)
    with caplog.at_level(logging.ERROR, "shop"):
        assert clerk.upload(path, JPEG).status == 200
    assert "could not be deleted" in caplog.text
    assert clerk.get(path).body == JPEG
    assert len(files()) == 2
