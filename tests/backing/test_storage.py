"""Both places keep files by one set of laws: a folder, and a bucket of a real S3 server."""

import io
import os
import re
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from flask import Flask

from carboy import Carboy, Storage, Testing, send
from carboy.backing.storage.folder import Folder
from carboy.backing.storage.stored import safe_name
from carboy.errors import CarboyError, NotFound, SettingsError, Unavailable

LARGE = os.urandom(1024) * 12_000  # more than one part of a bucket's upload


@pytest.fixture(scope="module")
def bucket():
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{address}/files", method="PUT")).close()
    yield f"s3://key:s%2Fecret@files/some/prefix?region=us-east-1&endpoint={address}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def url(request, tmp_path):
    if request.param == "folder":
        return f"file://{tmp_path}/kept%20files"
    return request.getfixturevalue("bucket")


def app_at(url, tmp_path):
    app = Flask(__name__, instance_path=str(tmp_path))
    Carboy(app, {"APP_ENV": "Testing", "STORAGE_URL": url})
    return app, Storage(app)


def start(app):
    for step in app.extensions["carboy.start"]:
        step()


@pytest.fixture
def storage(url, tmp_path):
    app, storage = app_at(url, tmp_path)
    with app.app_context():
        yield storage


@pytest.mark.parametrize("content", [b"", b"some text", LARGE], ids=["empty", "small", "large"])
def test_what_is_kept_comes_back(storage, content):
    kept = storage.keep(io.BytesIO(content), name="päper “1”.txt", type="text/plain")
    assert re.fullmatch("[0-9a-f]{32}", kept.key)
    assert (kept.name, kept.type, kept.size) == ("päper “1”.txt", "text/plain", len(content))
    assert abs((datetime.now(UTC) - kept.modified).total_seconds()) < 60
    assert storage.find(kept.key) == kept
    file = storage.open(kept.key)
    assert b"".join(iter(lambda: file.read(100_000), b"")) == content
    file.close()


def test_any_part_can_be_read(storage):
    kept = storage.keep(io.BytesIO(b"0123456789"), name="digits", type="text/plain")
    file = storage.open(kept.key)
    file.seek(4)
    assert file.read(3) == b"456"
    file.close()


def test_equal_content_is_kept_apart(storage):
    keys = {storage.keep(io.BytesIO(b"x"), name="x", type="text/plain").key for _ in range(3)}
    assert len(keys) == 3


def test_what_is_deleted_is_gone(storage):
    key = storage.keep(io.BytesIO(b"x"), name="x", type="text/plain").key
    storage.delete(key)
    storage.delete(key)
    with pytest.raises(NotFound):
        storage.find(key)
    with pytest.raises(NotFound):
        storage.open(key)


@pytest.mark.parametrize(
    "key", ["", "0" * 32, "../../etc/passwd", "0" * 31 + "/", "0" * 32 + "\n", "A" * 32, "a/b"]
)
def test_what_is_no_key_is_not_found(storage, key):
    with pytest.raises(NotFound):
        storage.find(key)
    storage.delete(key)


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "0" * 33])
def test_what_is_no_key_has_neither_link_nor_path(storage, key):
    assert storage.link(key) is None
    assert storage.path(key) is None


def test_nothing_is_left_of_a_file_that_breaks_off(storage, tmp_path):
    class Broken(io.RawIOBase):
        def __init__(self):
            self.left = 3

        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, *_):
            return 0

        def tell(self):
            return 0

        def read(self, size=-1):
            self.left -= 1
            if self.left:
                return b"x" * max(size, 1)
            raise ConnectionResetError("gone")

    with pytest.raises(Exception, match="gone"):
        storage.keep(Broken(), name="x", type="text/plain")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_check_of_readiness_passes(storage, url, tmp_path):
    app, _ = app_at(url, tmp_path)
    assert app.test_client().get("/health/ready").get_json()["status"] == "ready"


def test_a_link_to_the_bucket_gives_the_content(bucket, tmp_path):
    app, storage = app_at(bucket, tmp_path)
    with app.app_context():
        kept = storage.keep(io.BytesIO(b"<svg>"), name="ä.svg", type="image/svg+xml")
        link = storage.link(kept.key, seconds=60)
        assert storage.path(kept.key) is None
        assert storage.root is None
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"<svg>"
        assert answer.headers["Content-Type"] == "image/svg+xml"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A4.svg"
    assert urlsplit(link).query.count("X-Amz-Signature=") == 1


def test_a_download_can_be_sent_to_the_bucket_or_through_the_service(bucket, tmp_path):
    app, storage = app_at(bucket, tmp_path)
    with app.app_context():
        key = storage.keep(io.BytesIO(b"0123456789"), name="x", type="text/plain").key
    with app.test_request_context(headers={"Range": "bytes=2-4"}):
        part = send(key)
        assert (part.status_code, b"".join(part.response)) == (206, b"234")
        part.close()
        there = send(key, link_s=60)
        assert (there.status_code, there.headers["Cache-Control"]) == (302, "no-store")
    with urllib.request.urlopen(there.headers["Location"]) as answer:
        assert answer.read() == b"0123456789"


@pytest.mark.parametrize("entry", ["kept", "/kept=", "/kept=relative", "=/srv"])
def test_a_location_of_nginx_that_cannot_be_meant_stops_the_start(entry):
    with pytest.raises(SettingsError, match="ACCEL_REDIRECT"):
        Testing.load(ACCEL_REDIRECT=(entry,))


def test_a_folder_has_paths_and_no_links(tmp_path):
    app, storage = app_at("", tmp_path)
    with app.app_context():
        kept = storage.keep(io.BytesIO(b"x"), name="x", type="text/plain")
        path = storage.path(kept.key)
        assert path.read_bytes() == b"x"
        assert path.is_relative_to(tmp_path / "storage")
        assert storage.root == tmp_path / "storage"
        assert storage.link(kept.key) is None
        assert path.parent.stat().st_mode & 0o077 == 0


def test_a_bucket_that_does_not_answer_is_503(tmp_path):
    app, storage = app_at("s3://k:s@files?region=x&endpoint=http://127.0.0.1:9", tmp_path)

    @app.get("/")
    def view():
        storage.find("0" * 32)

    assert app.test_client().get("/").status_code == Unavailable.status
    assert app.test_client().get("/health/ready").status_code == Unavailable.status


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("ftp://files", "neither a folder nor a bucket", id="another scheme"),
        pytest.param("file:///", "neither a folder nor a bucket", id="the root folder"),
        pytest.param("file://host/x", "neither a folder nor a bucket", id="another machine"),
        pytest.param("s3://[hunter2", "neither a folder nor a bucket", id="no URL at all"),
        pytest.param("s3:///prefix", "names no bucket", id="no bucket"),
        pytest.param("s3://files?regoin=x&a=hunter2", "has a, regoin", id="an unknown option"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(url, words, tmp_path):
    app, _ = app_at(url, tmp_path)
    with app.app_context(), pytest.raises(SettingsError, match=words) as caught:
        start(app)
    assert "hunter2" not in str(caught.value)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "carboy.backing.storage.bucket", None)
    app, storage = app_at("s3://files", tmp_path)
    with app.app_context(), pytest.raises(CarboyError, match=r"carboy\[storage\]"):
        storage.find("0" * 32)


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path):
    (tmp_path / "taken").write_text("")
    app, _ = app_at(f"file://{tmp_path}/taken", tmp_path)
    with app.app_context(), pytest.raises(CarboyError, match="Files cannot be kept in"):
        start(app)


def test_a_folder_without_the_right_to_write_is_not_ready(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="not writable"):
        Folder(tmp_path).probe()


def test_the_start_sweeps_what_died_long_ago(tmp_path):
    app, _ = app_at("", tmp_path)
    incoming = tmp_path / "storage" / "incoming"
    incoming.mkdir(parents=True)
    for name, age_s in (("old", 100_000), ("young", 100)):
        (incoming / name).write_text("")
        os.utime(incoming / name, (time.time() - age_s,) * 2)
    with app.app_context():
        start(app)
    assert [path.name for path in incoming.iterdir()] == ["young"]


def test_a_start_with_a_bucket_asks_nothing_of_it(tmp_path):
    app, _ = app_at("s3://k:s@files?region=x&endpoint=http://127.0.0.1:9", tmp_path)
    with app.app_context():
        start(app)
    assert "carboy.storage.place" not in app.extensions


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        pytest.param("report.pdf", "report.pdf", id="plain"),
        pytest.param("C:\\Users\\me\\cv.doc", "cv.doc", id="a path of Windows"),
        pytest.param("../../etc/passwd", "passwd", id="a path upwards"),
        pytest.param("..", "file", id="only dots"),
        pytest.param("", "file", id="nothing"),
        pytest.param("a\r\nX-Evil: 1\0.txt", "aX-Evil 1.txt", id="line ends and NUL"),
        pytest.param("annexe\u202etxt.exe", "annexetxt.exe", id="reversed direction"),
        pytest.param(".htaccess", "htaccess", id="hidden"),
        pytest.param("x" * 300 + ".pdf", "x" * 146 + ".pdf", id="too long keeps the extension"),
        pytest.param("x" * 300, "x" * 150, id="too long without extension"),
        pytest.param("\ud800.txt", "txt", id="half a surrogate"),
        pytest.param("ä\u0308 “b”.png", "ä\u0308 “b”.png", id="letters of any language"),
    ],
)
def test_names_are_made_safe(given, safe):
    assert safe_name(given) == safe
