"""JSON in, JSON out."""

import pytest

CUSTOM = "/api/v1/custom"


def test_everybody_is_greeted_as_the_settings_say(client, app):
    assert client.get(CUSTOM).data == {"message": app.config["MSG"]}


def test_whoever_is_named_is_greeted(client):
    answer = client.post(CUSTOM, json={"name": "Renée"})
    assert answer.status == 200
    assert answer.data == {"message": "Hello, Renée!"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b'{"name": ', "application/json", 400, id="JSON that ends early"),
        pytest.param(b"", "application/json", 400, id="nothing"),
        pytest.param(b'{"name": "Ann"}', "text/plain", 415, id="JSON that is called text"),
        pytest.param(b"{}", "application/json", 422, id="nobody is named"),
        pytest.param(b'{"name": 7}', "application/json", 422, id="a number"),
        pytest.param(b'{"name": "Ann", "age": 7}', "application/json", 422, id="an unknown field"),
    ],
)
def test_what_cannot_be_read_is_refused(client, body, kind, status):
    answer = client.post(CUSTOM, body=body, headers={"Content-Type": kind})
    assert answer.status == status
    assert answer.json["status"] == "fail"


def test_refusals_of_the_router_are_json_too(client):
    for path, method, status in (("/api/nowhere", "GET", 404), (CUSTOM, "DELETE", 405)):
        answer = client.request(method, path)
        assert answer.status == status
        assert answer.json["status"] == "fail"
