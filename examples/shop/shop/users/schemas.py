"""What accounts look like outside: what is sent, the account itself, the public profile."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from shop.auth import ROLES
from shop.fields import Text
from shop.users import accounts

# `$` would also match before a trailing line break.
USERNAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]\Z"


class AccountIn(Schema):
    """What its owner may change. Usernames are ASCII: two that look alike are alike."""

    username = Text(
        32,
        shortest=3,
        required=True,
        rules=[
            validate.Regexp(
                USERNAME,
                error="Use letters, digits, dots, hyphens and underscores; "
                "begin and end with a letter or digit.",
            )
        ],
    )
    email = Text(254, required=True, rules=[validate.Email()])
    full_name = Text(120, required=True)


class UserIn(AccountIn):
    """An account as it is registered. Its password is changed by POST /password."""

    password = fields.String(
        required=True,
        load_only=True,
        validate=validate.Length(min=8, max=128),
        metadata={"format": "password", "description": "Kept as a hash only, never answered."},
    )


class ProfileOut(Schema):
    """What everybody may know of an account."""

    id = fields.Integer(required=True)
    username = fields.String(required=True)
    full_name = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)


class AccountOut(ProfileOut):
    """The account as its owner sees it."""

    email = fields.String(required=True)
    role = fields.Function(
        accounts.role_of, required=True, metadata={"type": "string", "enum": list(ROLES)}
    )
