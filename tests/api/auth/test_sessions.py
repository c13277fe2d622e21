import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from carboy.api.auth.tables import now

PASSWORD = "correct horse battery"
WRONG = "not the password"


def test_signing_in_gives_a_token_that_is_kept_as_a_hash_only(service, models):
    answer = service.sign_in("ada", **{"User-Agent": "curl/8 " + "x" * 300})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json["data"]["token"]
    (row,) = service.rows(select(models.Session))
    assert row.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert row.user_agent.startswith("curl/8")
    assert len(row.user_agent) == 200
    assert row.address == "127.0.0.1"
    assert all(token not in str(value) for value in vars(row).values())
    assert service.call("GET", "/me", token).json["data"]["method"] == "session"


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada@Example.com"])
def test_people_sign_in_with_name_or_address_in_any_case(service, name):
    assert service.sign_in(name).status_code == 201


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("ada", WRONG, id="a wrong password"),
        pytest.param("nobody", WRONG, id="an unknown name"),
        pytest.param("nobody@example.com", WRONG, id="an unknown address"),
        pytest.param("empty", WRONG, id="an account without a password"),
        pytest.param("empty", "!", id="an account without a password, whatever is sent"),
        pytest.param("disabled", "correct horse battery", id="a disabled account"),
        pytest.param("foreign", "!", id="a hash of another kind"),
    ],
)
def test_all_failures_to_sign_in_are_the_same_answer_after_the_same_work(
    service, models, monkeypatch, username, password
):
    for name in ("empty", "foreign"):
        service.add(name)
    service.add("disabled", disabled_at=now())
    service.change(
        update(models.User).where(models.User.username == "empty").values(password_hash="")
    )
    service.change(
        update(models.User).where(models.User.username == "foreign").values(password_hash="$2b$x")
    )
    hasher = service.app.extensions["carboy.auth"].passwords._hasher.current_hasher
    verified = []
    genuine = type(hasher).verify
    monkeypatch.setattr(
        type(hasher),
        "verify",
        lambda self, *given: verified.append(given[1]) or genuine(self, *given),
    )
    answer = service.sign_in(username, password)
    assert answer.status_code == 401
    assert answer.json == {
        "status": "fail",
        "code": "wrong_credentials",
        "message": "There is no such name with that password.",
        "data": None,
    }
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert len(verified) == 1
    assert verified[0].startswith("$argon2id$v=19$m=64,t=1,p=1$")


def test_where_two_accounts_match_the_column_named_first_wins(service):
    victim = service.add("dora")
    service.add("dora@example.com", password=WRONG)
    answer = service.call("GET", "/me", service.token("dora@example.com"))
    assert answer.json["data"]["id"] == victim


def test_a_hash_follows_the_settings_at_the_next_sign_in(service, make_service, models):
    find = select(models.User.password_hash).where(models.User.username == "ada")
    (before,) = service.rows(find)
    stronger = make_service(AUTH_ARGON2_TIME_COST=2)
    assert stronger.sign_in("ada", WRONG).status_code == 401
    assert stronger.rows(find) == [before]
    assert stronger.sign_in("ada").status_code == 201
    (after,) = stronger.rows(find)
    assert "m=64,t=2,p=1" in after
    assert stronger.sign_in("ada").status_code == 201
    assert stronger.rows(find) == [after]


def test_a_password_is_the_same_however_its_letters_are_composed(service):
    service.add("zoe", password="stra\u00dfe \u00e9tage")
    assert service.sign_in("zoe", "stra\u00dfe e\u0301tage").status_code == 201


def test_a_session_ends_when_it_is_not_used(service, models):
    token = service.token("ada")
    (row,) = service.rows(select(models.Session))
    assert row.expires_at - row.created_at == timedelta(days=7)
    service.change(update(models.Session).values(expires_at=now()))
    assert service.call("GET", "/me", token).status_code == 401


def test_use_prolongs_a_session_and_is_written_at_most_once_a_minute(service, models):
    token = service.token("ada")
    recently = now() - timedelta(seconds=59)
    service.change(update(models.Session).values(last_used_at=recently))
    assert service.call("GET", "/me", token).status_code == 200
    (row,) = service.rows(select(models.Session))
    assert row.last_used_at == recently
    service.change(update(models.Session).values(last_used_at=now() - timedelta(seconds=61)))
    assert service.call("GET", "/me", token).status_code == 200
    (touched,) = service.rows(select(models.Session))
    assert touched.last_used_at > recently
    assert touched.expires_at - touched.last_used_at == timedelta(days=7)


def test_use_does_not_prolong_a_session_beyond_its_longest_life(service, models):
    token = service.token("ada")
    long_ago = now() - timedelta(days=29)
    service.change(update(models.Session).values(created_at=long_ago, last_used_at=long_ago))
    assert service.call("GET", "/me", token).status_code == 200
    (row,) = service.rows(select(models.Session))
    assert row.expires_at == long_ago + timedelta(days=30)


def test_a_request_that_cannot_note_its_time_is_answered_all_the_same(
    service, models, monkeypatch, log
):
    from contextlib import contextmanager

    from sqlalchemy.exc import OperationalError

    token = service.token("ada")
    service.change(update(models.Session).values(last_used_at=now() - timedelta(hours=1)))

    @contextmanager
    def locked():
        raise OperationalError("UPDATE", {}, Exception("database is locked"))
        yield

    monkeypatch.setattr(service.db, "writing", locked)
    assert service.call("GET", "/me", token).status_code == 200
    assert "database is locked" in log.text


def test_a_view_that_began_to_write_is_not_committed_by_finding_out_who_calls(service, models):
    token = service.token("ada")
    service.change(update(models.Session).values(last_used_at=now() - timedelta(hours=1)))
    with service.app.test_request_context(
        method="POST", headers={"Authorization": f"Bearer {token}"}
    ):
        from carboy.api.auth import current_user

        session = service.db.session
        session.add(models.Order())
        session.flush()
        assert current_user.is_authenticated
        assert session.in_transaction()
        session.rollback()
    assert service.rows(select(models.Order)) == []


def test_finding_out_who_calls_leaves_no_transaction_behind(service):
    token = service.token("ada")
    with service.app.test_request_context(
        method="POST", headers={"Authorization": f"Bearer {token}"}
    ):
        from carboy.api.auth import current_user

        assert current_user.is_authenticated
        assert not service.db.session.in_transaction()


def test_a_request_costs_one_statement_to_find_its_caller(service):
    token = service.token("ada")
    statements = []
    with service.app.app_context():
        engine = service.db.engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert service.call("GET", "/me", token).status_code == 200
    selects = [text for text in statements if text.lstrip().upper().startswith("SELECT")]
    assert len(selects) == 1
    assert not [text for text in statements if text.lstrip().upper().startswith("UPDATE")]


def test_rotation_replaces_the_token_and_keeps_the_session(service, models):
    old = service.token("ada")
    answer = service.call("POST", "/sessions/current/rotate", old)
    fresh = answer.json["data"]["token"]
    assert service.call("GET", "/me", old).status_code == 401
    assert service.call("GET", "/me", fresh).status_code == 200
    assert len(service.rows(select(models.Session))) == 1


def test_of_many_rotations_at_once_one_succeeds(service):
    old = service.token("ada")
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda _: (
                    service.app.test_client()
                    .post("/sessions/current/rotate", headers={"Authorization": f"Bearer {old}"})
                    .status_code
                ),
                range(8),
            )
        )
    assert sorted(answers) == [200] + [401] * 7


def test_a_session_that_ended_meanwhile_cannot_be_rotated(service):
    sessions = service.app.extensions["carboy.auth"].sessions
    with service.app.app_context():
        assert sessions.rotate("unknown", "token") is None


def test_users_list_and_end_their_own_sessions_only(service):
    first, second = service.token("ada"), service.token("ada")
    other = service.token("bob")
    listed = service.call("GET", "/sessions", first).json["data"]
    assert [row["current"] for row in listed].count(True) == 1
    assert len(listed) == 2
    assert all("token" not in name for name in listed[0])
    (of_second,) = [row["id"] for row in listed if not row["current"]]
    assert service.call("DELETE", f"/sessions/{of_second}", other).status_code == 404
    assert service.call("GET", "/me", second).status_code == 200
    assert service.call("DELETE", f"/sessions/{of_second}", first).status_code == 204
    assert service.call("GET", "/me", second).status_code == 401
    assert service.call("DELETE", "/sessions/a%00b", first).status_code == 404


def test_signing_out_ends_this_session(service):
    first, second = service.token("ada"), service.token("ada")
    assert service.call("DELETE", "/sessions/current", first).status_code == 204
    assert service.call("GET", "/me", first).status_code == 401
    assert service.call("GET", "/me", second).status_code == 200


def test_signing_out_everywhere_ends_all_of_ones_own(service):
    tokens = [service.token("ada") for _ in range(3)]
    other = service.token("bob")
    assert service.call("DELETE", "/sessions", tokens[0]).status_code == 204
    assert {service.call("GET", "/me", token).status_code for token in tokens} == {401}
    assert service.call("GET", "/me", other).status_code == 200


def test_signing_in_removes_ones_ended_sessions(service, models):
    service.token("ada")
    service.token("bob")
    service.change(update(models.Session).values(expires_at=now()))
    service.token("ada")
    assert len(service.rows(select(models.Session))) == 2


def test_guessing_is_slowed_down_and_the_right_password_forgets_it(service):
    statuses = [service.sign_in("ada", WRONG).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    refused = service.sign_in("ada")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    for _ in range(2):
        assert [service.sign_in("bob", WRONG).status_code for _ in range(4)] == [401] * 4
        assert service.sign_in("bob").status_code == 201


def test_guessing_at_a_change_of_password_is_slowed_down(service):
    token = service.token("ada")
    change = {"current_password": WRONG, "new_password": "a new password"}
    statuses = [service.call("POST", "/password", token, json=change).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert service.sign_in("ada").status_code == 201


def test_where_something_else_counts_attempts_nothing_is_slowed_down(make_service):
    service = make_service(throttle=None)
    service.add("ada")
    assert {service.sign_in("ada", WRONG).status_code for _ in range(8)} == {401}
    token = service.token("ada")
    change = {"current_password": PASSWORD, "new_password": "a new password"}
    assert service.call("POST", "/password", token, json=change).status_code == 204


def test_secrets_are_in_no_log(service, log):
    token = service.token("ada")
    service.sign_in("ada", WRONG)
    service.call("GET", "/me", token)
    service.call("GET", "/me", token + "x")
    assert token not in log.text
    assert WRONG not in log.text
