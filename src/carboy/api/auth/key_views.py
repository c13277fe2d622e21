"""API keys over HTTP: for people who are signed in, not for keys themselves."""

from __future__ import annotations

from typing import Any

from carboy.api.auth.access import requires
from carboy.api.auth.current import current_user
from carboy.api.auth.installed import installed, only_signed_in
from carboy.api.auth.permissions import Permissions
from carboy.api.auth.schemas import CreatedKeyOut, KeyIn, KeyOut
from carboy.api.auth.tables import now
from carboy.api.blueprint import Blueprint
from carboy.errors import Invalid, NotFound

__all__ = ["add_key_views"]

_HEADERS = {"Cache-Control": "no-store: the key is for the caller alone."}
_KEYLESS = {403: "API keys and tokens of others cannot do this; sign in with a password."}


def add_key_views(api: Blueprint) -> None:
    """Add ``/api-keys``."""

    @api.post("/api-keys")
    @requires()
    @api.input(KeyIn)
    @api.output(CreatedKeyOut, 201, headers=_HEADERS)
    @api.doc(errors=_KEYLESS, links={"revoke_key": {"key_id": "id"}})
    def create_key(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Make an API key. The answer is the only place it appears in."""
        only_signed_in()
        _refuse(data)
        made = installed().api_keys.create(
            current_user.id, data["name"], data["scopes"], expires_at=data["expires_at"]
        )
        return {**_shown(made.row), "key": made.key}, {"Cache-Control": "no-store"}

    @api.get("/api-keys")
    @requires()
    @api.output(KeyOut(many=True))
    @api.doc(errors=_KEYLESS, links={"revoke_key": {"key_id": "0.id"}})
    def list_keys() -> list[dict[str, Any]]:
        """List one's API keys, latest first."""
        only_signed_in()
        return [_shown(row) for row in installed().api_keys.of(current_user.id)]

    @api.delete("/api-keys/<key_id>")
    @requires()
    @api.output(None, 204)
    @api.doc(errors={404: "There is no such key of one's own.", **_KEYLESS})
    def revoke_key(key_id: str) -> None:
        """Revoke one of one's API keys."""
        only_signed_in()
        keys = installed().api_keys
        if "\0" in key_id or not keys.revoke(key_id, user_id=current_user.id):
            raise NotFound("No such key.")


def _refuse(data: dict[str, Any]) -> None:
    """Refuse a key that could do more than its owner, or nothing any more."""
    wrong: dict[str, list[str]] = {}
    beyond = [one for one in data["scopes"] if one not in current_user.permissions]
    if beyond:
        wrong["scopes"] = [f"You may not do this yourself: {', '.join(beyond)}."]
    if data["expires_at"] is not None and data["expires_at"] <= now():
        wrong["expires_at"] = ["In the past."]
    if wrong:
        raise Invalid(data=wrong)


def _shown(row: Any) -> dict[str, Any]:
    names = ("id", "name", "prefix", "created_at", "last_used_at", "expires_at")
    return {
        **{name: getattr(row, name) for name in names},
        "scopes": list(Permissions(row.scopes.split())),
    }
