"""One client for both ways: in this process and over HTTP."""

import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from flask import Flask, Response, jsonify, request

from carboy.testing import Client


@pytest.fixture(scope="module")
def app():
    app = Flask(__name__)

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def echo():
        sent = request.get_json(silent=True)
        seen = {
            "method": request.method,
            "query": request.args.to_dict(flat=False),
            "json": sent,
            "body": request.get_data(as_text=True),
            "header": request.headers.get("X-Header"),
            "cookie": request.cookies.get("seen"),
        }
        answer = jsonify({"status": "success", "data": seen})
        answer.set_cookie("seen", "yes")
        return answer

    @app.get("/plain")
    def plain():
        return Response("déjà vu", 418, mimetype="text/plain")

    return app


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_): ...


@pytest.fixture(scope="module")
def address(app):
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["in this process", "over HTTP"])
def client(request, app):
    if request.param == "over HTTP":
        return Client.at(request.getfixturevalue("address"))
    return Client.of(app)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_every_method_arrives(client, method):
    answer = getattr(client, method)("/echo", query={"a": [1, 2]}, headers={"X-Header": "here"})
    assert answer.status == 200
    seen = answer.data
    assert seen["method"] == method.upper()
    assert seen["query"] == {"a": ["1", "2"]}
    assert seen["header"] == "here"


def test_json_is_sent_as_json(client):
    assert client.post("/echo", json={"name": "Renée"}).data["json"] == {"name": "Renée"}


def test_a_body_is_sent_as_it_is(client):
    assert client.post("/echo", body=b"plain").data["body"] == "plain"


def test_no_cookie_is_kept(client):
    client.get("/echo")
    assert client.get("/echo").data["cookie"] is None


def test_header_names_are_found_in_any_case(client):
    assert client.get("/plain").headers["content-type"].startswith("text/plain")


def test_what_is_no_success_says_what_it_is(client):
    answer = client.get("/plain")
    assert (answer.status, answer.text) == (418, "déjà vu")
    with pytest.raises(AssertionError, match="418: déjà vu"):
        answer.data  # noqa: B018 - the access is the test


def test_a_path_in_the_base_url_is_kept(app, address):
    assert Client.at(f"{address}/echo").get("?a=1").status == 200
