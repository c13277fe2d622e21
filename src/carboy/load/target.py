"""Where the requests go: a URL that may be loaded and answers."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import re
import socket
import ssl
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from carboy.load.plan import PlanError

_ANSWER_TIMEOUT_S = 10.0
_DOCUMENT_BYTES_MAX = 20 * 1024 * 1024
_PROXY_VARIABLES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


def is_url(target: str) -> bool:
    """Tell a URL from an app.

    :raises PlanError: if it is an address that lacks its scheme.
    """
    if "://" in target:
        return True
    if re.search(r":\d+(/|$)", target):
        raise PlanError(f"{target!r} is no app and no URL. Write http://{target}")
    return False


def checked(target: str) -> str:
    """Give the URL without a slash at its end.

    :raises PlanError: if a load test cannot use it.
    """
    try:
        parts = urlsplit(target)
        _ = parts.port
    except ValueError as error:
        raise PlanError(f"{target!r} is no URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PlanError(f"{target!r} is no URL. Write http://HOST:PORT or https://HOST")
    if parts.username is not None or parts.password is not None:
        raise PlanError(
            "Leave name and password out of the URL: it is shown in the report. "
            "Send them from the locustfile."
        )
    if parts.query or parts.fragment:
        raise PlanError(f"{target!r} has a query or a fragment. Give where the service begins.")
    return target.rstrip("/")


def host_of(url: str) -> str:
    """Name the host of a URL that was checked."""
    return urlsplit(url).hostname or ""


def is_this_machine(url: str) -> bool:
    """Whether every address of the host is a loopback address.

    :raises PlanError: if the host has no address.
    """
    parts: SplitResult = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        raise PlanError(
            f"The host {parts.hostname!r} is not known: {error.strerror}. Check the spelling."
        ) from error
    addresses = [str(address[4][0]).partition("%")[0] for address in found]
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)


def check_answers(url: str) -> None:
    """Make one request.

    :raises PlanError: if there is no answer; any status is one.
    """
    try:
        _open(url + "/").close()
    except HTTPError as error:
        error.close()
    except (OSError, http.client.HTTPException) as error:
        raise PlanError(
            f"Nothing answers at {url}: {_reason(error)}. Start the service first, or name "
            "an app as MODULE:APP, which is then started for the test."
        ) from error


def status_of(url: str) -> int | None:
    """Give the status of a GET request, ``None`` if there is no answer."""
    try:
        with _open(url) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
    except (OSError, http.client.HTTPException):
        return None


def document_of(url: str) -> dict[str, Any] | None:
    """Fetch the service's OpenAPI document, ``None`` if it shows none."""
    try:
        with _open(f"{url}/openapi.json") as answer:
            document = json.loads(answer.read(_DOCUMENT_BYTES_MAX))
    except HTTPError as error:
        error.close()
        return None
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def environment(url: str) -> dict[str, str]:
    """Give the environment for whoever sends the requests: none to this machine by a proxy."""
    if not is_this_machine(url):
        return dict(os.environ)
    return {
        name: value for name, value in os.environ.items() if name.lower() not in _PROXY_VARIABLES
    }


def _open(url: str) -> http.client.HTTPResponse:
    opener = build_opener(*([ProxyHandler({})] if is_this_machine(url) else []))
    request = Request(url, headers={"User-Agent": "carboy-load"})  # noqa: S310 - http or https: checked
    answer: http.client.HTTPResponse = opener.open(request, timeout=_ANSWER_TIMEOUT_S)
    return answer


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed ({cause.reason or cause})"
    if isinstance(cause, TimeoutError):
        return f"no answer within {_ANSWER_TIMEOUT_S:.0f} s"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return f"what answers does not speak HTTP ({type(cause).__name__})"
