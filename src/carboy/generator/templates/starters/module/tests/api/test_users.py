"""Accounts over HTTP: what everybody may do, what owners may, what admins may."""

import pytest

USERS = "/api/v1/users"


def test_registering_answers_the_account_and_says_where_it_is(client, form, sign_in):
    answer = client.post(USERS, json=form)
    assert answer.status == 201
    account = answer.data
    assert account["username"] == form["username"]
    assert account["role"] == "member"
    assert "password" not in answer.text
    assert answer.headers["Location"] == f"{USERS}/{account['id']}"
    signed = {"Authorization": f"Bearer {sign_in(form['email'].upper())}"}
    assert client.get(answer.headers["Location"], headers=signed).data == account
    assert client.delete(answer.headers["Location"], headers=signed).status == 204


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("username", "ab", id="a username is too short"),
        pytest.param("username", "a" * 33, id="a username is too long"),
        pytest.param("username", "Renee", id="a username has a capital"),
        pytest.param("username", "line\nbreak", id="a username has a line break"),
        pytest.param("username", "nul\0nul", id="a username has a NUL"),
        pytest.param("username", 7, id="a username is a number"),
        pytest.param("email", "nobody", id="an address has no domain"),
        pytest.param("email", "a" * 250 + "@example.com", id="an address is too long"),
        pytest.param("full_name", "x" * 121, id="a name is too long"),
        pytest.param("full_name", None, id="a name is null"),
        pytest.param("password", "short", id="a password is too short"),
        pytest.param("role", "admin", id="a role is not for the caller to choose"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_field(client, form, name, value):
    answer = client.post(USERS, json={**form, name: value})
    assert answer.status == 422
    assert answer.json["data"].keys() == {name}


def test_every_mistake_is_told_at_once(client):
    answer = client.post(USERS, json={"username": "x"})
    assert answer.status == 422
    assert answer.json["data"].keys() == {"username", "email", "password"}


@pytest.mark.parametrize("name", ["username", "email"])
def test_a_name_and_an_address_belong_to_one_account(client, form, member, name):
    taken = {"username": member.username, "email": f"{member.username}@EXAMPLE.com"}
    answer = client.post(USERS, json={**form, name: taken[name]})
    assert answer.status == 409
    assert answer.json["data"] == {name: ["Is taken."]}


def test_an_account_is_updated_and_replaced_by_its_owner(client, member):
    def own(method, **sent):
        return client.request(method, member.path, json=sent, headers=member.signed)

    answer = own("PATCH", full_name="Zoë Ōta-Łęcka 🦀")
    assert answer.status == 200
    assert answer.data["display_name"] == "Zoë Ōta-Łęcka 🦀"
    answer = own("PUT", username=member.username, email=f"{member.username}@example.org")
    assert answer.status == 200
    assert answer.data["full_name"] == ""
    assert answer.data["display_name"] == member.username
    assert own("PUT", full_name="Only this").status == 422
    assert own("PATCH", password="another one entirely").status == 422


def test_an_account_is_changed_only_as_it_was_read(client, member):
    tag = client.get(member.path, headers=member.signed).headers["ETag"]
    expected = {**member.signed, "If-Match": tag}
    assert client.patch(member.path, json={"full_name": "A"}, headers=expected).status == 200
    assert client.patch(member.path, json={"full_name": "B"}, headers=expected).status == 412


def test_a_deleted_account_is_gone_and_its_sessions_with_it(client, member):
    assert client.delete(member.path, headers=member.signed).status == 204
    assert client.get(member.path, headers=member.signed).status == 401
    assert client.get(f"/api/v1/profiles/{member.username}").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_the_account_of_somebody_else_does_not_exist(client, join, form, method):
    owner, stranger = join(), join()
    del form["password"]
    sent = {"json": form} if method in ("PUT", "PATCH") else {}
    assert client.request(method, owner.path, **sent).status == 401
    answer = client.request(method, owner.path, headers=stranger.signed, **sent)
    assert answer.status == 404
    unknown = client.request(method, f"{USERS}/{10**30}", headers=stranger.signed, **sent)
    assert unknown.status == 404
    assert client.get(owner.path, headers=owner.signed).data["username"] == owner.username


def test_a_list_of_accounts_is_for_admins(client, member):
    assert client.get(USERS).status == 401
    assert client.get(USERS, headers=member.signed).status == 403


def test_admins_reach_every_account(client, admin, join):
    other = join()
    found = client.get(f"{USERS}?username_startswith={other.username}", headers=admin.signed)
    assert [account["id"] for account in found.data["items"]] == [other.id]
    renamed = client.patch(other.path, json={"full_name": "Known"}, headers=admin.signed)
    assert renamed.data["full_name"] == "Known"
    assert client.delete(other.path, headers=admin.signed).status == 204


def test_a_profile_tells_what_everybody_may_know(client, member):
    answer = client.get(f"/api/v1/profiles/{member.username.upper()}")
    assert answer.status == 200
    assert answer.data.keys() == {"username", "display_name", "created_at"}


@pytest.mark.parametrize("name", ["nobody-by-this-name", "%00", "%F0%9F%A6%80", "%ED%A0%80"])
def test_an_unknown_profile_is_404_whatever_its_name(client, name):
    assert client.get(f"/api/v1/profiles/{name}").status == 404
