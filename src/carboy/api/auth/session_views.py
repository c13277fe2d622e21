"""Signing in and out over HTTP."""

from __future__ import annotations

from typing import Any

from flask import request

from carboy.api.auth.access import public, requires
from carboy.api.auth.current import current_user
from carboy.api.auth.installed import installed, only_signed_in
from carboy.api.auth.refusals import TOO_MANY, TOO_MANY_HEADERS
from carboy.api.auth.schemas import SessionOut, SignIn, StartedOut
from carboy.api.auth.sessions import Started
from carboy.api.blueprint import Blueprint
from carboy.errors import NotFound

__all__ = ["add_session_views"]

_NO_STORE = {"Cache-Control": "no-store"}
_HEADERS = {"Cache-Control": "no-store: the token is for the caller alone."}
_KEYLESS = {403: "API keys and tokens of others cannot do this; sign in with a password."}
_WRONG = {401: "The name is unknown, the password is wrong, or the account is disabled."}


def add_session_views(api: Blueprint) -> None:
    """Add ``/sessions``."""
    _add_one(api)
    _add_lists(api)


def _add_one(api: Blueprint) -> None:
    @api.post("/sessions")
    @public
    @api.input(SignIn)
    @api.output(StartedOut, 201, headers=_HEADERS)
    @api.doc(
        errors=_WRONG | TOO_MANY,
        responses=TOO_MANY_HEADERS,
        links={"end_session": {"session_id": "id"}},
    )
    def sign_in(data: dict[str, Any]) -> tuple[Started, dict[str, str]]:
        """Sign in with a password."""
        return installed().sign_in(data["username"], data["password"]), _NO_STORE

    @api.post("/sessions/current/rotate")
    @requires()
    @api.output(StartedOut, headers=_HEADERS)
    @api.doc(errors=_KEYLESS)
    def rotate_session() -> tuple[Started, dict[str, str]]:
        """Replace the token of this session; the old one ends."""
        auth = installed()
        started = auth.sessions.rotate(only_signed_in(), auth.presented(request) or "")
        if started is None:
            raise auth.invalid_token()
        return started, _NO_STORE

    @api.delete("/sessions/current")
    @requires()
    @api.output(None, 204)
    @api.doc(errors=_KEYLESS)
    def sign_out() -> None:
        """Sign out: end this session."""
        installed().sessions.end(current_user.id, only_signed_in())


def _add_lists(api: Blueprint) -> None:
    @api.get("/sessions")
    @requires()
    @api.output(SessionOut(many=True))
    @api.doc(errors=_KEYLESS, links={"end_session": {"session_id": "0.id"}})
    def list_sessions() -> list[dict[str, Any]]:
        """List one's sessions, the hundred used last."""
        current = only_signed_in()
        names = [name for name in SessionOut().fields if name != "current"]
        return [
            {**{name: getattr(row, name) for name in names}, "current": row.id == current}
            for row in installed().sessions.of(current_user.id)
        ]

    @api.delete("/sessions")
    @requires()
    @api.output(None, 204)
    @api.doc(errors=_KEYLESS)
    def sign_out_everywhere() -> None:
        """End all of one's sessions, this one too."""
        only_signed_in()
        auth = installed()
        auth.sessions.end_all(current_user.id)
        auth.db.session.commit()

    @api.delete("/sessions/<session_id>")
    @requires()
    @api.output(None, 204)
    @api.doc(errors={404: "There is no such session of one's own.", **_KEYLESS})
    def end_session(session_id: str) -> None:
        """End one of one's sessions."""
        only_signed_in()
        if "\0" in session_id or not installed().sessions.end(current_user.id, session_id):
            raise NotFound("No such session.")
