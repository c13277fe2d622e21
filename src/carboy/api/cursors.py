"""Opaque cursors: a place in an ordered list, signed so that only this service makes them."""

from __future__ import annotations

import datetime as dt
import hmac
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.signer import SigningAlgorithm

from carboy.errors import BadRequest
from carboy.fast.flask.context import current

__all__ = ["InvalidCursor", "Place", "read", "write"]

_REMEMBERED, _TEXT_MAX = 128, 200
_SHORT_BYTES = 128
_BOUND = json.JSONEncoder(separators=(",", ":")).encode


class InvalidCursor(BadRequest):
    """The cursor was not made by this service, or for another list, order or filter."""

    code = "invalid_cursor"
    message = "The cursor is not one of this list. Begin again without it."


@dataclass(frozen=True)
class Place:
    """Between two rows of an ordered list.

    :param values: of the sort keys of the row it lies beside; empty: at the end of the list.
    :param backward: whether the rows before it are meant, else those behind it.
    """

    values: tuple[Any, ...]
    backward: bool = False


def write(place: Place, bound_to: str) -> str:
    """Make the cursor of a place.

    :param bound_to: what the list is; the cursor is good for no other.
    :raises TypeError: if a sort key has a value of a type that cannot be written.
    """
    short = all(len(value) <= _TEXT_MAX for value in place.values if isinstance(value, str))
    make = _made if short else _made.__wrapped__
    return make(_keys(), bound_to, place.backward, *place.values)


@lru_cache(maxsize=_REMEMBERED, typed=True)
def _made(keys: tuple[str, ...], bound_to: str, backward: bool, *values: Any) -> str:  # noqa: FBT001 - so that it is remembered
    """Make a cursor; first pages are asked for again and again."""
    signed = _signer(keys, bound_to).dumps([int(backward), *map(_written, values)])
    return signed if isinstance(signed, str) else signed.decode("ascii")


def read(cursor: str, bound_to: str, *, length: int) -> Place:
    """Read a cursor back.

    :param length: how many sort keys the list has.
    :raises InvalidCursor: if it was not made here for *bound_to*.
    """
    try:
        backward, *written = _signer(_keys(), bound_to).loads(cursor)
    except BadData:
        raise InvalidCursor from None
    if len(written) not in (0, length):
        raise InvalidCursor  # an older release had other columns in this order
    return Place(tuple(_read(value) for value in written), backward=bool(backward))


class _Compact:
    """JSON without spaces, as short as it gets."""

    dumps = staticmethod(json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode)

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return json.loads(text)


class _Algorithm(SigningAlgorithm):
    """HMAC with SHA-1, what itsdangerous takes by itself, in one step."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, "sha1")


class _Signer(Signer):
    """Keeps the key that it derives."""

    @cached_property
    def _derived(self) -> bytes:
        return super().derive_key()

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        return self._derived if secret_key is None else super().derive_key(secret_key)


class _Serializer(URLSafeSerializer):
    """Keeps its signer, and compresses only what may become shorter."""

    @cached_property
    def _signer(self) -> Signer:
        return super().make_signer()

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        return self._signer if salt is None else super().make_signer(salt)

    def dump_payload(self, obj: Any) -> bytes:
        text = _Compact.dumps(obj).encode()
        return base64_encode(text) if len(text) < _SHORT_BYTES else super().dump_payload(obj)


def _keys() -> tuple[str, ...]:
    config = current().app.config
    if not config.get("SECRET_KEY"):
        raise RuntimeError("Cursors are signed: set SECRET_KEY, or call Carboy(app).")
    return *(config.get("SECRET_KEY_FALLBACKS") or ()), config["SECRET_KEY"]


@lru_cache(maxsize=_REMEMBERED)
def _signer(keys: tuple[str, ...], bound_to: str) -> URLSafeSerializer:
    return _Serializer(
        list(keys),
        salt=f"carboy.cursor:{bound_to}",
        serializer=_Compact,
        signer=_Signer,
        signer_kwargs={"algorithm": _Algorithm()},
    )


_READERS: Mapping[str, tuple[type[Any], Callable[[str], Any]]] = {
    "m": (dt.datetime, dt.datetime.fromisoformat),  # before date, of which it is a kind
    "d": (dt.date, dt.date.fromisoformat),
    "t": (dt.time, dt.time.fromisoformat),
    "n": (Decimal, Decimal),
    "u": (uuid.UUID, uuid.UUID),
    "s": (dt.timedelta, lambda text: dt.timedelta(microseconds=int(text))),
}


def _written(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    for mark, (kind, _) in _READERS.items():
        if isinstance(value, kind):
            text = value.isoformat() if hasattr(value, "isoformat") else str(value)
            if isinstance(value, dt.timedelta):
                text = str(value // dt.timedelta(microseconds=1))
            return {mark: text}
    raise TypeError(f"A list cannot be paged by a column of {type(value).__name__}.")


def _read(written: Any) -> Any:
    if not isinstance(written, dict):
        return written
    ((mark, text),) = written.items()
    return _READERS[mark][1](text)


def bound_to(parts: Sequence[Any]) -> str:
    """Write what a list is (its address, order and filters) as the text a cursor is bound to."""
    return _BOUND(parts)
