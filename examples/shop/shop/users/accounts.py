"""Make, change and remove accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError

from carboy.errors import Conflict
from shop.database import db, find
from shop.users.models import User, hashed, taken


class Taken(Conflict):
    """The username or the e-mail address belongs to another account."""

    code = "taken"
    message = "Another account has this already."


def register(**given: Any) -> User:
    """Make an account from what :class:`~shop.users.schemas.UserIn` loads.

    :raises Taken: naming each field that another account has.
    """
    user = User(**_with_hash(given))
    db.session.add(user)
    _commit(user)
    return user


def change(user_id: int, given: Mapping[str, Any]) -> User:
    """Set what is given and leave the rest.

    :raises NotFound: if there is no such account.
    :raises Taken: naming each field that another account has.
    """
    values = _with_hash(given)
    user = find(User, user_id)
    for name, value in values.items():
        setattr(user, name, value)
    _commit(user)
    return user


def remove(user_id: int) -> None:
    """Delete an account; its orders stay.

    :raises NotFound: if there is no such account.
    """
    db.session.delete(find(User, user_id))
    db.session.commit()


def _with_hash(given: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the password, before the database is touched: nobody waits for a lock meanwhile."""
    values = dict(given)
    if "password" in values:
        values["password_hash"] = hashed(values.pop("password"))
    return values


def _commit(user: User) -> None:
    # Read before: a rollback forgets them.
    username, email, number = user.username, user.email, user.id
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        fields = taken(username, email, besides=number)
        if not fields:
            raise
        raise Taken(data=fields) from None
