import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from carboy.api.auth.links import log_mail
from carboy.api.auth.tables import now
from carboy.errors import CarboyError

NEW = "an entirely new one"


def ask(service, name="ada"):
    answer = service.client.post("/password/reset-requests", json={"username": name})
    answer.close()  # a mail goes out after the answer
    return answer


def reset(service, token, password=NEW):
    return service.client.post("/password/resets", json={"token": token, "password": password})


def test_a_link_sets_another_password_once_and_ends_all_sessions(service, models):
    session = service.token("ada")
    assert ask(service, "ada@example.com").status_code == 202
    ((purpose, name, token),) = service.outbox
    assert (purpose, name) == ("reset", "ada")
    assert reset(service, token).status_code == 204
    assert service.call("GET", "/me", session).status_code == 401
    assert service.sign_in("ada").status_code == 401
    assert service.sign_in("ada", NEW).status_code == 201
    assert reset(service, token).status_code == 422
    (confirmed,) = service.rows(
        select(models.User.email_confirmed_at).where(models.User.username == "ada")
    )
    assert confirmed is not None


def test_asking_never_tells_who_has_an_account(service, models):
    service.change(
        update(models.User).where(models.User.username == "bob").values(disabled_at=now())
    )
    answers = [ask(service, name) for name in ("ada", "nobody", "bob")]
    assert {(answer.status_code, answer.data) for answer in answers} == {(202, b"")}
    assert [name for _, name, _ in service.outbox] == ["ada"]


def test_a_mail_goes_out_after_the_answer(service):
    answer = service.client.post("/password/reset-requests", json={"username": "ada"})
    assert service.outbox == []
    answer.close()
    assert len(service.outbox) == 1


def test_a_mail_that_fails_is_for_the_log(make_service, log):
    def fail(purpose, user, token):
        raise OSError("no route to the mail server")

    service = make_service(mail=fail)
    service.add("ada")
    assert ask(service).status_code == 202
    assert "no route to the mail server" in log.text


def test_asking_is_slowed_down_for_accounts_that_do_not_exist_too(service):
    for name in ("ada", "nobody"):
        statuses = [ask(service, name).status_code for _ in range(6)]
        assert statuses == [202] * 5 + [429]


def test_who_reset_the_password_gets_in_while_others_guess(service):
    ask(service)
    for _ in range(4):
        service.sign_in("ada", "a guess")
    assert reset(service, service.outbox[0][2]).status_code == 204
    assert service.sign_in("ada", NEW).status_code == 201


def test_links_work_where_nothing_is_slowed_down(make_service):
    service = make_service(throttle=None)
    service.add("ada")
    ask(service)
    assert reset(service, service.outbox[0][2]).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"email": "eve@example.com"}, id="the address is another one"),
        pytest.param({"password_hash": "another"}, id="the password is another one"),
        pytest.param({"disabled_at": now()}, id="the account is disabled"),
    ],
)
def test_a_link_is_of_no_use_once_the_account_has_changed(service, models, change):
    ask(service)
    service.change(update(models.User).where(models.User.username == "ada").values(**change))
    assert reset(service, service.outbox[0][2]).status_code == 422


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: token[:-1], id="cut"),
        pytest.param(lambda token: "x" + token, id="changed"),
        pytest.param(lambda token: "nonsense", id="none at all"),
        pytest.param(lambda token: token.split(".")[0], id="unsigned"),
    ],
)
def test_a_forged_link_is_refused(service, spoil):
    ask(service)
    answer = reset(service, spoil(service.outbox[0][2]))
    assert answer.status_code == 422
    assert answer.json["code"] == "invalid_link"
    assert list(answer.json["data"]) == ["token"]
    assert service.sign_in("ada").status_code == 201


def test_a_link_expires(service, monkeypatch):
    from itsdangerous import TimestampSigner

    ask(service)
    genuine = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: genuine(self) + 3601)
    assert reset(service, service.outbox[0][2]).status_code == 422


def test_a_link_for_one_purpose_serves_no_other(service):
    ask(service)
    token = service.outbox[0][2]
    assert service.client.post("/email/confirmations", json={"token": token}).status_code == 422


def test_a_link_survives_the_change_of_the_secret_key(service, make_service):
    ask(service)
    old = service.app.config["SECRET_KEY"]
    later = make_service(SECRET_KEY="k" * 40, SECRET_KEY_FALLBACKS=(old,))
    assert reset(later, service.outbox[0][2]).status_code == 204


def test_of_two_uses_at_once_one_succeeds(service):
    ask(service)
    token = service.outbox[0][2]

    def use(number):
        sent = {"token": token, "password": f"{NEW} {number}"}
        return service.app.test_client().post("/password/resets", json=sent).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(use, range(4)))
    assert sorted(statuses) == [204, 422, 422, 422]


def test_the_second_of_two_uses_that_read_the_same_is_refused(service, monkeypatch):
    ask(service)
    accounts = service.app.extensions["carboy.auth"].accounts
    monkeypatch.setattr(accounts, "change", lambda *_, **__: False)
    assert reset(service, service.outbox[0][2]).status_code == 422


def test_a_short_password_is_refused_everywhere(service):
    ask(service)
    refused = reset(service, service.outbox[0][2], "short")
    assert refused.json["data"] == {"password": ["Shorter than 8 characters."]}
    change = {"current_password": "correct horse battery", "new_password": "short"}
    refused = service.call("POST", "/password", service.token("ada"), json=change)
    assert refused.json["data"] == {"new_password": ["Shorter than 8 characters."]}


def test_changing_the_password_ends_all_other_sessions(service):
    mine, elsewhere = service.token("ada"), service.token("ada")
    change = {"current_password": "correct horse battery", "new_password": NEW}
    assert service.call("POST", "/password", mine, json=change).status_code == 204
    assert service.call("GET", "/me", mine).status_code == 200
    assert service.call("GET", "/me", elsewhere).status_code == 401
    assert service.sign_in("ada", NEW).status_code == 201
    refused = service.call("POST", "/password", mine, json=change)
    assert refused.json["data"] == {"current_password": ["Not the present password."]}


def test_of_two_changes_that_read_the_same_the_second_is_refused(service, monkeypatch):
    token = service.token("ada")
    accounts = service.app.extensions["carboy.auth"].accounts
    monkeypatch.setattr(accounts, "change", lambda *_, **__: False)
    change = {"current_password": "correct horse battery", "new_password": NEW}
    assert service.call("POST", "/password", token, json=change).status_code == 422


def test_a_link_confirms_an_address_once(service, models):
    token = service.token("ada")
    answer = service.call("POST", "/email/confirmation-requests", token)
    answer.close()
    assert answer.status_code == 202
    ((purpose, _, link),) = service.outbox
    assert purpose == "confirm"
    confirm = {"token": link}
    assert service.client.post("/email/confirmations", json=confirm).status_code == 204
    assert service.client.post("/email/confirmations", json=confirm).status_code == 422
    assert service.call("POST", "/email/confirmation-requests", token).status_code == 409
    (confirmed,) = service.rows(
        select(models.User.email_confirmed_at).where(models.User.username == "ada")
    )
    assert confirmed <= now()


@pytest.mark.parametrize(
    ("environment", "shown"), [("Development", True), ("Production", False), ("Testing", False)]
)
def test_without_a_function_tokens_are_logged_in_development_only(
    service, models, log, environment, shown
):
    service.app.config["APP_ENV"] = environment
    with service.app.app_context():
        log_mail("reset", models.User(id=7), "the-token")
    assert ("the-token" in log.text) is shown
    assert log.records[-1].levelno == (logging.INFO if shown else logging.ERROR)


def test_production_does_not_start_without_a_function_that_sends(make_service):
    service = make_service(mail=log_mail)
    (start,) = [one for one in service.app.extensions["carboy.start"] if "Auth" in one.__qualname__]
    start()
    service.app.config["APP_ENV"] = "Production"
    with pytest.raises(CarboyError, match="mail=send"):
        start()


def test_without_mail_there_are_no_links_and_production_starts(make_service):
    service = make_service(mail=None)
    (start,) = [one for one in service.app.extensions["carboy.start"] if "Auth" in one.__qualname__]
    service.app.config["APP_ENV"] = "Production"
    start()
    rules = {rule.rule for rule in service.app.url_map.iter_rules()}
    assert {rule for rule in rules if rule.startswith(("/password", "/email"))} == {"/password"}
