"""Signing in, and keys for programs, under the test client and over HTTP."""

import pytest

SESSIONS = "/api/v1/sessions"
KEYS = "/api/v1/api-keys"
PASSWORD = "correct horse battery"


def sign_in(client, name, password=PASSWORD):
    return client.post(SESSIONS, json={"username": name, "password": password})


@pytest.mark.parametrize("name", ["username", "email"])
def test_people_sign_in_by_name_or_address_in_any_case(client, customer, name):
    answer = sign_in(client, customer.account[name].upper())
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.holding(answer.data["token"]).get(customer.path).data == customer.account


@pytest.mark.parametrize("known", [True, False], ids=["a wrong password", "an unknown name"])
def test_a_wrong_password_and_an_unknown_name_get_one_answer(client, customer, known):
    name = customer.account["username"] if known else f"no-{customer.account['username']}"
    answer = sign_in(client, name, "not the password")
    assert answer.status == 401
    assert answer.json["code"] == "wrong_credentials"
    assert answer.json["message"].count(name) == 0


def test_guessing_is_slowed_down(client, customer):
    name = customer.account["username"]
    answers = [sign_in(client, name, f"guess {turn}") for turn in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_session_is_listed_rotated_and_ended(client, customer):
    elsewhere = client.signed_in(customer.account["username"])
    mine = customer.client
    listed = mine.get(SESSIONS).data
    assert [one["current"] for one in listed].count(True) == 1
    assert len(listed) == 2
    (other,) = [one["id"] for one in listed if not one["current"]]
    assert mine.delete(f"{SESSIONS}/{other}").status == 204
    assert elsewhere.get(customer.path).status == 401
    rotated = mine.post(f"{SESSIONS}/current/rotate")
    assert mine.get(customer.path).status == 401
    mine = client.holding(rotated.data["token"])
    assert mine.get(customer.path).status == 200
    assert mine.delete(f"{SESSIONS}/current").status == 204
    ended = mine.get(customer.path)
    assert ended.status == 401
    assert ended.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_another_password_ends_all_other_sessions(client, customer):
    elsewhere = client.signed_in(customer.account["username"])
    change = {"current_password": PASSWORD, "new_password": "entirely another one"}
    assert customer.client.post("/api/v1/password", json=change).status == 204
    assert elsewhere.get(customer.path).status == 401
    assert customer.client.get(customer.path).status == 200
    assert sign_in(client, customer.account["username"]).status == 401
    client.signed_in(customer.account["username"], "entirely another one")


def test_a_key_does_what_its_scopes_say_and_no_more(client, customer):
    made = customer.client.post(KEYS, json={"name": "reports", "scopes": ["orders:read"]})
    assert made.status == 201
    program = client.holding(made.data["key"])
    assert program.get("/api/v1/orders").status == 200
    another = {"name": "more", "scopes": ["account:write"]}
    for method, path in (("GET", customer.path), ("POST", "/api/v1/checkout"), ("POST", KEYS)):
        assert program.request(method, path, json=another).status == 403, path
    (listed,) = customer.client.get(KEYS).data
    assert made.data["key"] not in str(listed)
    assert customer.client.delete(f"{KEYS}/{listed['id']}").status == 204
    assert program.get("/api/v1/orders").status == 401


def test_a_key_cannot_hold_more_than_its_owner_may(client, customer):
    answer = customer.client.post(KEYS, json={"name": "greedy", "scopes": ["products:write"]})
    if answer.status == 201:
        answer = client.holding(answer.data["key"]).delete("/api/v1/products/1")
    assert answer.status in (403, 422)


def test_another_role_counts_from_the_next_request_on(app, command, client, customer):
    signed_in = customer.client
    name = customer.account["username"]
    assert signed_in.get("/api/v1/users").status == 403
    command(app, "users", "set-role", name, "clerk")
    assert signed_in.get("/api/v1/users").status == 200
    command(app, "users", "set-role", name, "customer")
    assert signed_in.get("/api/v1/users").status == 403
