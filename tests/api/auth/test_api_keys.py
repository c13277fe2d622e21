import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from carboy.api.auth.tables import now


def create(service, token, **sent):
    sent = {"name": "nightly export", "scopes": ["orders:read"], **sent}
    return service.call("POST", "/api-keys", token, json=sent)


def test_a_key_is_shown_once_and_kept_as_a_hash(service, models):
    token = service.token("ada")
    made = create(service, token).json["data"]
    (row,) = service.rows(select(models.ApiKey))
    assert row.token_hash == hashlib.sha256(made["key"].encode()).hexdigest()
    assert made["key"].startswith(made["prefix"])
    (listed,) = service.call("GET", "/api-keys", token).json["data"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert service.call("GET", "/me", made["key"]).json["data"]["method"] == "key"


def test_a_key_does_what_its_scopes_and_its_owner_may(service, models):
    clerk = service.token("clara")
    key = create(service, clerk, scopes=["orders:*"]).json["data"]["key"]
    assert service.call("GET", "/orders", key).status_code == 200
    assert service.call("GET", "/stock", key).status_code == 403
    service.change(update(models.User).values(role="customer"))
    assert service.call("GET", "/me", key).json["data"]["permissions"] == [
        "orders:read",
        "orders:write",
    ]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        pytest.param({"scopes": ["stock:read"]}, "scopes", id="beyond what the owner may"),
        pytest.param({"scopes": ["*"]}, "scopes", id="everything"),
        pytest.param({"scopes": []}, "scopes", id="no scope"),
        pytest.param({"scopes": ["a b"]}, "scopes", id="no permission"),
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at", id="in the past"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(service, models, sent, field):
    answer = create(service, service.token("ada"), **sent)
    assert answer.status_code == 422
    assert list(answer.json["data"]) == [field]
    assert service.rows(select(models.ApiKey)) == []


def test_a_key_ends_when_it_expires(service, models):
    ends = (now() + timedelta(hours=1)).isoformat()
    key = create(service, service.token("ada"), expires_at=ends).json["data"]["key"]
    assert service.call("GET", "/me", key).status_code == 200
    service.change(update(models.ApiKey).values(expires_at=now()))
    assert service.call("GET", "/me", key).status_code == 401


def test_the_last_use_of_a_key_is_noted_at_most_once_a_minute(service, models):
    key = create(service, service.token("ada")).json["data"]["key"]
    service.call("GET", "/me", key)
    (first,) = service.rows(select(models.ApiKey.last_used_at))
    assert now() - first < timedelta(minutes=1)
    service.call("GET", "/me", key)
    assert service.rows(select(models.ApiKey.last_used_at)) == [first]


def test_users_revoke_their_own_keys_only(service):
    token = service.token("ada")
    made = create(service, token).json["data"]
    path = f"/api-keys/{made['id']}"
    assert service.call("DELETE", path, service.token("bob")).status_code == 404
    assert service.call("DELETE", path, token).status_code == 204
    assert service.call("DELETE", path, token).status_code == 404
    assert service.call("DELETE", "/api-keys/a%00b", token).status_code == 404
    assert service.call("GET", "/me", made["key"]).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sessions"),
        ("DELETE", "/sessions"),
        ("DELETE", "/sessions/current"),
        ("DELETE", "/sessions/x"),
        ("POST", "/sessions/current/rotate"),
        ("POST", "/api-keys"),
        ("GET", "/api-keys"),
        ("DELETE", "/api-keys/x"),
        ("POST", "/password"),
        ("POST", "/email/confirmation-requests"),
    ],
)
def test_a_key_cannot_manage_credentials(service, method, path):
    key = create(service, service.token("ada")).json["data"]["key"]
    bodies = {
        "/api-keys": {"name": "x", "scopes": ["orders:read"]},
        "/password": {"current_password": "x", "new_password": "long enough"},
    }
    sent = bodies.get(path) if method == "POST" else None
    answer = service.call(method, path, key, json=sent)
    assert answer.status_code == 403
    assert answer.json["code"] == "session_required"


def test_a_request_that_cannot_note_its_time_is_answered_all_the_same(service, monkeypatch, log):
    from contextlib import contextmanager

    from sqlalchemy.exc import OperationalError

    key = create(service, service.token("ada")).json["data"]["key"]

    @contextmanager
    def locked():
        raise OperationalError("UPDATE", {}, Exception("database is locked"))
        yield

    monkeypatch.setattr(service.db, "writing", locked)
    assert service.call("GET", "/me", key).status_code == 200
    assert "database is locked" in log.text


def run(service, *arguments):
    return service.app.test_cli_runner().invoke(args=["auth", *arguments])


def test_an_id_may_begin_with_a_dash(service):
    refused = run(service, "revoke-key", "-jNSOz45XETpKLxV")
    assert (refused.exit_code, "There is no key -jNSOz45XETpKLxV" in refused.output) == (1, True)


def test_the_command_line_makes_lists_and_revokes_keys(service):
    made = run(
        service, "create-key", "ada", "--name", "export", "--scope", "orders:read", "--days", "3"
    )
    assert made.exit_code == 0
    key = made.stdout.strip()
    assert service.call("GET", "/me", key).status_code == 200
    listed = run(service, "list-keys", "ada@example.com").stdout
    assert key[:12] in listed
    assert key not in listed
    assert "ends " in listed
    assert "used " in listed
    number = listed.split()[0]
    assert run(service, "revoke-key", number).exit_code == 0
    assert service.call("GET", "/me", key).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create-key", "nobody", "--name", "x", "--scope", "a"], "no account 'nobody'"),
        (["create-key", "ada", "--name", "x", "--scope", "a b"], "is no permission"),
        (["revoke-key", "nothing"], "There is no key nothing"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(service, arguments, sentence):
    result = run(service, *arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_ended_sessions_are_pruned_by_a_command(service, models):
    service.token("ada")
    service.token("bob")
    service.change(update(models.Session).values(expires_at=now()))
    token = service.token("clara")
    assert "Removed 2" in run(service, "prune").stdout
    assert service.call("GET", "/me", token).status_code == 200


def test_commands_of_parts_that_are_not_there_say_so(make_service):
    service = make_service(api_key=None, session=None)
    service.add("ada")
    assert "without session=" in run(service, "prune").stderr
    assert "without api_key=" in run(service, "list-keys", "ada").stderr


def test_a_key_without_scopes_is_refused_in_python_too(service):
    keys = service.app.extensions["carboy.auth"].api_keys
    with service.app.app_context(), pytest.raises(ValueError, match="at least one"):
        keys.create(1, "x", [])
