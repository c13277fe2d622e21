"""Accounts and profiles over HTTP."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from carboy import Blueprint, Pages, Resource
from carboy.errors import NotFound
from shop.checkout.models import Order
from shop.checkout.schemas import OrderOut
from shop.database import db, find
from shop.users import accounts
from shop.users.models import User, folded
from shop.users.schemas import AccountOut, ProfileOut, UserIn

users = Blueprint("users", __name__, url_prefix="/users")
profiles = Blueprint("profiles", __name__, url_prefix="/profiles")


class Users(Resource):
    """Accounts; a list of them shows public profiles."""

    model = User
    schema = AccountOut
    list_schema = ProfileOut
    writable = UserIn
    sort = ("username", "created_at")
    filters = {"username": ("startswith",)}  # noqa: RUF012 - read once, when it is routed
    paging = Pages()

    def prepare(self, data: dict[str, Any]) -> dict[str, Any]:
        """Keep a hash in place of the password."""
        return accounts.with_hash(data)

    def save(self, row: User) -> None:
        """Name each field that another account has."""
        accounts.save(row)


class Purchases(Resource):
    """What a user ordered, latest first."""

    model = Order
    schema = OrderOut
    only = ("list",)
    default_sort = ("-id",)

    def query(self) -> Select[Any]:
        """Select the orders of the user in the address."""
        user = find(User, self.path["user_id"])
        return select(Order).where(Order.user_id == user.id)


users.resource("", Users)
users.resource("/<int:user_id>/purchases", Purchases)


@profiles.get("/<username>")
@profiles.output(ProfileOut)
@profiles.doc(errors={404: "There is no such user."})
def get_profile(username: str) -> User:
    """Read a public profile by its username, in any case."""
    # PostgreSQL refuses text with a NUL; no username has one.
    found = select(User).where(User.username_key == folded(username.replace("\0", "\ufffd")))
    user = db.session.scalar(found)
    if user is None:
        raise NotFound("No such user.")
    return user
