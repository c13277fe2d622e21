"""Errors as pages of the website for people, and as they are for programs."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

__all__ = ["error_pages"]

_log = logging.getLogger("carboy")
_ERRORS_FROM, _SERVER_FROM = 400, 500
_SENTENCES = {
    401: "Sign in to see this page.",
    403: "You may not see this page.",
    404: "There is no page at this address.",
    405: "This page cannot be used that way.",
    429: "Too many requests. Try again in a moment.",
    503: "The service is unavailable at the moment. Try again shortly.",
}
_CLIENT = "The request could not be answered."
_SERVER = "Something went wrong on our side. Try again later."


def error_pages(
    app: Flask, template: str = "error.html", *, data_below: tuple[str, ...] = ("/api",)
) -> None:
    """Show errors to people as a page, and to programs as data.

    A page is sent when the request asks for HTML rather than JSON, which browsers do by their
    ``Accept`` header and programs do not. Every other error, and any below the paths of
    the API, keeps the app's envelope. A page that cannot be rendered gives way to the envelope too.

    :param app: an app with a template for errors.
    :param template: gets ``status`` (404), ``title`` ("Not Found") and ``message``, a sentence
        that never contains the text of an exception nobody expected.
    :param data_below: paths at and below which errors are data.
    """

    def shown(error: HTTPException) -> Any:
        status = error.code or _SERVER_FROM
        if error.response is not None or status < _ERRORS_FROM or not _by_person(data_below):
            return error
        try:
            body = render_template(
                template, status=status, title=_title(status), message=_message(error, status)
            )
        except Exception:  # noqa: BLE001 - a mistake in the page must not hide the error it is for
            _log.exception("The page for errors, %s, cannot be rendered.", template)
            return error
        request.environ["carboy.policy"] = "page"
        return _response(body, error, status)

    app.register_error_handler(HTTPException, shown)


def _by_person(data_below: tuple[str, ...]) -> bool:
    if any(request.path == root or request.path.startswith(f"{root}/") for root in data_below):
        return False
    accepted = request.accept_mimetypes
    return bool(accepted.quality("text/html") > accepted.quality("application/json"))


def _response(body: str, error: HTTPException, status: int) -> Response:
    response = make_response(body, status)
    given = getattr(error, "api_error", None)
    headers = given.headers.items() if given is not None else error.get_headers()
    for name, value in headers:
        if name.lower() != "content-type":
            response.headers.add(name, value)
    response.vary.add("Accept")
    response.cache_control.no_store = True
    return response


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _message(error: HTTPException, status: int) -> str:
    """Choose a sentence; the developer's own for what the caller did."""
    given = getattr(error, "api_error", None)
    if given is not None:
        return str(given.message)
    own = vars(error).get("description")
    if own and status < _SERVER_FROM:
        return str(own)
    return _SENTENCES.get(status, _SERVER if status >= _SERVER_FROM else _CLIENT)
