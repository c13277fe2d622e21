"""What ``Auth`` leaves on one app: it finds out who calls, and lets them pass or not."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from flask import Flask, Request, request

from carboy.api.auth import refusals
from carboy.api.auth.access import Access
from carboy.api.auth.caller import ANONYMOUS, Caller, Claims
from carboy.api.auth.current import identify
from carboy.api.auth.issuer import InvalidJwt, Issuer
from carboy.api.auth.passwords import Passwords
from carboy.api.auth.permissions import Permissions
from carboy.api.auth.recovery import Recovery
from carboy.api.auth.tokens import SESSION_PREFIX, is_opaque
from carboy.errors import Invalid, Unauthorized

if TYPE_CHECKING:
    from carboy.api.auth.extension import Auth
    from carboy.api.auth.sessions import Started

__all__ = ["Installation", "Throttle", "scope_claims"]

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*").fullmatch  # token68 of RFC 9110, section 11.2
_log = logging.getLogger(__name__)


class Attempt(Protocol):
    """One attempt, which counts as failed until it succeeded."""

    def succeeded(self) -> None:
        """Forget it: the password was right."""
        ...


class Throttle(Protocol):
    """Slows down whoever guesses passwords; :class:`~carboy.LoginThrottle` is one."""

    def begin(self, account: str) -> Attempt:
        """Count an attempt at an account.

        :raises TooManyRequests: if there were too many (429).
        :raises Unavailable: if attempts cannot be counted (503).
        """
        ...

    def remember(self, account: str) -> None:
        """Know the place of this request as one of the account's owner."""
        ...


class Installation:
    """One app's authentication, at ``app.extensions["carboy.auth"]``."""

    def __init__(self, auth: Auth, app: Flask) -> None:
        self._auth = auth
        self._app = app
        self.db = auth.db
        self.accounts = auth.accounts
        self.sessions = auth.sessions
        self.api_keys = auth.api_keys
        self.links = auth.links
        self.throttle = auth.throttle
        self.recovery = Recovery(self, auth.mail)

    @cached_property
    def passwords(self) -> Passwords:
        """Made at first use, since settings may arrive after ``init_app``."""
        return Passwords(self._app.config)

    @cached_property
    def issuer(self) -> Issuer | None:
        """Who else's tokens are accepted."""
        return Issuer(self._app.config) if self._app.config.get("JWT_ISSUER") else None

    def admit(self, access: Access) -> Caller:
        """See :meth:`carboy.api.auth.access.Gate.admit`."""
        caller = identify()
        if not caller.is_authenticated:
            raise refusals.anonymous(self._auth.scheme)
        if not caller.can(*access.permissions):
            raise refusals.insufficient(self._auth.scheme, access.permissions)
        return caller

    def presented(self, of: Request) -> str | None:
        """Read the token of a request; ``None`` without one.

        :raises Unauthorized: if it has no form that a token may have.
        """
        scheme, _, token = of.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self._auth.scheme.lower():
            return None
        token = token.strip(" ")
        if _TOKEN(token) is None:
            raise self.invalid_token()
        return token

    def authenticate(self, of: Request) -> Caller:
        """Find out who makes a request.

        :raises Unauthorized: if its credentials are not valid.
        """
        token = self.presented(of)
        if token is None:
            return ANONYMOUS
        caller = self._caller(token)
        if caller is None:
            raise self.invalid_token()
        return caller

    def invalid_token(self) -> Unauthorized:
        """Make the answer to a token that is not valid."""
        return refusals.invalid_token(self._auth.scheme)

    def sign_in(self, name: str, password: str) -> Started:
        """Begin a session for whoever knows the password.

        :raises Unauthorized: if nobody has that name, the password is another one, or the
            account is disabled; the same answer after the same work.
        :raises TooManyRequests: if the throttle says so.
        """
        attempt = self.throttle.begin(name) if self.throttle else None
        account = self.accounts.by_name(name)
        kept = None if account is None or account.disabled else account.password_hash
        fits, fresh = self.passwords.verify(password, kept)
        if account is None or not fits:
            raise refusals.wrong_credentials(self._auth.scheme)
        if attempt is not None:
            attempt.succeeded()
        if fresh is not None:
            self.accounts.change(account, password_hash=fresh)
        started = self.begin_session(account.id)
        self.db.session.commit()
        return started

    def begin_session(self, user_id: Any) -> Started:
        """Begin a session from where the request comes, without committing it."""
        agent = request.headers.get("User-Agent", "")
        started: Started = self.sessions.start(user_id, user_agent=agent, address=client_address())
        return started

    def change_password(self, user_id: Any, old: str, new: str, *, keep: str) -> None:
        """Set another password, and end all sessions but one.

        :param keep: id of the session that goes on.
        :raises Invalid: if the old password is another one (422).
        """
        attempt = self.throttle.begin(f"change:{user_id}") if self.throttle else None
        account = self.accounts.by_id(user_id)
        fits, _ = self.passwords.verify(old, account.password_hash if account else None)
        if account is None or not fits:
            raise Invalid(data={"current_password": ["Not the present password."]})
        if attempt is not None:
            attempt.succeeded()
        if not self.accounts.change(account, password_hash=self.passwords.hash(new)):
            raise Invalid(data={"current_password": ["It was changed a moment ago."]})
        self.sessions.end_all(user_id, keep=keep)
        self.db.session.commit()

    def _caller(self, token: str) -> Caller | None:
        if not is_opaque(token):
            return None if self.issuer is None else self._of_issuer(self.issuer, token)
        kept = self.sessions if token.startswith(SESSION_PREFIX) else self.api_keys
        found: Caller | None = None if kept is None else kept.caller(token)
        return found

    def _of_issuer(self, issuer: Issuer, token: str) -> Caller | None:
        try:
            claims = issuer.verify(token)
        except InvalidJwt as error:
            _log.info("A JWT was refused: %s.", error)
            return None
        nested = self.db is not None and self.db.session.in_transaction()
        try:
            return self._of_claims(self._auth.jwt_caller(claims), claims)
        finally:
            if self.db is not None and not nested:
                self.db.session.rollback()

    def _of_claims(self, found: Any, claims: Mapping[str, Any]) -> Caller | None:
        if isinstance(found, Claims):
            return Caller(found.id, method="jwt", permissions=found.permissions, claims=claims)
        if found is None or found.disabled_at is not None:
            return None
        caller: Caller = self.accounts.caller(found, "jwt", claims=claims)
        return caller


def scope_claims(claims: Mapping[str, Any]) -> Claims:
    """Make a caller without account of ``sub``, with the permissions in ``scope``.

    Wildcards are left out: what they cover is for this service to say.
    Source: RFC 8693, section 4.2, and RFC 9068, section 2.2.3.
    """
    scope = claims.get("scope", "")
    granted = []
    for word in scope.split() if isinstance(scope, str) else []:
        try:
            Permissions([word])
        except ValueError:
            continue
        if not word.endswith("*"):
            granted.append(word)
    return Claims(str(claims["sub"]), granted)


def client_address() -> str:
    """Tell where the request comes from, as far as trusted proxies say."""
    exchange = request.environ.get("carboy.exchange")
    client: str = getattr(exchange, "client", "") or request.remote_addr or ""
    return client


JwtCaller = Callable[[Mapping[str, Any]], Any]
