"""Accounts, and what tells two of them apart."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column, validates

from carboy.api.auth import ApiKeyMixin, SessionMixin, UserMixin
from shop.database import Id, Model, Moment, db, utc_now


class User(UserMixin, Model):
    """An account. The ``…_key`` columns hold name and address without case: those are unique."""

    __tablename__ = "users"
    # Without it SQLite would hand the id of a deleted account to the next one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's way

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    username: Mapped[str] = mapped_column(String(32))
    username_key: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(3 * 254), unique=True)
    full_name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)

    @validates("username", "email")
    def _keep_key(self, name: str, value: str) -> str:
        setattr(self, f"{name}_key", folded(value))
        return value


class Session(SessionMixin, Model):
    """One sign-in."""

    __tablename__ = "sessions"


class ApiKey(ApiKeyMixin, Model):
    """A key for a program that acts for its owner."""

    __tablename__ = "api_keys"


def folded(text: str) -> str:
    """Reduce a name or an address to what is compared. It may grow threefold, as ΐ does."""
    return text.casefold()


def taken(username: str, email: str, *, besides: int | None = None) -> dict[str, list[str]]:
    """Say which of the two belongs to another account, in the words of a validation error.

    :param besides: id of the account that may have them.
    """
    wanted = {"username": folded(username), "email": folded(email)}
    others = select(User.username_key, User.email_key).where(
        (User.username_key == wanted["username"]) | (User.email_key == wanted["email"]),
        User.id != (besides or 0),
    )
    found: dict[str, list[str]] = {}
    for row in db.session.execute(others):
        if row.username_key == wanted["username"]:
            found["username"] = ["This username is taken."]
        if row.email_key == wanted["email"]:
            found["email"] = ["There is an account with this e-mail address already."]
    return found
