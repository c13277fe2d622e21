"""Accounts: everybody registers, owns one and reads profiles; admins reach all of them."""

from typing import Any, ClassVar

from carboy import Blueprint, Resource, public, requires
from flask import url_for
from sqlalchemy import Select

from ..auth import own_account
from ..handlers import accounts
from ..models import User
from ..schemas import AccountIn, AccountOut, ProfileOut, RegistrationIn

users = Blueprint("users", __name__, url_prefix="/users", tags=["Users"])
profiles = Blueprint("profiles", __name__, url_prefix="/profiles", tags=["Users"])


@users.post("")
@public
@users.input(RegistrationIn)
@users.output(AccountOut, 201, headers={"Location": "Address of the account."})
@users.doc(errors={409: "Another account has the username or the e-mail address."})
def register(data: dict[str, Any]) -> tuple[User, dict[str, str]]:
    """Register; then sign in with POST /sessions."""
    user = accounts.register(**data)
    return user, {"Location": url_for(".users_item", id=user.id)}


class Users(Resource):
    """Accounts: each for its owner, all of them for admins."""

    model = User
    schema = AccountOut
    writable = AccountIn
    only = ("list", "read", "replace", "update", "delete")
    sort = ("username", "created_at")
    filters: ClassVar = {"username": ("startswith",)}
    guards: ClassVar = {"list": [requires("users:any")]}

    def query(self) -> Select[Any]:
        """Select the accounts that the caller may reach."""
        return own_account.restrict(super().query())


users.resource("", Users)


@profiles.get("/<username>")
@public
@profiles.output(ProfileOut)
@profiles.doc(errors={404: "There is no such user."})
def get_profile(username: str) -> User:
    """Read what everybody may know of a user."""
    return accounts.named(username)
