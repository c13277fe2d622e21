"""Whether the service says how it is."""


def test_the_service_is_alive(client):
    answer = client.get("/health/live")
    assert answer.status == 200


def test_the_service_is_ready(client):
    answer = client.get("/health/ready")
    assert answer.status == 200, answer.text
