"""What the service answers."""

import uuid

import pytest


@pytest.fixture
def note(client):
    """A note that nobody else has."""
    answer = client.post("/notes", json={"title": uuid.uuid4().hex, "text": "Glass breaks."})
    assert answer.status == 201, answer.text
    yield answer.data
    client.delete(f"/notes/{answer.data['id']}")


def test_the_world_is_greeted(client):
    answer = client.get("/")
    assert (answer.status, answer.text) == (200, "Hello, world!")


def test_whoever_is_named_is_greeted(client):
    answer = client.post("/custom", json={"name": "Renée"})
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
    answer = client.post("/custom", body=body, headers={"Content-Type": kind})
    assert answer.status == status
    assert answer.json["status"] == "fail"


@pytest.mark.parametrize(("path", "method", "status"), [("/nowhere", "GET", 404),
                                                        ("/custom", "GET", 405)])  # fmt: skip
def test_refusals_of_the_router_are_json_too(client, path, method, status):
    answer = client.request(method, path)
    assert answer.status == status
    assert answer.json["status"] == "fail"


def test_a_note_is_where_it_says(client, note):
    read = client.get(f"/notes/{note['id']}")
    assert read.data == note
    assert client.get("/notes?limit=100&sort=-title").status == 200


def test_a_note_is_updated_replaced_and_deleted(client, note):
    path = f"/notes/{note['id']}"
    assert client.patch(path, json={"text": "So does trust."}).data["title"] == note["title"]
    assert client.put(path, json={"title": note["title"]}).data == {**note, "text": ""}
    assert client.delete(path).status == 204
    assert client.get(path).status == 404


def test_a_title_belongs_to_one_note(client, note):
    answer = client.post("/notes", json={"title": note["title"]})
    assert answer.status == 409
    assert answer.json["data"] == {"title": ["Is taken."]}


def test_every_mistake_is_told_at_once(client):
    answer = client.post("/notes", json={"title": "", "text": "x" * 10_001, "id": 1})
    assert answer.status == 422
    assert answer.json["data"].keys() == {"title", "text", "id"}


def test_models_and_migrations_agree(app):
    checked = app.test_cli_runner().invoke(args=["db", "check"])
    assert checked.exit_code == 0, checked.output
