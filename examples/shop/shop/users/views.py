"""Accounts and profiles over HTTP."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import Select, select

from carboy import Blueprint, Pages, Resource, public, requires
from shop.auth import account_to_change, account_to_read
from shop.checkout.models import Order
from shop.checkout.schemas import OrderOut
from shop.database import db, find
from shop.users import accounts
from shop.users.models import User
from shop.users.schemas import AccountIn, AccountOut, ProfileOut, UserIn

users = Blueprint("users", __name__, url_prefix="/users", tags=["Users"])
profiles = Blueprint("profiles", __name__, url_prefix="/profiles", tags=["Users"])


@users.post("")
@public
@users.input(UserIn)
@users.output(AccountOut, 201, headers={"Location": "Address of the account."})
@users.doc(
    errors={409: "Another account has the username or the e-mail address."},
    links={
        **{f"{word}_user": {"id": "id"} for word in ("read", "replace", "update", "delete")},
        "list_purchases": {"user_id": "id"},
        "get_profile": {"username": "username"},
    },
)
def register(data: dict[str, Any]) -> tuple[User, dict[str, str]]:
    """Register; sign in afterwards."""
    user = accounts.register(**data)
    db.session.commit()
    return user, {"Location": url_for("v1.users.users_item", id=user.id)}


class Users(Resource):
    """Accounts: each for its owner; clerks read all, admins change all."""

    model = User
    schema = AccountOut
    writable = AccountIn
    only = ("list", "read", "replace", "update", "delete")
    sort = ("username", "created_at")
    filters = {"username": ("startswith",)}  # noqa: RUF012 - read once, when it is routed
    paging = Pages()
    guards = {  # noqa: RUF012 - as above
        "list": [requires("users:read")],
        "read": [requires("account:read")],
        "replace": [requires("account:write")],
        "update": [requires("account:write")],
        "delete": [requires("account:write")],
    }

    def query(self) -> Select[Any]:
        """Select the accounts that the caller may know of."""
        return account_to_read.restrict(select(User))

    def update(self, row: User, data: dict[str, Any]) -> User:
        """Change an account."""
        changed: User = super().update(account_to_change.require(row), data)
        return changed

    def delete(self, row: User) -> None:
        """Remove an account."""
        super().delete(account_to_change.require(row))

    def save(self, row: User) -> None:
        """Name each field that another account has."""
        accounts.save(row)


class Purchases(Resource):
    """What a user ordered, latest first."""

    model = Order
    schema = OrderOut
    only = ("list",)
    default_sort = ("-id",)
    guards = {"list": [requires("orders:read")]}  # noqa: RUF012 - as above

    def query(self) -> Select[Any]:
        """Select the orders of the user in the address."""
        user = account_to_read.require(find(User, self.path["user_id"]))
        return select(Order).where(Order.user_id == user.id)


users.resource("", Users)
users.resource("/<int:user_id>/purchases", Purchases)


@profiles.get("/<username>")
@public
@profiles.output(ProfileOut)
@profiles.doc(errors={404: "There is no such user."})
def get_profile(username: str) -> User:
    """Read a public profile by its username, in any case."""
    return accounts.named(username)
