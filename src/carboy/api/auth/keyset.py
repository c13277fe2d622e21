"""The public keys of an issuer, fetched from a URL or a file and kept for a while.

Source: RFC 7517 (JSON Web Key), RFC 8725 (JWT best current practices).
"""

from __future__ import annotations

import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

from carboy.errors import ApiError, Unavailable
from carboy.fast.json import loads

__all__ = ["KeySet"]

STALE_MAX_S = 86400
"""How long keys are used when the issuer cannot be reached, in seconds."""
_BYTES_MAX = 1024 * 1024
_CHUNK = 64 * 1024
_DEPTH_MAX = 16
_log = logging.getLogger(__name__)


class KeySet:
    """The keys at one place.

    Threads share it. One of them fetches while the others go on with the keys there are.

    :param source: an http(s) URL, or the path of a file.
    :param ttl_s: seconds after which keys are fetched again.
    :param cooldown_s: least seconds between two fetches.
    :param timeout_s: longest a fetch may take.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        source: str,
        *,
        ttl_s: float,
        cooldown_s: float,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._ttl_s = ttl_s
        self._cooldown_s = cooldown_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: list[Mapping[str, Any]] = []
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    def find(self, fits: Callable[[Mapping[str, Any]], bool]) -> list[Mapping[str, Any]]:
        """Return the keys that fit; when none does, look once whether there are other keys.

        :raises Unavailable: if there are no keys, or only too old ones (503).
        """
        age_s = self._age_s()
        if age_s is None or age_s > self._ttl_s:
            self._fetch(wait=age_s is None)
        found = [key for key in self._current() if fits(key)]
        if not found and self._fetch(wait=True):
            found = [key for key in self._current() if fits(key)]
        return found

    def _age_s(self) -> float | None:
        return None if self._fetched_at is None else self._clock() - self._fetched_at

    def _current(self) -> list[Mapping[str, Any]]:
        age_s = self._age_s()
        if age_s is None or age_s > STALE_MAX_S:
            raise Unavailable(
                "Tokens cannot be checked at the moment. Try again shortly.",
                retry_after_s=max(1, int(self._cooldown_s)),
            )
        return self._keys

    def _fetch(self, *, wait: bool) -> bool:
        """Get the keys anew, unless that was tried a moment ago.

        :return: whether there are others since the call.
        """
        before = self._fetched_at
        if not self._lock.acquire(blocking=wait):
            return False
        try:
            if self._fetched_at != before:
                return True  # another thread did it while this one waited
            moment = self._clock()
            if self._tried_at is not None and moment - self._tried_at < self._cooldown_s:
                return False
            self._tried_at = moment
            self._keys = _keys(self._read())
            self._fetched_at = moment
        except (OSError, ValueError, ApiError) as error:
            _log.warning("The keys of the issuer of JWTs cannot be read: %s", _reason(error))
            return False
        else:
            return True
        finally:
            self._lock.release()

    def _read(self) -> bytes:
        if "://" not in self._source:
            return Path(self._source).read_bytes()
        until = time.monotonic() + self._timeout_s
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(self._source, timeout=self._timeout_s) as answer:
            body = b""
            while chunk := answer.read1(_CHUNK):
                body += chunk
                if len(body) > _BYTES_MAX:
                    raise ValueError("the answer is larger than a set of keys")
                if time.monotonic() > until:
                    raise TimeoutError("the answer takes too long")
            return body


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the place that was configured, or not at all."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Refuse; the redirect becomes an error."""
        return


def _keys(body: bytes) -> list[Mapping[str, Any]]:
    document = loads(body, max_depth=_DEPTH_MAX)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not keys:
        raise ValueError('it is no JWK set: there is no list "keys"')
    return [key for key in keys if isinstance(key, dict)]


def _reason(error: Exception) -> object:
    return error.reason if isinstance(error, URLError) else error
