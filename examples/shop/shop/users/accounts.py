"""Make and change accounts; whoever calls commits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError

from carboy.errors import Conflict
from shop.database import db
from shop.users.models import User, hashed, taken


class Taken(Conflict):
    """The username or the e-mail address belongs to another account."""

    code = "taken"
    message = "Another account has this already."


def register(**given: Any) -> User:
    """Make an account from what :class:`~shop.users.schemas.UserIn` loads.

    :raises Taken: naming each field that another account has.
    """
    user = User(**with_hash(given))
    save(user)
    return user


def with_hash(given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the password, before the database is touched: nobody waits for a lock meanwhile."""
    values = dict(given)
    if "password" in values:
        values["password_hash"] = hashed(values.pop("password"))
    return values


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
