"""Reading JSON strictly: what is read is exactly what was meant.

There are two lanes. orjson reads ordinary documents; a document that it refuses, or
about which a cheap look leaves a doubt (a key that may occur twice, a number that may
not fit, deep nesting), is read again by the standard library's scanner with every check
switched on, and only that lane words a refusal. Source: RFC 8259; RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from itertools import accumulate
from typing import Any, NoReturn

import orjson

from carboy.errors import BadRequest

NUMBER_MAX_DIGITS = 640
"""Longest number that is read, in characters: what CPython converts whatever its limits are
(``sys.int_info.str_digits_check_threshold``)."""

_KEY_SHOWN_CHARS = 40
_DIGITS_TO_ZERO = bytes.maketrans(b"0123456789", b"0000000000")
_MAY_NOT_FIT = b"0" * 19  # digits of the smallest number that orjson would round
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BRACKETS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:[uU][dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u(?P<lone>[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def loads(data: bytes | str, *, max_depth: int) -> Any:
    """Read a JSON document, refusing what two readers could understand differently.

    Refused are NaN and Infinity, duplicate keys, lone surrogates, text after the end,
    invalid UTF-8, a byte order mark, an empty document, numbers longer than
    :data:`NUMBER_MAX_DIGITS` characters or beyond the range of a double, and deep nesting.

    :param max_depth: how many lists and objects may stand inside each other.
    :raises BadRequest: with the reason, and the place where there is one (400).
    """
    if isinstance(data, str):
        try:
            data = data.encode()
        except UnicodeEncodeError as error:
            raise _refusal(f"has a lone surrogate at character {error.start + 1}") from None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _loads_with_care(data, max_depth)
    if type(value) is dict or type(value) is list:
        members, depth = _members_and_depth(value)
        # Every member has a colon: as many colons as members leave no room for a duplicate.
        unique = members == data.count(b":") or members == _colons_after_keys(data)
        if not unique or depth > max_depth:
            return _loads_with_care(data, max_depth)
    if _MAY_NOT_FIT in data.translate(_DIGITS_TO_ZERO):
        return _loads_with_care(data, max_depth)
    return value


def _colons_after_keys(data: bytes) -> int:
    """Count the colons after a quotation mark or white space.

    Those of all keys are among them; of those inside text, only few.
    """
    count = data.count
    return count(b'":') + count(b" :") + count(b"\n:") + count(b"\t:") + count(b"\r:")


def _members_and_depth(value: Any) -> tuple[int, int]:
    members = depth = 0
    level = [value]
    while level:
        inner: list[Any] = []
        nested = False
        for item in level:
            kind = type(item)
            if kind is dict:
                nested = True
                members += len(item)
                inner.extend(item.values())
            elif kind is list:
                nested = True
                inner.extend(item)
        depth += nested
        level = inner
    return members, depth


def _loads_with_care(data: bytes, max_depth: int) -> Any:
    text = _decoded(data)
    _refuse_depth(data, max_depth)
    if "\\u" in text:
        _refuse_lone_surrogates(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at").removesuffix(" starting")
        raise _refusal(
            f"is not valid at line {error.lineno}, column {error.colno}: {reason}"
        ) from None
    except RecursionError:
        raise _refusal("is nested too deeply") from None


def _decoded(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise _refusal("starts with a byte order mark, which JSON does not allow")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _refusal(f"is not valid UTF-8 at byte {error.start + 1}") from None
    if not text or text.isspace():
        raise BadRequest("The request has no JSON body.")
    return text


def _refuse_depth(data: bytes, max_depth: int) -> None:
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    if any(depth > max_depth for depth in accumulate(map(_BRACKETS.__getitem__, brackets))):
        raise _refusal(f"is nested deeper than {max_depth} levels")


def _refuse_lone_surrogates(text: str) -> None:
    for escape in _ESCAPE.finditer(text):
        if escape["lone"] is not None:
            raise _refusal(f"has a lone surrogate at character {escape.start() + 1}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        shown = json.dumps(key[:_KEY_SHOWN_CHARS], ensure_ascii=False)
        raise _refusal(f"has a duplicate key {shown}")
    return members


def _integer(digits: str) -> int:
    _refuse_length(digits)
    return int(digits)


def _float(digits: str) -> float:
    _refuse_length(digits)
    number = float(digits)
    if math.isinf(number):
        raise _refusal(f"has a number beyond the range of a double, {digits[:_KEY_SHOWN_CHARS]}")
    return number


def _refuse_length(digits: str) -> None:
    if len(digits) > NUMBER_MAX_DIGITS:
        raise _refusal(f"has a number of more than {NUMBER_MAX_DIGITS} digits")


def _constant(name: str) -> NoReturn:
    raise _refusal(f"has {name}, which is not a JSON number")


def _refusal(reason: str) -> BadRequest:
    return BadRequest(f"The JSON body {reason}.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
