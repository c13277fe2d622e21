"""What accounts, sessions and API keys are kept in: mixins for a project's own models.

They become part of the project's metadata and of its migrations.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from carboy.backing.moment import Moment

__all__ = ["ApiKeyMixin", "SessionMixin", "UserMixin", "now"]

NAME_MAX_CHARS = 80
AGENT_MAX_CHARS = 200


def now() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


def _public_id() -> str:
    """Make an id that tells nothing and cannot be guessed: it appears in URLs."""
    return secrets.token_urlsafe(12)


class UserMixin:
    """What signing in needs of an account; names and addresses are the project's columns.

    ``role`` names one of the roles given to ``Auth``. A model whose users have several
    defines a property ``roles`` instead. Whoever has ``disabled_at`` cannot sign in, and
    is signed out at once.
    """

    password_hash: Mapped[str] = mapped_column(String(255), default="")
    role: Mapped[str | None] = mapped_column(String(40))
    email_confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)


class _OwnedMixin:
    """What sessions and keys have in common.

    :cvar __user_key__: column of the account's primary key, as a foreign key names it.
    """

    __user_key__: ClassVar[str] = "users.id"

    id: Mapped[str] = mapped_column(String(16), primary_key=True, default=_public_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)

    @declared_attr
    def user_id(cls) -> Mapped[Any]:  # noqa: N805 - SQLAlchemy passes the class
        """The account it belongs to, whose removal removes it."""
        return mapped_column(
            ForeignKey(cls.__user_key__, ondelete="CASCADE"), index=True, nullable=False
        )


class SessionMixin(_OwnedMixin):
    """One sign-in of a user; the token itself is not kept, only its SHA-256."""

    last_used_at: Mapped[datetime] = mapped_column(Moment, default=now)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    user_agent: Mapped[str] = mapped_column(String(AGENT_MAX_CHARS), default="")
    address: Mapped[str] = mapped_column(String(45), default="")


class ApiKeyMixin(_OwnedMixin):
    """A key for programs; kept as its SHA-256 and the first characters, to recognise it by.

    ``scopes`` are separated by spaces.
    """

    name: Mapped[str] = mapped_column(String(NAME_MAX_CHARS))
    prefix: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[str] = mapped_column(Text)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
