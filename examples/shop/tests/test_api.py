"""The front door, under the test client and over HTTP."""


def test_the_front_door_greets_and_its_links_lead_somewhere(client):
    answer = client.get("/")
    assert answer.data["message"]
    links = answer.data["links"]
    for name in ("products", "categories", "documentation"):
        assert client.get(links[name]).status == 200
    for name in ("register", "sign_in"):
        assert client.post(links[name], json={}).status == 422
