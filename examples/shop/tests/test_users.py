"""Accounts and profiles, under the test client and over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest

USERS = "/api/v1/users"


def test_registering_answers_the_account_and_says_where_it_is(client, person):
    answer = client.post(USERS, json=person)
    assert answer.status == 201
    account = answer.data
    assert {name: account[name] for name in ("username", "email", "full_name")} == {
        name: person[name] for name in ("username", "email", "full_name")
    }
    assert account["created_at"].endswith("+00:00")
    assert answer.headers["Location"] == f"{USERS}/{account['id']}"
    assert client.get(answer.headers["Location"]).data == account


@pytest.mark.parametrize(
    "path",
    ["/api/v1/users?username_startswith={username}&limit=100", "/api/v1/profiles/{username}"],
)
def test_a_public_profile_shows_neither_address_nor_password(client, user, path):
    answer = client.get(path.format(**user))
    assert answer.status == 200
    assert user["username"] in answer.text
    assert user["email"] not in answer.text
    assert "password" not in answer.text


def test_the_password_never_leaves(client, user, person):
    for answer in (
        client.get(f"{USERS}/{user['id']}"),
        client.put(f"{USERS}/{user['id']}", json=person),
        client.patch(f"{USERS}/{user['id']}", json={"password": "another one entirely"}),
    ):
        assert answer.status == 200
        assert "password" not in answer.text
        assert "argon2" not in answer.text


def test_a_profile_is_found_in_any_case(client, user):
    answer = client.get(f"/api/v1/profiles/{user['username'].upper()}")
    assert answer.data["username"] == user["username"]


def test_replacing_replaces_everything(client, user, person):
    answer = client.put(f"{USERS}/{user['id']}", json=person)
    assert answer.status == 200
    assert answer.data["id"] == user["id"]
    assert answer.data["email"] == person["email"]
    assert client.get(f"/api/v1/profiles/{user['username']}").status == 404
    assert client.get(f"/api/v1/profiles/{person['username']}").status == 200


def test_replacing_needs_everything(client, user):
    answer = client.put(f"{USERS}/{user['id']}", json={"full_name": "Only This"})
    assert answer.status == 422
    assert answer.fields.keys() == {"username", "email", "password"}


def test_updating_leaves_the_rest(client, user):
    answer = client.patch(f"{USERS}/{user['id']}", json={"full_name": "Zoë Ōta-Łęcka 🦀"})
    assert answer.status == 200
    assert answer.data == {**user, "full_name": "Zoë Ōta-Łęcka 🦀"}


def test_sending_what_an_account_has_already_is_no_conflict(client, user):
    same = {"username": user["username"].upper(), "email": user["email"]}
    assert client.patch(f"{USERS}/{user['id']}", json=same).status == 200
    assert client.patch(f"{USERS}/{user['id']}", json={}).status == 200


def test_a_deleted_account_is_gone_and_its_name_is_free(client, user, person):
    assert client.delete(f"{USERS}/{user['id']}").status == 204
    assert client.get(f"{USERS}/{user['id']}").status == 404
    assert client.delete(f"{USERS}/{user['id']}").status == 404
    again = client.post(USERS, json={**person, "username": user["username"]})
    assert again.status == 201
    assert again.data["id"] != user["id"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_name_or_address_belongs_to_one_account_whatever_its_case(
    client, person, make_user, method
):
    user = make_user()
    path = USERS if method == "POST" else f"{USERS}/{make_user()['id']}"
    for name in ("username", "email"):
        answer = client.request(method, path, json={**person, name: user[name].swapcase()})
        assert answer.status == 409
        assert answer.fields.keys() == {name}


def test_both_are_named_when_both_are_taken(client, user, person, make_user):
    other = make_user()
    answer = client.post(
        USERS, json={**person, "username": user["username"], "email": other["email"]}
    )
    assert answer.status == 409
    assert answer.fields.keys() == {"username", "email"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("username", "ab", id="a username is too short"),
        pytest.param("username", "a" * 33, id="a username is too long"),
        pytest.param("username", "with space", id="a username has a space"),
        pytest.param("username", "\u0430dmin", id="a username has a Cyrillic letter"),
        pytest.param("username", ".hidden", id="a username begins with a dot"),
        pytest.param("username", "line\nbreak", id="a username has a line break"),
        pytest.param("username", "nul\0nul", id="a username has a NUL"),
        pytest.param("username", 7, id="a username is a number"),
        pytest.param("username", None, id="a username is null"),
        pytest.param("email", "nobody", id="an address has no domain"),
        pytest.param("email", "a\0@example.com", id="an address has a NUL"),
        pytest.param("email", "a" * 250 + "@example.com", id="an address is too long"),
        pytest.param("full_name", "", id="a name is empty"),
        pytest.param("full_name", "   ", id="a name is white space"),
        pytest.param("full_name", "x" * 121, id="a name is too long"),
        pytest.param("full_name", "a\0b", id="a name has a NUL"),
        pytest.param("full_name", "a\x1b[31mb", id="a name has an escape sequence"),
        pytest.param("full_name", ["a"], id="a name is a list"),
        pytest.param("password", "short", id="a password is too short"),
        pytest.param("password", "x" * 129, id="a password is too long"),
        pytest.param("is_admin", True, id="a field is unknown"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_field(client, person, name, value):
    answer = client.post(USERS, json={**person, name: value})
    assert answer.status == 422
    assert answer.fields.keys() == {name}


@pytest.mark.parametrize(
    "email", ["ΐ" * 200 + "@example.com", "user+tag@bücher.example", "ß@example.com"]
)
def test_an_unusual_address_is_kept_or_refused_in_words(client, person, email):
    answer = client.post(USERS, json={**person, "email": email})
    assert answer.status in (201, 422)
    if answer.status == 201:
        assert answer.data["email"] == email
        client.delete(f"{USERS}/{answer.data['id']}")
    else:
        assert answer.fields.keys() == {"email"}


def test_every_mistake_is_told_at_once(client):
    answer = client.post(USERS, json={"username": "x", "email": "x"})
    assert answer.status == 422
    assert answer.fields.keys() == {"username", "email", "full_name", "password"}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("number", [0, 2**31, 2**63 - 1, 2**63, 10**30])
def test_an_unknown_account_is_404_however_large_its_number(client, person, method, number):
    sent = {"json": person} if method in ("PUT", "PATCH") else {}
    answer = client.request(method, f"{USERS}/{number}", **sent)
    assert answer.status == 404


@pytest.mark.parametrize("name", ["nobody-by-this-name", "%00", "%F0%9F%A6%80", "%ED%A0%80"])
def test_an_unknown_profile_is_404_whatever_its_name(client, name):
    assert client.get(f"/api/v1/profiles/{name}").status == 404


def test_purchases_are_listed_latest_first(client, user, product):
    bought = [
        client.post(
            "/api/v1/checkout",
            json={"user_id": user["id"], "lines": [{"product_id": product["id"], "quantity": 1}]},
        ).data
        for _ in range(2)
    ]
    answer = client.get(f"{USERS}/{user['id']}/purchases")
    assert answer.data["items"] == bought[::-1]
    first = client.get(f"{USERS}/{user['id']}/purchases?limit=1").data
    assert first["items"] == bought[1:]
    assert client.get(first["links"]["next"]).data["items"] == bought[:1]


def test_purchases_of_an_unknown_account_are_404(client):
    assert client.get(f"{USERS}/{2**40}/purchases").status == 404


def test_the_pages_of_accounts_are_numbered_and_counted(client, make_user):
    make_user(), make_user()
    page = client.get(f"{USERS}?limit=1&page=2&sort=-created_at").data
    assert (page["page"], page["limit"], len(page["items"])) == (2, 1, 1)
    assert page["total"] >= 2
    assert client.get(page["links"]["prev"]).data["page"] == 1


def test_a_page_beyond_the_end_is_empty(client):
    answer = client.get(f"{USERS}?page={2**31 - 1}")
    assert answer.status == 200
    assert answer.data["items"] == []


def test_an_account_is_changed_only_as_it_was_read(client, user):
    path = f"{USERS}/{user['id']}"
    tag = client.get(path).headers["ETag"]
    first = client.patch(path, json={"full_name": "First"}, headers={"If-Match": tag})
    assert first.status == 200
    late = client.patch(path, json={"full_name": "Late"}, headers={"If-Match": tag})
    assert late.status == 412
    assert late.json["code"] == "stale_version"
    assert client.get(path).headers["ETag"] == first.headers["ETag"]


def test_twenty_writers_at_once_lose_no_update(client, user):
    """Each reads, adds one and writes what it read from, again where another was quicker."""
    path = f"{USERS}/{user['id']}"
    client.patch(path, json={"full_name": "0"})

    def add_one(_):
        refused = 0
        while True:
            read = client.get(path)
            more = str(int(read.data["full_name"]) + 1)
            expected = {"If-Match": read.headers["ETag"]}
            wrote = client.patch(path, json={"full_name": more}, headers=expected)
            if wrote.status == 200:
                return refused
            assert wrote.status == 412, wrote.text
            refused += 1

    with ThreadPoolExecutor(20) as writers:
        refused = list(writers.map(add_one, range(20)))
    assert client.get(path).data["full_name"] == "20", refused
