"""Who may call: nobody without credentials what is not public, and nobody what is another's."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update

from carboy.api.auth.tokens import KEY_PREFIX, SESSION_PREFIX
from shop.database import db
from shop.users.models import ApiKey, Session, User

from .conftest import add_person
from .endpoints import DOCUMENT, DOING, TARGETS, over

# To open something is to add it here.
PUBLIC = {
    "GET /",
    "GET /static/<path:filename>",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/assets/<release>/<path:name>",
    "POST /api/v1/sessions",
    "POST /api/v1/users",
    "GET /api/v1/profiles/<username>",
    "GET /api/v1/products",
    "GET /api/v1/products/<int:id>",
    "GET /api/v1/products/<int:product_id>/picture",
    "GET /api/v1/products/categories",
}
# OPTIONS tells which methods an address has, as the document does.
CLOSED = [one for one in TARGETS if not one.is_public and one.method != "OPTIONS"]
WITH_IDS = [target for target in DOING if target.variables and not target.is_public]
# What belongs to one account: never found by another, whose permissions do not reach further.
OWNED = {"users", "orders", "sessions", "api-keys"}
# What only the staff does: customers are refused, whatever the id.
STAFF = {"products"}
PAST = datetime(2001, 1, 1, tzinfo=UTC)


def test_what_is_public_is_what_is_listed_here():
    assert {str(target) for target in DOING if target.is_public} == PUBLIC


def test_the_document_says_the_same_of_what_is_public():
    for target in DOING:
        if target.described:
            closed = bool(target.described.get("security"))
            assert closed is not target.is_public, target
            assert ("401" in target.described["responses"]) is closed or target.is_public, target
    assert "security" not in DOCUMENT


def ended(shop, statement):
    with shop.app_context():
        assert db.session.execute(statement).rowcount
        db.session.commit()


NOBODY = {
    "nothing": lambda _: None,
    "an empty word": lambda _: "",
    "another scheme": lambda person: f"Basic {person.token}",
    "no scheme": lambda person: person.token,
    "a token that is none": lambda _: "Bearer ..",
    "two tokens": lambda person: f"Bearer {person.token} {person.token}",
    "part of a token": lambda person: f"Bearer {person.token[:-1]}",
    "a token that was never given": lambda _: f"Bearer {SESSION_PREFIX}{'a' * 43}",
    "a key that was never given": lambda _: f"Bearer {KEY_PREFIX}{'a' * 43}",
    "a JWT that says it needs no signature": lambda _: (
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwic2NvcGUiOiIqIn0."
    ),
    "a token as a key": lambda person: (
        f"Bearer {person.token.replace(SESSION_PREFIX, KEY_PREFIX, 1)}"
    ),
}


@pytest.fixture(scope="session")
def former(shop):
    """Header values that were valid once, of people who may do everything."""
    found = {}
    for name, statements in {
        "ended": (delete(Session), delete(ApiKey)),
        "expired": (
            update(Session).values(expires_at=PAST),
            update(ApiKey).values(expires_at=PAST),
        ),
    }.items():
        person = add_person(shop, f"{name}-one", "admin")
        for token, statement in zip((person.token, person.key), statements, strict=True):
            model = statement.entity_description["entity"]
            ended(shop, statement.where(model.user_id == person.id))
            found[f"{name} {model.__name__}"] = f"Bearer {token}"
    for name, statement in {
        "disabled": update(User).values(disabled_at=PAST),
        "deleted": delete(User),
    }.items():
        person = add_person(shop, f"{name}-one", "admin")
        ended(shop, statement.where(User.id == person.id))
        found[f"session of a {name} account"] = f"Bearer {person.token}"
        found[f"key of a {name} account"] = f"Bearer {person.key}"
    return found


@over(CLOSED)
def test_callers_without_valid_credentials_get_401_and_nothing_else(
    ask, rows, admin, former, target
):
    path, before = target.at(admin.things), rows()
    given = {note: make(admin) for note, make in NOBODY.items()} | former
    for note, value in given.items():
        headers = {} if value is None else {"Authorization": value}
        answer = ask(target.method, path, headers, note=note, kept=True, json=target.body())
        assert answer.status_code == 401, (note, answer.text)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), note
        if target.method != "HEAD":
            assert answer.json.keys() == {"status", "message", "code", "data"}, note
            assert answer.json["data"] is None, note
        for name in ("Location", "ETag", "Link", "Content-Disposition", "Allow"):
            assert name not in answer.headers, (note, name)
    assert rows() == before


@over([target for target in DOING if target.is_public])
def test_bad_credentials_open_and_close_nothing_that_is_public(ask, ada, former, target):
    path = target.at(ada.things)
    plain = ask(target.method, path, {}, json=target.body())
    for note, value in former.items():
        answer = ask(target.method, path, {"Authorization": value}, json=target.body())
        assert answer.status_code == plain.status_code, note


def test_every_address_with_an_id_is_owned_or_the_staffs():
    found = {name for target in WITH_IDS for name in target.collections}
    assert found == OWNED | STAFF, "Say above whose the new things are."


@pytest.fixture(params=[False, True], ids=["session", "key"])
def with_key(request):
    """Whether a person comes with an API key."""
    return request.param


@pytest.fixture
def unchanged(rows):
    """Hold that nothing is written."""
    before = rows()
    yield
    assert rows() == before


@pytest.mark.usefixtures("unchanged")
@over(WITH_IDS)
def test_nobody_reads_or_changes_what_is_anothers(ask, ada, bob, target, with_key):
    """It is as if it were not there; and its owner does find it, or the staff alone may."""
    path, body = target.at(ada.things), target.body()
    other = ask(target.method, path, bob.headers(key=with_key), json=body, kept=True)
    assert not [secret for secret in ada.secrets if secret in other.text]
    owner = ask(target.method, path, ada.headers(key=with_key), json=body)
    if owner.status_code == 403:  # a key may not do it, or it is for the staff
        wanted = {"session_required"} if with_key else set()
        wanted |= {"insufficient_scope"} if STAFF & set(target.collections) else set()
        assert owner.json["code"] in wanted, owner.text
        assert other.status_code == 403
        assert other.json == owner.json
        return
    assert owner.status_code < 300 or owner.status_code == 409, owner.text
    assert other.status_code == 404, other.text
    unknown = dict.fromkeys(target.variables, "4321")
    absent = ask(target.method, target.at({}, **unknown), bob.headers(key=with_key), json=body)
    assert (absent.status_code, absent.json["code"]) == (404, other.json["code"])


@over([target for target in DOING if target.method == "GET"])
def test_no_list_and_no_filter_shows_what_is_anothers(ask, ada, bob, target, with_key):
    queries = ["", *(f"?{name}={ada.id}" for name in target.names("query"))]
    queries += [f"?{name}={secret}" for name in target.names("query") for secret in ada.secrets]
    for query in queries:
        path = target.at(bob.things) + query
        answer = ask("GET", path, bob.headers(key=with_key), note=query)
        found = [secret for secret in ada.secrets if secret.encode() in answer.get_data()]
        assert not [secret for secret in found if secret not in query], (query, found)
        if answer.is_json and answer.status_code == 200:
            for item in items(answer.json):
                assert item.get("user_id") != ada.id, item


def items(value):
    """Give every object inside *value*."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from items(one)


def test_the_secrets_are_shown_to_their_owner(ask, ada):
    """Else the law above would look for what nobody is shown."""
    shown = "".join(
        ask("GET", path, ada.headers()).text
        for path in ("/api/v1/sessions", "/api/v1/api-keys", f"/api/v1/users/{ada.id}")
    )
    assert all(secret in shown for secret in ada.secrets)
