"""Lost passwords and unconfirmed addresses: the mails that go out, and their links."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Response, after_this_request, copy_current_request_context

from carboy.api.auth import refusals
from carboy.api.auth.accounts import Account
from carboy.api.auth.links import Mail, Purpose
from carboy.api.auth.tables import now

if TYPE_CHECKING:
    from carboy.api.auth.installation import Installation

__all__ = ["Recovery"]

_log = logging.getLogger(__name__)


class Recovery:
    """Sends links and redeems them.

    :ivar mail: sends a token to a user; tests may replace it.
    """

    def __init__(self, installation: Installation, mail: Mail) -> None:
        self._at = installation
        self.mail = mail

    def request_reset(self, name: str) -> None:
        """Send a link to set another password, if there is such an account.

        All of it happens after the answer, so that neither its content nor the time it
        takes tells whether there is one.

        :raises TooManyRequests: if it was asked for too often (429).
        """
        if self._at.throttle is not None:
            self._at.throttle.begin(f"reset:{name}")

        def send() -> None:
            account = self._at.accounts.by_name(name)
            if account is not None and not account.disabled:
                self._send("reset", account)

        _after_the_answer(send)

    def reset(self, token: str, password: str) -> None:
        """Set another password and end all sessions.

        Who reads the mail owns the address, so it is confirmed with it.

        :raises Invalid: if the link is forged, expired or used (422).
        """
        at = self._at
        account = at.links.read("reset", token)
        if account is None:
            raise refusals.wrong_link()
        values: dict[str, Any] = {"password_hash": at.passwords.hash(password)}
        if account.email_confirmed_at is None:
            values["email_confirmed_at"] = now()
        if not at.accounts.change(account, **values):
            at.db.session.rollback()
            raise refusals.wrong_link()
        at.sessions.end_all(account.id)
        at.db.session.commit()
        # Whoever is under attack gets in from a place where the mail was read.
        if at.throttle is not None:
            for name in account.names:
                at.throttle.remember(name)

    def request_confirmation(self, user_id: Any) -> bool:
        """Send a link to confirm the address of an account.

        :return: ``False`` if it is confirmed already.
        """
        account = self._at.accounts.by_id(user_id)
        if account is None or account.email_confirmed_at is not None:
            return False
        _after_the_answer(lambda: self._send("confirm", account))
        return True

    def confirm(self, token: str) -> None:
        """Note that an address is its owner's.

        :raises Invalid: if the link is forged, expired or used (422).
        """
        at = self._at
        account = at.links.read("confirm", token)
        if account is None or not at.accounts.confirm(account, now()):
            at.db.session.rollback()
            raise refusals.wrong_link()
        at.db.session.commit()

    def _send(self, purpose: Purpose, account: Account) -> None:
        token = self._at.links.make(purpose, account)
        user = self._at.accounts.row(account.id)
        if user is not None:
            self.mail(purpose, user, token)


def _after_the_answer(send: Callable[[], None]) -> None:
    """Call *send* when the client has its answer; a failure is for the log."""

    @copy_current_request_context
    def sent() -> None:
        try:
            send()
        except Exception:  # noqa: BLE001 - whatever it is, the client has its answer
            _log.exception("A mail could not be sent.")

    @after_this_request
    def arrange(response: Response) -> Response:
        response.call_on_close(sent)
        return response
