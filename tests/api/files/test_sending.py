"""Downloads: parts, conditions, names, and what keeps a file from doing harm."""

import http.client
import io
import os
import shutil
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, request
from werkzeug.http import http_date
from werkzeug.serving import make_server

from carboy import Blueprint, Carboy, Storage, downloads, send, send_confined
from carboy.api.files.sending import Body
from carboy.api.openapi import document_of
from carboy.errors import CarboyError, NotFound
from carboy.testing import ContractError

DIGITS = b"0123456789"
DEADLINE_S = 20


def make_app(folder, **settings):
    app = Flask(__name__, instance_path=str(folder / "instance"))
    Carboy(app, {"APP_ENV": "Testing", "API_DOCS": False, **settings})
    storage = Storage(app)
    api = Blueprint("api", __name__)

    @api.get("/files/<key>")
    @downloads("image/png", "text/plain")
    def file(key):
        return send(key, **request.args.to_dict())

    @api.get("/links/<key>")
    @downloads(links=True)
    def link(key):
        return send(key, link_s=60)

    @api.get("/public/<path:path>")
    @downloads()
    def public(path):
        return send_confined(folder / "public", path)

    app.register_blueprint(api)
    return app, storage


@pytest.fixture
def service(tmp_path):
    public = tmp_path / "public"
    (public / "sub").mkdir(parents=True)
    (public / "a b.txt").write_bytes(DIGITS)
    (public / "sub" / "ü.txt").write_bytes(b"deep")
    (public / ".env").write_text("SECRET")
    (public / "packed.txt.gz").write_bytes(b"\x1f\x8b")
    (tmp_path / "secret.txt").write_text("SECRET")
    (tmp_path / "public-too").mkdir()
    (tmp_path / "public-too" / "secret.txt").write_text("SECRET")
    (public / "out").symlink_to(tmp_path / "secret.txt")
    (public / "up").symlink_to(tmp_path)
    (public / "loop").symlink_to(public / "loop")
    (public / "in.txt").symlink_to(public / "a b.txt")
    os.mkfifo(public / "pipe")
    return make_app(tmp_path)


@pytest.fixture
def kept(service):
    app, storage = service

    def kept(content=DIGITS, name="digits.txt", kind="text/plain"):
        with app.app_context():
            return storage.keep(io.BytesIO(content), name=name, type=kind).key

    return kept


def get(service, path, method="GET", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = service[0].test_client().open(path, method=method, headers=headers)
    answer.get_data()
    answer.close()
    return answer


@pytest.mark.parametrize(
    ("asked", "status", "content", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"), ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"), ("bytes=-99", 206, DIGITS, "bytes 0-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"), ("bytes=9-9", 206, b"9", "bytes 9-9/10"),
        ("bytes=10-", 416, None, "bytes */10"), ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=0-1,4-5", 200, DIGITS, None), ("bytes=5-2", 200, DIGITS, None),
        ("lines=0-1", 200, DIGITS, None), ("bytes=a-b", 200, DIGITS, None),
        ("bytes=-", 200, DIGITS, None), ("bytes=" + "9" * 5000 + "-", 200, DIGITS, None),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
@pytest.mark.parametrize("place", ["kept", "confined"])
def test_parts_of_a_file(*, service, kept, place, asked, status, content, content_range):
    path = f"/files/{kept()}" if place == "kept" else "/public/a%20b.txt"
    answer = get(service, path, Range=asked)
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, content_range)
    if content is not None:
        assert answer.data == content
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.headers["Accept-Ranges"] == "bytes"


PAST = http_date(datetime.now(UTC) - timedelta(days=1))
FUTURE = http_date(datetime.now(UTC) + timedelta(days=1))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"If-None-Match": "{etag}"}, 304, id="known by its tag"),
        pytest.param({"If-None-Match": 'W/{etag}, "x"'}, 304, id="one of several tags"),
        pytest.param({"If-None-Match": "*"}, 304, id="any tag"),
        pytest.param({"If-None-Match": '"x"', "If-Modified-Since": FUTURE}, 200, id="tag wins"),
        pytest.param({"If-Modified-Since": "{date}"}, 304, id="known by its date"),
        pytest.param({"If-Modified-Since": PAST}, 200, id="changed since"),
        pytest.param({"If-Modified-Since": "yesterday"}, 200, id="no date at all"),
        pytest.param({"If-Match": '"x"'}, 412, id="not the one expected"),
        pytest.param({"If-Match": "{etag}"}, 200, id="the one expected"),
        pytest.param({"If-Unmodified-Since": PAST}, 412, id="changed since expected"),
        pytest.param({"If-Unmodified-Since": FUTURE}, 200, id="unchanged"),
        pytest.param({"Range": "bytes=0-1", "If-None-Match": "{etag}"}, 304, id="known whole"),
        pytest.param({"Range": "bytes=0-1", "If-Range": "{etag}"}, 206, id="goes on"),
        pytest.param({"Range": "bytes=0-1", "If-Range": "{date}"}, 206, id="goes on by date"),
        pytest.param({"Range": "bytes=0-1", "If-Range": '"x"'}, 200, id="starts over"),
        pytest.param({"Range": "bytes=0-1", "If-Range": PAST}, 200, id="starts over by date"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["kept", "confined"])
def test_conditions(service, kept, place, headers, status):
    path = f"/files/{kept()}" if place == "kept" else "/public/a%20b.txt"
    first = get(service, path)
    known = {"etag": first.headers["ETag"], "date": first.headers["Last-Modified"]}
    headers = {name: value.format(**known) for name, value in headers.items()}
    answer = get(service, path, **headers)
    assert answer.status_code == status
    if status == 304:
        assert answer.data == b""
        assert answer.headers["ETag"] == known["etag"]
        assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "asked", "given"),
    [
        ("image/png", "inline", "inline"), ("image/png", "attachment", "attachment"),
        ("image/svg+xml", "inline", "attachment"), ("text/html", "inline", "attachment"),
        ("TEXT/HTML;charset=utf-8", "inline", "attachment"),
        ("application/octet-stream", "inline", "attachment"), ("text/plain", "inline", "inline"),
    ],
)  # fmt: skip
def test_nothing_that_runs_is_shown(service, kept, kind, asked, given):
    answer = get(service, f"/files/{kept(kind=kind)}?disposition={asked}")
    assert answer.headers["Content-Disposition"].split(";")[0] == given
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    (policy,) = answer.headers.getlist("Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("; sandbox")
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("ä€.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''%C3%A4%E2%82%AC.txt"),
        ('q"q\r\nX: y.txt', 'attachment; filename="q qX y.txt"'),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("文", "attachment; filename=\"file\"; filename*=UTF-8''%E6%96%87"),
    ],
)  # fmt: skip
def test_names_survive_headers(service, kept, name, header):
    assert get(service, f"/files/{kept(name=name)}").headers["Content-Disposition"] == header


def test_name_and_type_can_be_told(service, kept):
    answer = get(service, f"/files/{kept()}?name=b.png&type=image/png&cache=no-store")
    assert answer.content_type == "image/png"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="b.png"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_head_has_the_headers_and_no_content(service, kept):
    answer = get(service, f"/files/{kept()}", "HEAD", Range="bytes=0-1")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == "10"


@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_files_of_every_size(service, kept, size):
    content = os.urandom(size)
    assert get(service, f"/files/{kept(content)}").data == content


def test_a_file_of_a_folder_is_never_a_redirect(service, kept):
    assert get(service, f"/links/{kept()}").data == DIGITS


@pytest.mark.parametrize(
    ("path", "content"),
    [("a%20b.txt", DIGITS), ("sub/%C3%BC.txt", b"deep"), ("in.txt", DIGITS)],
    ids=["a space", "a folder below", "a link that stays inside"],
)
def test_what_is_in_the_folder_is_sent(service, path, content):
    assert get(service, f"/public/{path}").data == content


def test_packed_files_are_not_taken_for_what_is_in_them(service):
    answer = get(service, "/public/packed.txt.gz")
    assert answer.content_type == "application/octet-stream"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt", "sub/../../secret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt",
        "%252e%252e/secret.txt", "..%5csecret.txt", "%5c..%5csecret.txt", "..%c0%afsecret.txt",
        "%2fetc/passwd", "/etc/passwd", "out", "up/secret.txt", "loop", "pipe", "sub", "sub/",
        ".env", "sub/./%C3%BC.txt", "a%20b.txt%00.png", "a%20b.txt%0a", "C:/secret.txt",
        "../public-too/secret.txt", "%ff", "x" * 5000, "absent.txt", "a%20b.txt/x", "%25252e",
    ],
)  # fmt: skip
def test_nothing_else_is_there(service, path):
    answer = get(service, f"/public/{path}")
    assert answer.status_code in (404, 308)
    assert b"SECRET" not in answer.data
    folder = Path(service[0].instance_path).parent / "public"
    with service[0].test_request_context(), pytest.raises(NotFound):
        send_confined(folder, path)


def test_an_app_without_storage_is_told(tmp_path):
    app = Flask(__name__)
    with app.test_request_context(), pytest.raises(CarboyError, match="Storage"):
        send("0" * 32)


def test_a_file_that_ends_early_breaks_the_connection():
    body = Body(io.BytesIO(b"abc"), 1, 5)
    assert next(body) == b"bc"
    with pytest.raises(OSError, match="3 bytes early"):
        next(body)


def test_the_document_describes_downloads(service):
    paths = document_of(service[0])["paths"]
    operation = paths["/files/{key}"]["get"]
    assert {"200", "206", "304", "404", "412", "416"} <= operation["responses"].keys()
    assert operation["responses"]["200"]["content"] == {"image/png": {}, "text/plain": {}}
    assert {"Range", "If-Range"} <= {one["name"] for one in operation["parameters"]}
    assert "302" in paths["/links/{key}"]["get"]["responses"]


def test_every_kind_of_answer_fulfils_the_document(service, carboy_contract):
    app, storage = service
    with app.app_context():
        stored = storage.keep(io.BytesIO(DIGITS), name="a.txt", type="text/plain")
        odd = storage.keep(io.BytesIO(b"\x89PNG"), name="a.gif", type="image/gif")
    client = app.test_client()
    for path in (f"/files/{stored.key}", "/public/a%20b.txt"):
        with client.get(path) as whole:
            tag = whole.headers["ETag"]
        for headers, status in (
            ({"Range": "bytes=2-4"}, 206),
            ({"Range": "bytes=99-"}, 416),
            ({"If-None-Match": tag}, 304),
            ({"If-Match": '"another"'}, 412),
        ):
            for method in ("GET", "HEAD"):
                with client.open(path, method=method, headers=headers) as answer:
                    # A HEAD has no range (RFC 9110, section 14.2).
                    assert answer.status_code in ((status,) if method == "GET" else (status, 200))
    assert client.get("/files/unknown").status_code == 404
    with client.get("/public/sub/%C3%BC.txt") as deep:
        assert deep.status_code == 200
    assert carboy_contract.count == 20
    with pytest.raises(ContractError, match="content type: image/gif"):
        client.get(f"/files/{odd.key}")


def test_a_part_of_json_is_not_read_as_json(tmp_path, carboy_contract):
    app, storage = make_app(tmp_path)
    api = Blueprint("more", __name__)

    @api.get("/json/<key>")
    @downloads("application/json")
    def data(key):
        return send(key)

    app.register_blueprint(api)
    with app.app_context():
        stored = storage.keep(io.BytesIO(b'{"a": 1}'), name="a.json", type="application/json")
    path = f"/json/{stored.key}"
    with app.test_client().get(path, headers={"Range": "bytes=0-2"}) as part:
        assert part.data == b'{"a'
    with app.test_client().get(path) as whole:
        assert whole.json == {"a": 1}
    assert carboy_contract.count == 2


NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{app}; proxy_set_header Host localhost; }}
    location /_kept/ {{
      internal;
      alias {folder}/instance/storage/;
      add_header X-Content-Type-Options nosniff;
      add_header Content-Security-Policy $upstream_http_content_security_policy;
    }}
    location /_public/ {{ internal; alias {folder}/public/; }}
  }}
}}
"""


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def nginx(service, tmp_path):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed")
    app, storage = make_app(tmp_path, ACCEL_REDIRECT=f"/_kept,/_public={tmp_path}/public")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = NGINX.format(folder=tmp_path, port=port, app=server.server_port)
    (tmp_path / "nginx.conf").write_text(text)
    tmp_path.parent.chmod(0o755)
    command = [program, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + DEADLINE_S
        while not listens(port):
            assert process.poll() is None, (tmp_path / "error.log").read_text()
            assert time.monotonic() < until
        yield app, storage, port
        process.terminate()
    server.shutdown()
    thread.join()
    server.server_close()


def through(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_nginx_sends_the_file_itself(nginx):
    app, storage, port = nginx
    with app.app_context():
        key = storage.keep(io.BytesIO(DIGITS), name="ä.txt", type="text/plain").key
    direct = app.test_client().get(f"/files/{key}")
    assert (direct.data, direct.headers["X-Accel-Redirect"]) == (b"", f"/_kept/{key[:2]}/{key}")
    answer, content = through(port, f"/files/{key}?disposition=inline")
    assert (answer.status, content) == (200, DIGITS)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('inline; filename="a.txt"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert "X-Accel-Redirect" not in answer.headers
    part, content = through(port, f"/files/{key}", Range="bytes=2-4")
    assert (part.status, content) == (206, b"234")
    known, content = through(port, f"/files/{key}", **{"If-None-Match": answer.headers["ETag"]})
    assert (known.status, content) == (304, b"")
    head, content = through(port, f"/files/{key}", "HEAD")
    assert (head.headers["Content-Length"], content) == ("10", b"")
    odd, content = through(port, "/public/sub/%C3%BC.txt")
    assert (odd.status, content) == (200, b"deep")
    assert through(port, f"/_kept/{key[:2]}/{key}")[0].status == 404
    assert through(port, "/public/up/secret.txt")[0].status == 404
