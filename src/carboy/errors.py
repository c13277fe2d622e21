"""Every error a view, a backing service or the crate may raise, with its HTTP status.

Two families. :class:`ApiError` becomes the answer of one request, in the app's
envelope. :class:`CarboyError` stops a start or a command: one message that names
the remedy, and an exit status.

Status codes and their meaning: RFC 9110, section 15, and RFC 6585.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import IO, Any, ClassVar

import click

__all__ = [
    "ApiError",
    "BadRequest",
    "CarboyError",
    "Conflict",
    "ContentTooLarge",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MethodNotAllowed",
    "NotFound",
    "PreconditionFailed",
    "SettingsError",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMediaType",
    "for_status",
]


class CarboyError(click.ClickException):
    """Something that stops a start or a command; its text names the remedy.

    A click exception, so that ``flask`` and any other command prints its text as one
    message and ends with :attr:`exit_code`, without a traceback.
    """

    exit_code: ClassVar[int] = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print one line for each problem."""
        for line in self.message.splitlines():
            click.echo(f"Error: {line}", file=file, err=file is None)


class SettingsError(CarboyError):
    """One or more settings cannot be used; all problems are in one message.

    :param problems: one sentence each, naming the variable and the remedy, never
        a secret's value.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class ApiError(Exception):
    """An answer other than success: raise it anywhere below a view.

    Subclass it to name an error of your own; the class attributes are the
    defaults, and each may be given for one occurrence.

    :param message: one sentence for the caller; goes to the client as it is.
    :param data: more for a program, usually field name → list of messages.
    :param headers: response headers to add, such as ``Retry-After``.
    :param code: short machine-readable name, ``snake_case``.
    """

    status: ClassVar[int] = 500
    code: str = "internal_error"
    message: str = "Something went wrong on our side. Try again later."

    def __init__(
        self,
        message: str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.code = code or type(self).code
        self.data = data
        self.headers: dict[str, str] = dict(headers or {})
        super().__init__(self.message)


class BadRequest(ApiError):
    """The request cannot be read (RFC 9110, section 15.5.1)."""

    status = 400
    code = "bad_request"
    message = "The request could not be read."


class Unauthorized(ApiError):
    """The caller is not known; say how to sign in (RFC 9110, section 15.5.2).

    :param scheme: value of the ``WWW-Authenticate`` header, which a 401 must carry.
    """

    status = 401
    code = "unauthorized"
    message = "Sign in to use this."

    def __init__(
        self,
        message: str | None = None,
        *,
        scheme: str = "Bearer",
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(message, headers={"WWW-Authenticate": scheme, **(headers or {})}, **rest)


class Forbidden(ApiError):
    """The caller is known and may not do this (RFC 9110, section 15.5.4)."""

    status = 403
    code = "forbidden"
    message = "You may not do this."


class NotFound(ApiError):
    """There is nothing at this address (RFC 9110, section 15.5.5)."""

    status = 404
    code = "not_found"
    message = "There is nothing at this address."


class MethodNotAllowed(ApiError):
    """The address exists, the method does not (RFC 9110, section 15.5.6)."""

    status = 405
    code = "method_not_allowed"
    message = "This address does not answer that method."


class Conflict(ApiError):
    """The request contradicts the present state (RFC 9110, section 15.5.10)."""

    status = 409
    code = "conflict"
    message = "The request conflicts with the present state."


class Gone(ApiError):
    """What was at this address is gone for good (RFC 9110, section 15.5.11)."""

    status = 410
    code = "gone"
    message = "What was at this address has been removed."


class PreconditionFailed(ApiError):
    """The resource changed since the caller read it (RFC 9110, section 13.1.1)."""

    status = 412
    code = "stale_version"
    message = "The resource has changed; read it again and retry."


class ContentTooLarge(ApiError):
    """The body is larger than the service takes (RFC 9110, section 15.5.14)."""

    status = 413
    code = "content_too_large"
    message = "The request body is too large."


class UnsupportedMediaType(ApiError):
    """The body is of another type than expected (RFC 9110, section 15.5.16)."""

    status = 415
    code = "unsupported_media_type"
    message = "The request body has the wrong content type."


class Invalid(ApiError):
    """The request was read, and its content is not valid (RFC 9110, section 15.5.21).

    ``data`` maps each field to the list of what is wrong with it.
    """

    status = 422
    code = "invalid"
    message = "The request is not valid."


class TooManyRequests(ApiError):
    """The caller sent too many requests (RFC 6585, section 4).

    :param retry_after_s: whole seconds after which to try again.
    """

    status = 429
    code = "too_many_requests"
    message = "Too many requests. Try again later."

    def __init__(
        self, message: str | None = None, *, retry_after_s: int | None = None, **rest: Any
    ) -> None:
        super().__init__(message, **_with_retry_after(rest, retry_after_s))


class InternalError(ApiError):
    """A failure nobody foresaw (RFC 9110, section 15.6.1); its cause goes to the log only."""


class Unavailable(ApiError):
    """The service cannot answer at the moment (RFC 9110, section 15.6.4).

    :param retry_after_s: whole seconds after which to try again.
    """

    status = 503
    code = "unavailable"
    message = "The service is unavailable at the moment. Try again shortly."

    def __init__(
        self, message: str | None = None, *, retry_after_s: int | None = None, **rest: Any
    ) -> None:
        super().__init__(message, **_with_retry_after(rest, retry_after_s))


def for_status(status: int, message: str | None = None, **rest: Any) -> ApiError:
    """Make the error of an HTTP *status*, also for statuses without a class of their own.

    :param status: 400 to 599.
    :param message: one sentence for the caller; by default that of the status.
    :param rest: ``data``, ``headers``, ``code`` as for :class:`ApiError`.
    """
    return _kind_of(status)(message, **rest)


@cache
def _kind_of(status: int) -> type[ApiError]:
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    phrase = _PHRASES.get(status, "Error")
    code = re.sub("[^a-z]+", "_", phrase.lower().replace("'", ""))
    said = {"status": status, "code": code, "message": f"{phrase}."}
    return type(phrase.title().replace(" ", ""), (ApiError,), said)


def _with_retry_after(rest: dict[str, Any], retry_after_s: int | None) -> dict[str, Any]:
    if retry_after_s is None:
        return rest
    return {**rest, "headers": {**(rest.get("headers") or {}), "Retry-After": str(retry_after_s)}}


_PHRASES = {
    **{int(status): status.phrase for status in HTTPStatus},
    414: "URI Too Long",  # as in Python 3.13, so that every version has one code for it
    416: "Range Not Satisfiable",
}
_BY_STATUS: dict[int, type[ApiError]] = {
    error.status: error
    for error in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        Gone,
        PreconditionFailed,
        ContentTooLarge,
        UnsupportedMediaType,
        Invalid,
        TooManyRequests,
        InternalError,
        Unavailable,
    )
}
