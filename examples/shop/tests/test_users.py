"""Accounts and profiles, under the test client and over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest

USERS = "/api/v1/users"


def known(person):
    """What a change of an account sends: everything but the password."""
    return {name: value for name, value in person.items() if name != "password"}


def test_registering_answers_the_account_and_says_where_it_is(client, person):
    answer = client.post(USERS, json=person)
    assert answer.status == 201
    account = answer.data
    assert {name: account[name] for name in known(person)} == known(person)
    assert account["created_at"].endswith("+00:00")
    assert account["role"] == "customer"
    assert answer.headers["Location"] == f"{USERS}/{account['id']}"
    mine = client.signed_in(person["username"])
    assert mine.get(answer.headers["Location"]).data == account


def test_a_public_profile_shows_neither_address_nor_password(client, customer):
    account = customer.account
    answer = client.get(f"/api/v1/profiles/{account['username']}")
    assert answer.status == 200
    assert answer.data == {
        name: account[name] for name in ("id", "username", "full_name", "created_at")
    }


def test_the_password_never_leaves(customer, person):
    for answer in (
        customer.client.get(customer.path),
        customer.client.put(customer.path, json=known(person)),
        customer.client.patch(customer.path, json={"full_name": "Another"}),
    ):
        assert answer.status == 200
        assert "password" not in answer.text
        assert "argon2" not in answer.text


@pytest.mark.parametrize("name", ["password", "password_hash", "role", "disabled_at"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_neither_password_nor_role_is_changed_with_an_account(customer, person, method, name):
    sent = {**known(person), name: "admin"}
    answer = customer.client.request(method, customer.path, json=sent)
    assert answer.status == 422
    assert answer.fields == {name: ["Unknown field."]}


def test_a_profile_is_found_in_any_case(client, customer):
    name = customer.account["username"]
    assert client.get(f"/api/v1/profiles/{name.upper()}").data["username"] == name


def test_replacing_replaces_everything(client, customer, person):
    answer = customer.client.put(customer.path, json=known(person))
    assert answer.status == 200
    assert answer.data["id"] == customer.account["id"]
    assert answer.data["email"] == person["email"]
    assert client.get(f"/api/v1/profiles/{customer.account['username']}").status == 404
    assert client.get(f"/api/v1/profiles/{person['username']}").status == 200


def test_replacing_needs_everything(customer):
    answer = customer.client.put(customer.path, json={"full_name": "Only This"})
    assert answer.status == 422
    assert answer.fields.keys() == {"username", "email"}


def test_updating_leaves_the_rest(customer):
    answer = customer.client.patch(customer.path, json={"full_name": "Zoë Ōta-Łęcka 🦀"})
    assert answer.status == 200
    assert answer.data == {**customer.account, "full_name": "Zoë Ōta-Łęcka 🦀"}


def test_sending_what_an_account_has_already_is_no_conflict(customer):
    account = customer.account
    same = {"username": account["username"].upper(), "email": account["email"]}
    assert customer.client.patch(customer.path, json=same).status == 200
    assert customer.client.patch(customer.path, json={}).status == 200


def test_a_deleted_account_is_signed_out_and_its_name_is_free(client, customer, person, clerk):
    assert customer.client.delete(customer.path).status == 204
    assert customer.client.get(customer.path).status == 401
    assert clerk.get(customer.path).status == 404
    again = client.post(USERS, json={**person, "username": customer.account["username"]})
    assert again.status == 201
    assert again.data["id"] != customer.account["id"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_account_of_somebody_else_is_404(make_customer, person, method):
    one, other = make_customer(), make_customer()
    sent = {"json": known(person)} if method in ("PUT", "PATCH") else {}
    assert one.client.request(method, other.path, **sent).status == 404
    assert one.client.get(f"{other.path}/purchases").status == 404
    assert other.client.get(other.path).data == other.account


def test_clerks_read_every_account_and_change_none(clerk, customer):
    assert clerk.get(customer.path).data == customer.account
    found = clerk.get(f"{USERS}?username_startswith={customer.account['username']}")
    assert found.data["items"] == [customer.account]
    assert clerk.get(f"{customer.path}/purchases").status == 200
    assert clerk.patch(customer.path, json={"full_name": "Changed"}).status == 403
    assert clerk.delete(customer.path).status == 403
    assert customer.client.get(customer.path).data == customer.account


def test_admins_change_every_account(admin, customer):
    answer = admin.patch(customer.path, json={"full_name": "Changed"})
    assert answer.data == {**customer.account, "full_name": "Changed"}
    assert admin.delete(customer.path).status == 204
    assert admin.get(customer.path).status == 404


def test_the_list_of_accounts_is_for_clerks(client, customer):
    assert client.get(USERS).status == 401
    refused = customer.client.get(USERS)
    assert refused.status == 403
    assert refused.json["code"] == "insufficient_scope"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_name_or_address_belongs_to_one_account_whatever_its_case(
    client, person, make_customer, method
):
    other, mine = make_customer(), make_customer()
    for name in ("username", "email"):
        sent = {**person, name: other.account[name].swapcase()}
        if method == "POST":
            answer = client.post(USERS, json=sent)
        else:
            answer = mine.client.request(method, mine.path, json=known(sent))
        assert answer.status == 409
        assert answer.fields.keys() == {name}


def test_both_are_named_when_both_are_taken(client, person, make_customer):
    one, other = make_customer().account, make_customer().account
    answer = client.post(
        USERS, json={**person, "username": one["username"], "email": other["email"]}
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
        mine = client.signed_in(person["username"])
        mine.delete(f"{USERS}/{answer.data['id']}")
    else:
        assert answer.fields.keys() == {"email"}


def test_every_mistake_is_told_at_once(client):
    answer = client.post(USERS, json={"username": "x", "email": "x"})
    assert answer.status == 422
    assert answer.fields.keys() == {"username", "email", "full_name", "password"}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_an_unknown_account_is_404_however_large_its_number(admin, person, method):
    sent = {"json": known(person)} if method in ("PUT", "PATCH") else {}
    for number in (0, 2**31, 2**63 - 1, 2**63, 10**30):
        assert admin.request(method, f"{USERS}/{number}", **sent).status == 404


@pytest.mark.parametrize("name", ["nobody-by-this-name", "%00", "%F0%9F%A6%80", "%ED%A0%80"])
def test_an_unknown_profile_is_404_whatever_its_name(client, name):
    assert client.get(f"/api/v1/profiles/{name}").status == 404


def test_purchases_are_listed_latest_first(customer, product):
    bought = [
        customer.client.post(
            "/api/v1/checkout", json={"lines": [{"product_id": product["id"], "quantity": 1}]}
        ).data
        for _ in range(2)
    ]
    for path in (f"{customer.path}/purchases", "/api/v1/orders"):
        assert customer.client.get(path).data["items"] == bought[::-1]
        first = customer.client.get(f"{path}?limit=1").data
        assert first["items"] == bought[1:]
        assert customer.client.get(first["links"]["next"]).data["items"] == bought[:1]


def test_purchases_of_an_unknown_account_are_404(clerk):
    assert clerk.get(f"{USERS}/{2**40}/purchases").status == 404


def test_the_pages_of_accounts_are_numbered_and_counted(clerk, make_customer):
    make_customer(), make_customer()
    page = clerk.get(f"{USERS}?limit=1&page=2&sort=-created_at").data
    assert (page["page"], page["limit"], len(page["items"])) == (2, 1, 1)
    assert page["total"] >= 2
    assert clerk.get(page["links"]["prev"]).data["page"] == 1


def test_a_page_beyond_the_end_is_empty(clerk):
    answer = clerk.get(f"{USERS}?page={2**31 - 1}")
    assert answer.status == 200
    assert answer.data["items"] == []


def test_an_account_is_changed_only_as_it_was_read(customer):
    client, path = customer.client, customer.path
    tag = client.get(path).headers["ETag"]
    first = client.patch(path, json={"full_name": "First"}, headers={"If-Match": tag})
    assert first.status == 200
    late = client.patch(path, json={"full_name": "Late"}, headers={"If-Match": tag})
    assert late.status == 412
    assert late.json["code"] == "stale_version"
    assert client.get(path).headers["ETag"] == first.headers["ETag"]


def test_twenty_writers_at_once_lose_no_update(customer):
    """Each reads, adds one and writes what it read from, again where another was quicker."""
    client, path = customer.client, customer.path
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
