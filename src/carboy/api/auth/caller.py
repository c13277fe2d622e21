"""Who makes the request, in one shape for sessions, API keys and tokens of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from carboy.api.auth.permissions import Permissions
from carboy.errors import Unauthorized

__all__ = ["ANONYMOUS", "Caller", "Claims", "Method"]

Method = Literal["session", "key", "jwt"]


class Claims:
    """A caller without an account here: what a function of the project made of a JWT.

    :param id: tells this caller from others of the same issuer, usually the claim ``sub``.
    :param permissions: what it may do.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the field's own word
        permissions: Iterable[str] = (),
    ) -> None:
        self.id = id
        self.permissions = Permissions(permissions)


class Caller:
    """The caller of one request; found as ``carboy.current_user``.

    Attributes it has none of itself are those of the account: ``current_user.email``.

    :ivar id: primary key of the account, or what the issuer calls the caller; ``None``
        when nobody is signed in.
    :ivar permissions: what the caller may do in this request; of an API key, what is in
        both its scopes and its owner's permissions.
    :ivar method: how the caller signed in: ``session``, ``key``, ``jwt``, or ``None``.
    :ivar credential: id of the session or key, ``None`` otherwise.
    :ivar claims: those of the JWT, empty otherwise.
    """

    def __init__(  # noqa: PLR0913 - keywords, each with a default
        self,
        id: Any = None,  # noqa: A002 - the field's own word
        *,
        method: Method | None = None,
        permissions: Permissions | None = None,
        credential: str | None = None,
        claims: Mapping[str, Any] | None = None,
        load: Callable[[], Any] | None = None,
    ) -> None:
        self.id = id
        self.method = method
        self.permissions = permissions or Permissions()
        self.credential = credential
        self.claims: Mapping[str, Any] = claims or {}
        self._load = load

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is signed in."""
        return self.method is not None

    @property
    def has_account(self) -> bool:
        """Whether the caller has an account here; some that bring a JWT do not."""
        return self._load is not None

    @property
    def user(self) -> Any:
        """The row of the account, in the request's database session; ``None`` without one.

        :raises Unauthorized: if the account was deleted meanwhile.
        """
        if self._load is None:
            return None
        row = self._load()
        if row is None:
            raise Unauthorized("The account is gone.", code="invalid_token")
        return row

    @property
    def key(self) -> str | None:
        """A text that differs for any two callers: to count them or to store things for them."""
        if self.method is None:
            return None
        # Names an issuer chose must not meet the numbers of accounts here.
        kind = "user" if self.has_account else "jwt"
        return f"{kind}:{self.id}"

    def can(self, *permissions: str) -> bool:
        """Say whether the caller has all of *permissions*."""
        return all(one in self.permissions for one in permissions)

    def __bool__(self) -> bool:
        return self.is_authenticated

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and self._load is not None:
            return getattr(self.user, name)
        raise AttributeError(f"The caller has no {name!r}, and no account that could have it.")

    def __repr__(self) -> str:
        return f"<Caller {self.key or 'anonymous'}>"


ANONYMOUS = Caller()
