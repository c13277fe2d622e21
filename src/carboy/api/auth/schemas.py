"""What is sent to the views of authentication, and what they answer."""

from __future__ import annotations

from typing import Any

from flask import current_app
from marshmallow import Schema, ValidationError, fields, validate

from carboy.api.auth.links import LINK_MAX_CHARS
from carboy.api.auth.passwords import PASSWORD_MAX_CHARS
from carboy.api.auth.permissions import PATTERN
from carboy.api.auth.tables import NAME_MAX_CHARS

_LOGIN_MAX_CHARS = 320
_SCOPES_MAX = 100
_SCOPE_MAX_CHARS = 100
_SCOPE = validate.Regexp(
    # `$` would also match before a trailing line break.
    rf"^{PATTERN}\Z",
    error="{input} is no permission. Write words between colons, orders:read; "
    "* may stand for the last one.",
)


def long_enough(password: str) -> None:
    """Refuse a password shorter than ``AUTH_PASSWORD_MIN_CHARS``.

    :raises ValidationError: naming the length.
    """
    shortest = current_app.config["AUTH_PASSWORD_MIN_CHARS"]
    if len(password) < shortest:
        raise ValidationError(f"Shorter than {shortest} characters.")


def _password(*, new: bool = False) -> fields.String:
    rules: list[Any] = [validate.Length(min=1, max=PASSWORD_MAX_CHARS)]
    return fields.String(
        required=True,
        load_only=True,
        validate=[*rules, long_enough] if new else rules,
        metadata={"format": "password"},
    )


class SignIn(Schema):
    """A name and a password."""

    username = fields.String(
        required=True,
        validate=validate.Length(min=1, max=_LOGIN_MAX_CHARS),
        metadata={"description": "User name or e-mail address."},
    )
    password = _password()


class SessionOut(Schema):
    """A session as its user sees it."""

    id = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(required=True, metadata={"description": "To the minute."})
    expires_at = fields.AwareDateTime(required=True)
    user_agent = fields.String(required=True)
    address = fields.String(required=True)
    current = fields.Boolean(
        required=True, metadata={"description": "Whether this request is made with it."}
    )


class StartedOut(Schema):
    """A session that began, with its token."""

    token = fields.String(
        required=True, metadata={"description": "Send it as Authorization. It is shown this once."}
    )
    id = fields.String(required=True, metadata={"description": "Of the session."})
    expires_at = fields.AwareDateTime(
        required=True, metadata={"description": "If it is not used until then."}
    )


class PasswordChange(Schema):
    """The old password and the one to come."""

    current_password = _password()
    new_password = _password(new=True)


class ResetRequest(Schema):
    """Whose password was forgotten."""

    username = fields.String(
        required=True,
        validate=validate.Length(min=1, max=_LOGIN_MAX_CHARS),
        metadata={"description": "User name or e-mail address."},
    )


class LinkIn(Schema):
    """The token of a link."""

    token = fields.String(required=True, validate=validate.Length(min=1, max=LINK_MAX_CHARS))


class ResetIn(LinkIn):
    """The token of a link, and the password to come."""

    password = _password(new=True)


class KeyIn(Schema):
    """A key to be made."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=NAME_MAX_CHARS),
        metadata={"description": "What it is for."},
    )
    scopes = fields.List(
        fields.String(validate=[validate.Length(min=1, max=_SCOPE_MAX_CHARS), _SCOPE]),
        required=True,
        validate=validate.Length(min=1, max=_SCOPES_MAX),
        metadata={"description": "Permissions it may use, such as orders:read."},
    )
    expires_at = fields.AwareDateTime(
        load_default=None, allow_none=True, metadata={"description": "Without it: never."}
    )


class KeyOut(Schema):
    """A key as its owner sees it."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    prefix = fields.String(required=True, metadata={"description": "How the key begins."})
    scopes = fields.List(fields.String(), required=True)
    created_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "To the minute."}
    )
    expires_at = fields.AwareDateTime(required=True, allow_none=True)


class CreatedKeyOut(KeyOut):
    """A key that was made, with its text."""

    key = fields.String(
        required=True, metadata={"description": "Send it as Authorization. It is shown this once."}
    )
