"""Make, change and remove accounts."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError

from carboy.errors import Conflict
from shop.database import db
from shop.users.models import User, taken


class Taken(Conflict):
    """The username or the e-mail address belongs to another account."""

    code = "taken"
    message = "Another account has this already."


def register(password: str, **profile: Any) -> User:
    """Make an account.

    :raises Taken: naming each field that another account has.
    """
    user = User(**profile)
    # Before the database is touched: nobody waits for a lock while this takes its time.
    user.set_password(password)
    db.session.add(user)
    _commit(user)
    return user


def change(user: User, given: dict[str, Any]) -> User:
    """Set what is given and leave the rest.

    :raises Taken: naming each field that another account has.
    """
    for name, value in given.items():
        if name == "password":
            user.set_password(value)
        else:
            setattr(user, name, value)
    _commit(user)
    return user


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
