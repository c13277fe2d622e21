"""What is sent and answered. The same declarations check requests and describe the API."""

from typing import Any

from marshmallow import Schema, fields, validate

from .auth import ROLES
from .models import User


class Lowered(fields.Email):
    """An e-mail address in small letters, so that one address is one account."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        return super()._deserialize(value, *args, **kwargs).lower()


class AccountIn(Schema):
    """What its owner may change of an account."""

    username = fields.String(
        required=True,
        validate=[
            validate.Length(3, 32),
            validate.Regexp(
                r"^[a-z0-9][a-z0-9_-]*\Z",
                error="Use small letters, digits, hyphens and underscores; begin with a letter "
                "or digit.",
            ),
        ],
    )
    email = Lowered(required=True, validate=validate.Length(max=254))
    full_name = fields.String(load_default="", validate=validate.Length(max=120))


class RegistrationIn(AccountIn):
    """What makes an account. Its password is changed by POST /password."""

    password = fields.String(
        required=True,
        load_only=True,
        validate=validate.Length(8, 128),
        metadata={"format": "password"},
    )


class ProfileOut(Schema):
    """What everybody may know of an account."""

    username = fields.String(required=True)
    display_name = fields.Method("_display_name", required=True, metadata={"type": "string"})
    created_at = fields.AwareDateTime(required=True)

    def _display_name(self, user: User) -> str:
        return user.full_name or user.username


class AccountOut(ProfileOut):
    """The account as its owner sees it."""

    id = fields.Integer(required=True)
    email = fields.String(required=True)
    full_name = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
