"""What is kept. After a change: `flask db revision "what changed"`, then `flask db upgrade`."""

from datetime import UTC, datetime

from carboy import Moment
from carboy.api.auth import SessionMixin, UserMixin
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .database import Model


class User(UserMixin, Model):
    """An account; the mixin adds the password's hash, the role and when it was disabled.

    Usernames and e-mail addresses are kept in small letters, so that each is there once.
    """

    __tablename__ = "users"
    # Without it SQLite would give the id of a deleted account to the next one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's way

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    full_name: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime] = mapped_column(Moment, default=lambda: datetime.now(UTC))


class Session(SessionMixin, Model):
    """One sign-in of a user."""

    __tablename__ = "sessions"
