"""The command line."""

import uuid

import pytest

PASSWORD = "correct horse battery"


@pytest.fixture
def run(app):
    """``run("users", "list")``: exit status and output of ``flask users list``."""

    def flask(*words, **more):
        done = app.test_cli_runner().invoke(args=words, **more)
        return done.exit_code, done.output

    return flask


@pytest.fixture
def name(run):
    """The name of an account that the command made."""
    name = f"c-{uuid.uuid4().hex[:16]}"
    made = run(
        "create-user", name, "--email", f"{name}@example.com", env={"USER_PASSWORD": PASSWORD}
    )
    assert made[0] == 0, made[1]
    assert made[1].startswith(f"Created {name} as user ")
    return name


@pytest.fixture
def sign_in(client):
    def enter(name):
        sent = {"username": name, "password": PASSWORD}
        return client.post("/api/v1/sessions", json=sent)

    return enter


def test_a_user_made_here_can_sign_in(name, sign_in):
    assert sign_in(name).status == 201


def test_what_is_not_given_is_asked_for_and_the_password_not_shown(run):
    name = f"c-{uuid.uuid4().hex[:16]}"
    status, output = run("create-user", name, input=f"{name}@example.com\n{PASSWORD}\n{PASSWORD}\n")
    assert status == 0
    assert PASSWORD not in output


@pytest.mark.parametrize(
    ("email", "told"),
    [
        pytest.param("nobody", "email: Not a valid email address.", id="an impossible address"),
        pytest.param("c@example.com", "Another account has this name", id="a name that is taken"),
    ],
)
def test_a_user_that_cannot_be_made_is_one_clear_line(run, name, email, told):
    status, output = run("create-user", name, "--email", email, env={"USER_PASSWORD": PASSWORD})
    assert status == 1
    assert told in output
    assert "Traceback" not in output


def test_a_disabled_account_is_signed_out_and_can_be_enabled_again(run, name, client, sign_in):
    signed = {"Authorization": f"Bearer {sign_in(name).data['token']}"}
    assert run("users", "disable", name)[0] == 0
    assert client.get("/api/v1/sessions", headers=signed).status == 401
    assert sign_in(name).status == 401
    assert f"{name}  {name}@example.com  member, disabled\n" in run("users", "list")[1]
    assert run("users", "enable", name)[0] == 0
    assert client.get("/api/v1/sessions", headers=signed).status == 401
    assert sign_in(name).status == 201


def test_a_role_counts_at_once(run, name, client, sign_in):
    signed = {"Authorization": f"Bearer {sign_in(name).data['token']}"}
    assert client.get("/api/v1/users", headers=signed).status == 403
    assert run("users", "set-role", name, "admin") == (0, f"{name} is admin.\n")
    assert client.get("/api/v1/users", headers=signed).status == 200


@pytest.mark.parametrize("words", [("disable",), ("enable",), ("set-role", "admin")])
def test_an_unknown_user_is_one_clear_line(run, words):
    command, *rest = words
    assert run("users", command, "nobody-here", *rest) == (
        1, "Error: There is no user 'nobody-here'.\n",
    )  # fmt: skip


def test_the_shell_has_the_database_and_the_models(app):
    with app.app_context():
        assert {"db", "User", "Session"} <= app.make_shell_context().keys()


def test_models_and_migrations_agree(run):
    status, output = run("db", "check")
    assert status == 0, output
