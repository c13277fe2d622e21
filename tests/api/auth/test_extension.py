"""What ``Auth`` refuses when it is made, and what it says when something is not installed."""

import builtins

import flask
import pytest
from sqlalchemy import String, create_engine, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import carboy.api.auth
from carboy.api.auth import Auth, SessionMixin
from carboy.api.auth.issuer import Issuer
from carboy.api.auth.passwords import Passwords
from carboy.app import Carboy
from carboy.backing.database import Database
from carboy.errors import CarboyError


@pytest.mark.parametrize(
    ("options", "kind", "remedy"),
    [
        pytest.param({"user": None}, TypeError, "give Auth user=", id="sessions of nobody"),
        pytest.param({"login": ["nick"]}, TypeError, "no column 'nick'", id="an unknown column"),
        pytest.param({"email": "mail"}, TypeError, "no column 'mail'", id="no such address"),
        pytest.param({"default_role": "x"}, ValueError, "not among", id="an unknown role"),
        pytest.param({"roles": {"x": {"a b"}}}, ValueError, "is no permission", id="no permission"),
    ],
)
def test_a_mistake_is_refused_when_auth_is_made(make_service, options, kind, remedy):
    with pytest.raises(kind, match=remedy):
        make_service(**options)


def test_accounts_need_a_database(models):
    with pytest.raises(TypeError, match="first argument"):
        Auth(user=models.User)


def test_an_app_has_one_auth(service):
    with pytest.raises(CarboyError, match="keep one"):
        Auth().init_app(service.app)


@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        ({"api_key": None}, "/sessions", "/api-keys"),
        ({"session": None}, "/me", "/api-keys"),
        ({"session": None}, "/me", "/sessions"),
    ],
)
def test_views_are_those_of_the_parts_that_were_given(make_service, options, there, absent):
    service = make_service(**options)
    assert service.call("GET", there).status_code == 401
    assert service.call("GET", absent).status_code == 404


def test_an_account_that_cannot_be_confirmed_has_no_view_for_it(make_service):
    class Base(DeclarativeBase):
        pass

    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(String(80), default="a@example.com")
        password_hash: Mapped[str] = mapped_column(String(255), default="")
        disabled_at: Mapped[None] = mapped_column(String(1))

    class Session(SessionMixin, Base):
        __tablename__ = "account_sessions"
        __user_key__ = "accounts.id"

    service = make_service(
        user=Account, session=Session, api_key=None, login=["email"], default_role=None
    )
    assert service.client.post("/email/confirmations", json={}).status_code == 404
    with service.app.app_context():
        Base.metadata.create_all(service.db.engine)
        row = Account(password_hash=service.auth.password_hash("a long password"))
        service.db.session.add(row)
        service.db.session.commit()
    token = service.sign_in("a@example.com", "a long password").json["data"]["token"]
    assert service.call("GET", "/me", token).json["data"]["permissions"] == []


def test_the_tables_are_those_of_the_project(models):
    engine = create_engine("sqlite://")
    models.User.metadata.create_all(engine)
    found = inspect(engine)
    (key,) = found.get_foreign_keys("sessions")
    assert (key["referred_table"], key["options"]) == ("users", {"ondelete": "CASCADE"})
    engine.dispose()


@pytest.mark.parametrize(
    ("missing", "make", "extra"),
    [
        ("pwdlib", lambda: Passwords({}), r"carboy\[auth\]"),
        ("jwt", lambda: Issuer({}), r"carboy\[jwt\]"),
    ],
)
def test_what_is_not_installed_says_which_extra_has_it(monkeypatch, missing, make, extra):
    genuine = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == missing:
            raise ImportError(name)
        return genuine(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CarboyError, match=extra):
        make()


def test_a_name_that_is_none_of_the_package_is_an_error():
    with pytest.raises(AttributeError, match="Author"):
        _ = carboy.api.auth.Author


def test_settings_may_come_after_the_auth(models, url, tmp_path):
    db = Database(models.User)
    app = flask.Flask("late", instance_path=str(tmp_path))
    auth = Auth(db, user=models.User, session=models.Session)
    auth.init_app(app)
    db.init_app(app)
    Carboy(app, {"APP_ENV": "Testing", "DATABASE_URL": url})
    app.register_blueprint(auth.blueprint)
    with app.app_context():
        models.User.metadata.create_all(db.engine)
        assert auth.password_hash("x").startswith("$argon2id$")
        db.engine.dispose()


def test_an_account_of_a_link_may_be_gone(service):
    accounts = service.app.extensions["carboy.auth"].accounts
    with service.app.app_context():
        assert accounts.by_id("nobody") is None
        assert accounts.by_id("999999") is None
