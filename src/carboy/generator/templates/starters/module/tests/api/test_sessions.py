"""Signing in and out."""

import pytest

SESSIONS = "/api/v1/sessions"


@pytest.mark.parametrize(
    ("named", "password"),
    [
        pytest.param("{}", "a wrong one", id="the password is wrong"),
        pytest.param("nobody-{}", "correct horse battery", id="nobody has the name"),
    ],
)
def test_who_does_not_know_both_is_told_neither(client, member, named, password):
    sent = {"username": named.format(member.username), "password": password}
    answer = client.post(SESSIONS, json=sent)
    assert answer.status == 401
    assert answer.json["data"] is None


def test_a_session_ends_when_its_owner_signs_out(client, member, sign_in):
    elsewhere = {"Authorization": f"Bearer {sign_in(member.username)}"}
    assert client.delete(f"{SESSIONS}/current", headers=elsewhere).status == 204
    assert client.get(member.path, headers=elsewhere).status == 401
    assert client.get(member.path, headers=member.signed).status == 200


@pytest.mark.parametrize("token", ["Bearer cbs_" + "x" * 43, "Bearer", "Basic cmVuZWU6eA=="])
def test_a_token_that_is_none_opens_nothing(client, member, token):
    answer = client.get(member.path, headers={"Authorization": token})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_another_password_ends_the_other_sessions(client, member, sign_in):
    elsewhere = {"Authorization": f"Bearer {sign_in(member.username)}"}
    sent = {"current_password": "correct horse battery", "new_password": "battery staple"}
    assert client.post("/api/v1/password", json=sent, headers=member.signed).status == 204
    assert client.get(member.path, headers=elsewhere).status == 401
    assert client.get(member.path, headers=member.signed).status == 200
