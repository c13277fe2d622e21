"""Passwords and addresses over HTTP: changed by their owner, or by a link in a mail."""

from __future__ import annotations

from typing import Any

from carboy.api.auth.access import public, requires
from carboy.api.auth.current import current_user
from carboy.api.auth.installed import installed, only_signed_in
from carboy.api.auth.refusals import TOO_MANY, TOO_MANY_HEADERS
from carboy.api.auth.schemas import LinkIn, PasswordChange, ResetIn, ResetRequest
from carboy.api.blueprint import Blueprint
from carboy.errors import Conflict

__all__ = ["add_confirmation_views", "add_password_views", "add_reset_views"]

_KEYLESS = {403: "API keys and tokens of others cannot do this; sign in with a password."}


def add_password_views(api: Blueprint) -> None:
    """Add ``/password``."""

    @api.post("/password")
    @requires()
    @api.input(PasswordChange)
    @api.output(None, 204)
    @api.doc(errors=_KEYLESS | TOO_MANY, responses=TOO_MANY_HEADERS)
    def change_password(data: dict[str, Any]) -> None:
        """Change the password; all other sessions end."""
        installed().change_password(
            current_user.id, data["current_password"], data["new_password"], keep=only_signed_in()
        )


def add_reset_views(api: Blueprint) -> None:
    """Add ``/password/reset-requests`` and ``/password/resets``."""

    @api.post("/password/reset-requests")
    @public
    @api.input(ResetRequest)
    @api.output(None, 202, description="If there is such an account, a mail is on its way.")
    @api.doc(errors=TOO_MANY, responses=TOO_MANY_HEADERS)
    def request_reset(data: dict[str, Any]) -> None:
        """Ask for a link to set another password; the answer never tells who has an account."""
        installed().recovery.request_reset(data["username"])

    @api.post("/password/resets")
    @public
    @api.input(ResetIn)
    @api.output(None, 204)
    def reset_password(data: dict[str, Any]) -> None:
        """Set another password by the token of a link; all sessions end."""
        installed().recovery.reset(data["token"], data["password"])


def add_confirmation_views(api: Blueprint) -> None:
    """Add ``/email``."""

    @api.post("/email/confirmation-requests")
    @requires()
    @api.output(None, 202, description="A mail is on its way.")
    @api.doc(errors={409: "The address is confirmed already.", **_KEYLESS})
    def request_confirmation() -> None:
        """Ask for a link to confirm one's e-mail address."""
        only_signed_in()
        if not installed().recovery.request_confirmation(current_user.id):
            raise Conflict("The address is confirmed already.")

    @api.post("/email/confirmations")
    @public
    @api.input(LinkIn)
    @api.output(None, 204)
    def confirm_email(data: dict[str, Any]) -> None:
        """Confirm an e-mail address by the token of a link."""
        installed().recovery.confirm(data["token"])
