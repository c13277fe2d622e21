"""Accounts and profiles over HTTP."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import select

from carboy import Blueprint
from carboy.errors import NotFound
from shop.checkout.models import Order
from shop.checkout.schemas import OrderOut
from shop.database import db, find
from shop.paging import PageQuery, cut, page_schema
from shop.users import accounts
from shop.users.models import User, folded
from shop.users.schemas import AccountOut, ProfileOut, UserIn

users = Blueprint("users", __name__, url_prefix="/users")
profiles = Blueprint("profiles", __name__, url_prefix="/profiles")

UNKNOWN = {404: "There is no such user."}
CONFLICT = {409: "Another account has the username or the e-mail address; data names which."}


@users.post("")
@users.input(UserIn)
@users.output(AccountOut, 201, headers={"Location": "Address of the account."})
@users.doc(errors=CONFLICT)
def register(data: dict[str, Any]) -> tuple[User, dict[str, str]]:
    """Register."""
    user = accounts.register(**data)
    return user, {"Location": url_for(".get_user", user_id=user.id)}


@users.get("")
@users.input(PageQuery, location="query")
@users.output(page_schema(ProfileOut))
def list_users(query: dict[str, Any]) -> dict[str, Any]:
    """List the public profiles, oldest first."""
    return cut(select(User).order_by(User.id), **query)


@users.get("/<int:user_id>")
@users.output(AccountOut)
@users.doc(errors=UNKNOWN)
def get_user(user_id: int) -> User:
    """Read one account."""
    return find(User, user_id)


@users.put("/<int:user_id>")
@users.input(UserIn)
@users.output(AccountOut)
@users.doc(errors=UNKNOWN | CONFLICT)
def replace_user(user_id: int, data: dict[str, Any]) -> User:
    """Replace everything an account was registered with."""
    return accounts.change(user_id, data)


@users.patch("/<int:user_id>")
@users.input(UserIn, partial=True)
@users.output(AccountOut)
@users.doc(errors=UNKNOWN | CONFLICT)
def update_user(user_id: int, data: dict[str, Any]) -> User:
    """Change some of it."""
    return accounts.change(user_id, data)


@users.delete("/<int:user_id>")
@users.output(None, 204)
@users.doc(errors=UNKNOWN)
def delete_user(user_id: int) -> None:
    """Delete an account. Its orders stay, without a name."""
    accounts.remove(user_id)


@users.get("/<int:user_id>/purchases")
@users.input(PageQuery, location="query")
@users.output(page_schema(OrderOut))
@users.doc(errors=UNKNOWN)
def list_purchases(user_id: int, query: dict[str, Any]) -> dict[str, Any]:
    """List what a user ordered, latest first."""
    user = find(User, user_id)
    return cut(select(Order).where(Order.user_id == user.id).order_by(Order.id.desc()), **query)


@profiles.get("/<username>")
@profiles.output(ProfileOut)
@profiles.doc(errors=UNKNOWN)
def get_profile(username: str) -> User:
    """Read a public profile by its username, in any case."""
    # PostgreSQL refuses text with a NUL; no username has one.
    found = select(User).where(User.username_key == folded(username.replace("\0", "\ufffd")))
    user = db.session.scalar(found)
    if user is None:
        raise NotFound("No such user.")
    return user
