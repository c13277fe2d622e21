"""``Auth``: who may call, declared once for an app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from flask import Flask

from carboy.api.auth.access import EXTENSION, enforce
from carboy.api.auth.accounts import Accounts
from carboy.api.auth.api_keys import ApiKeys
from carboy.api.auth.commands import auth_commands
from carboy.api.auth.current import caller_key
from carboy.api.auth.description import SECURITY_SCHEME, completed, security_scheme
from carboy.api.auth.installation import (
    Installation,
    JwtCaller,
    Throttle,
    scope_claims,
)
from carboy.api.auth.key_views import add_key_views
from carboy.api.auth.link_views import (
    add_confirmation_views,
    add_password_views,
    add_reset_views,
)
from carboy.api.auth.links import Links, Mail, log_mail
from carboy.api.auth.session_views import add_session_views
from carboy.api.auth.sessions import Sessions, Started
from carboy.api.blueprint import Blueprint
from carboy.api.limits import LoginThrottle
from carboy.backing.database import Database
from carboy.errors import CarboyError

__all__ = ["Auth"]


class Auth:
    """Accounts with passwords, sessions, API keys, and the JWTs of another issuer.

    Each part is there when its model is given: without *session* nobody signs in with a
    password, without *api_key* there are no keys, and without *user* only the JWTs of
    ``JWT_ISSUER`` count. :attr:`blueprint` has the views of those parts; register it where
    they should be.

    :param db: the database, for everything but JWTs.
    :param user: model of an account, derived from ``UserMixin``.
    :param session: model derived from ``SessionMixin``.
    :param api_key: model derived from ``ApiKeyMixin``.
    :param roles: role → permissions.
    :param default_role: role of an account that has none.
    :param login: columns that hold what people sign in with. Where two accounts match,
        that of the column named first.
    :param fold: how a name is reduced to what those columns hold.
    :param email: column with the e-mail address.
    :param mail: sends the token of a link to a user: called with ``"reset"`` or
        ``"confirm"``, the row of the account and the token. When it is missing, tokens are
        written to the log in Development, and in Production the app does not start.
        ``None``: there are no links, nor the views that ask for them.
    :param jwt_caller: makes a caller of the claims of a JWT: the row of an account,
        ``Claims``, or ``None`` to refuse. By default one without account that has the
        permissions in the claim ``scope``.
    :param scheme: first word of the ``Authorization`` header.
    :param throttle: slows down whoever guesses passwords; by default a
        :class:`~carboy.LoginThrottle`. ``None`` lets them guess: only where something in
        front counts attempts.
    :raises TypeError: if a model lacks what is needed.
    :raises ValueError: if a role or permission cannot be one.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        db: Database | None = None,
        *,
        user: type[Any] | None = None,
        session: type[Any] | None = None,
        api_key: type[Any] | None = None,
        roles: Mapping[str, Iterable[str]] | None = None,
        default_role: str | None = None,
        login: Sequence[str] = ("email", "username"),
        fold: Callable[[str], str] = str.casefold,
        email: str = "email",
        mail: Mail | None = log_mail,
        jwt_caller: JwtCaller = scope_claims,
        scheme: str = "Bearer",
        throttle: Throttle | Literal["default"] | None = "default",
    ) -> None:
        self.db: Any = db
        self.accounts: Any = None
        self.sessions: Any = None
        self.api_keys: Any = None
        self.links: Any = None
        self.scheme = scheme
        self.mail: Mail = mail or log_mail  # never called without the views of links
        self._mails_nowhere = mail is log_mail
        self.jwt_caller = jwt_caller
        self.throttle: Throttle | None = LoginThrottle() if throttle == "default" else throttle
        self.blueprint = Blueprint("auth", __name__, tags=["Authentication"])
        if user is None:
            if session is not None or api_key is not None:
                raise TypeError("Sessions and API keys belong to accounts: give Auth user= too.")
            return
        if db is None:
            raise TypeError("Accounts are in a database: give it to Auth as the first argument.")
        self.accounts = Accounts(
            db, user, login=login, fold=fold, email=email, roles=roles or {},
            default_role=default_role,
        )  # fmt: skip
        self.links = Links(self.accounts)
        if session is not None:
            self.sessions = Sessions(db, session, self.accounts)
            add_session_views(self.blueprint)
            add_password_views(self.blueprint)
            if mail is not None:
                add_reset_views(self.blueprint)
            if mail is not None and hasattr(user, "email_confirmed_at"):
                add_confirmation_views(self.blueprint)
        if api_key is not None:
            self.api_keys = ApiKeys(db, api_key, self.accounts)
            if session is not None:
                add_key_views(self.blueprint)

    def init_app(self, app: Flask) -> None:
        """Register on an app: views are guarded from then on.

        :raises CarboyError: if the app has an ``Auth`` already.
        """
        if EXTENSION in app.extensions:
            raise CarboyError(f"{app.name} has an Auth already; keep one.")
        installation = app.extensions[EXTENSION] = Installation(self, app)
        app.extensions["carboy.caller"] = caller_key
        schemes = app.extensions.setdefault("carboy.security_schemes", {})
        schemes[SECURITY_SCHEME] = security_scheme(self.scheme)
        app.extensions.setdefault("carboy.describers", []).append(partial(completed, app))
        app.extensions.setdefault("carboy.start", []).append(lambda: self._start(installation, app))
        app.before_request(enforce)
        if self.accounts is not None:
            app.cli.add_command(auth_commands)

    def password_hash(self, password: str) -> str:
        """Make the hash to keep of a password, for an account that is being made.

        Takes tens of milliseconds, on purpose: call it before a transaction begins.
        """
        from carboy.api.auth.installed import installed  # the app at hand decides the parameters

        return installed().passwords.hash(password)

    def sign_in(self, name: str, password: str) -> Started:
        """Begin a session for whoever knows the password, and commit.

        For a view of the project's own, where ``POST /sessions`` has not the shape that is
        wanted; the throttle counts here as well. Needs a request.

        :raises Unauthorized: if there is no such account, the password is another one, or
            the account is disabled (401); which of them is not said.
        :raises TooManyRequests: if the throttle says so (429).
        """
        from carboy.api.auth.installed import installed  # as above

        return installed().sign_in(name, password)

    def begin_session(self, user: Any) -> Started:
        """Begin a session of an account without asking for its password.

        For whoever has just registered, or was identified in another way. Part of the
        transaction at hand, which is not committed. Needs a request.

        :param user: row of the account, which has its id already (``flush`` gives it one).
        """
        from carboy.api.auth.installed import installed  # as above

        return installed().begin_session(user.id)

    def _start(self, installation: Installation, app: Flask) -> None:
        """Find out before the first request what is missing.

        :raises CarboyError: naming the remedy.
        """
        if self.sessions is not None:
            installation.passwords  # noqa: B018 - says which extra is missing
            if self._mails_nowhere and app.config.get("APP_ENV") == "Production":
                raise CarboyError(
                    "Links for forgotten passwords would be sent to nobody. Give Auth a "
                    "function that sends them, Auth(..., mail=send), or mail=None to have none."
                )
        installation.issuer  # noqa: B018 - the same
