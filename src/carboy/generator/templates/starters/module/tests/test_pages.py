"""Pages for browsers."""


def test_the_front_page_greets_as_the_settings_say(client, app):
    answer = client.get("/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert app.config["MSG"] in answer.text


def test_the_front_page_may_load_nothing_from_elsewhere(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
