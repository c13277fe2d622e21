"""Accounts: registered over HTTP and at the command line, looked after at the command line."""

from datetime import UTC, datetime
from typing import Any

from carboy.errors import NotFound
from sqlalchemy import delete, select

from ..auth import MEMBER, auth
from ..database import db
from ..models import Session, User


def register(*, password: str, role: str = MEMBER, **given: Any) -> User:
    """Make an account of what :class:`~.schemas.RegistrationIn` loads.

    :raises sqlalchemy.exc.IntegrityError: if another account has the username or the address;
        a view that does not handle it answers 409.
    """
    # A hash takes tens of milliseconds, on purpose: nobody waits for a lock meanwhile.
    password_hash = auth.password_hash(password)
    user = User(**given, role=role, password_hash=password_hash)
    db.session.add(user)
    db.session.commit()
    return user


def named(username: str) -> User:
    """Find an account by its username, in any case.

    :raises NotFound: if there is none.
    """
    wanted = username.lower().replace("\0", "")  # PostgreSQL refuses to look for a NUL
    user = db.session.scalar(select(User).where(User.username == wanted))
    if user is None:
        raise NotFound(f"There is no user {username!r}.")
    return user


def set_role(user: User, role: str) -> None:
    """Give an account another role; it counts from its next request on."""
    user.role = role
    db.session.commit()


def disable(user: User) -> None:
    """Keep an account from signing in, and end its sessions."""
    user.disabled_at = datetime.now(UTC)
    db.session.execute(delete(Session).where(Session.user_id == user.id))
    db.session.commit()


def enable(user: User) -> None:
    """Let a disabled account sign in again."""
    user.disabled_at = None
    db.session.commit()
