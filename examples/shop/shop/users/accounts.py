"""Make and change accounts; whoever calls commits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from carboy.errors import Conflict, NotFound
from shop.auth import DEFAULT_ROLE, auth
from shop.database import db
from shop.users.models import User, folded, taken


class Taken(Conflict):
    """The username or the e-mail address belongs to another account."""

    code = "taken"
    message = "Another account has this already."


def register(**given: Any) -> User:
    """Make an account from what :class:`~shop.users.schemas.UserIn` loads.

    :raises Taken: naming each field that another account has.
    """
    values = dict(given)
    # Before the database is touched: nobody waits for a lock meanwhile.
    password_hash = auth.password_hash(values.pop("password"))
    user = User(**values, password_hash=password_hash)
    save(user)
    return user


def named(username: str) -> User:
    """Find an account by its username, in any case.

    :raises NotFound: if there is none.
    """
    # PostgreSQL refuses text with a NUL; no username has one.
    found = select(User).where(User.username_key == folded(username.replace("\0", "\ufffd")))
    user = db.session.scalar(found)
    if user is None:
        raise NotFound("No such user.")
    return user


def role_of(user: User) -> str:
    """Say what an account is: who was given no role is a customer."""
    return user.role or DEFAULT_ROLE


def save(user: User) -> None:
    """Write an account, without committing it.

    :raises Taken: naming each field that another account has.
    """
    # Read before: a rollback forgets them.
    username, email, number = user.username, user.email, user.id
    try:
        db.session.add(user)
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        fields = taken(username, email, besides=number)
        if not fields:
            raise
        raise Taken(data=fields) from None
