"""Flask's JSON, written straight to bytes."""

from __future__ import annotations

import json
from json import encoder
from typing import Any

import orjson
from flask.json.provider import DefaultJSONProvider
from werkzeug.utils import get_content_type

from carboy.fast.flask.context import RequestContext, current
from carboy.fast.flask.plainness import is_plain
from carboy.fast.flask.response import plain

__all__ = ["JSONProvider"]

_DIGITS_TO_ZERO = bytes.maketrans(b"0123456789", b"0000000000")
_MAY_NOT_FIT = b"0" * 19  # digits of the smallest number that orjson would round
_STRIDE, _SUSPICIOUS = 6, b"000"  # of so many digits in a row, every sixth is three in a row
_standard_dumps = json.dumps
_c_make_encoder: Any = getattr(encoder, "c_make_encoder", None)
_AS_IT_IS = orjson.OPT_APPEND_NEWLINE
_SORTED = _AS_IT_IS | orjson.OPT_SORT_KEYS
_CONTAINERS = frozenset({dict, list, tuple})
_NEVER = (None, None, None, None)


class JSONProvider(DefaultJSONProvider):
    """A :class:`~flask.json.provider.DefaultJSONProvider` that writes and reads the same, faster.

    orjson writes what it writes in the same bytes; anything else the standard library's own
    encoder does, which is kept instead of being made anew for each answer. orjson reads, save
    where it would read a number differently; what it refuses the standard library reads, or says
    what is wrong with it.
    """

    _made: tuple[Any, ...] = _NEVER

    def body(self, value: Any) -> bytes | None:
        """Write the body of an answer outside debug mode.

        :return: ``None`` if that is left to :meth:`response`.
        """
        default, ascii_only, sort = self.default, self.ensure_ascii, self.sort_keys
        made = self._made
        if made[0] is not default or made[1] is not ascii_only or made[2] is not sort:
            made = self._made = (default, ascii_only, sort, _encoder(default, ascii_only, sort))
        if made[3] is None or self.compact is False or json.dumps is not _standard_dumps:
            return None
        if type(value) in _CONTAINERS and is_plain(value):
            try:
                body = orjson.dumps(value, option=_SORTED if sort else _AS_IT_IS)
            except TypeError:  # such as a large integer
                pass
            else:
                if not ascii_only or (body.isascii() and b"\x7f" not in body):
                    return body
        try:
            text = "".join(made[3](value, 0))
        except RecursionError:  # a circle, perhaps: the standard library looks for them
            text = self.dumps(value, separators=(",", ":"))
        return f"{text}\n".encode()

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """See :meth:`flask.json.provider.DefaultJSONProvider.response`."""
        context = current()
        if type(context) is RequestContext and context.app.json is self:
            body = self.body(self._prepare_response_obj(args, kwargs))
            if body is not None:
                return plain(body, 200, get_content_type(self.mimetype, "utf-8"))
        return super().response(*args, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """See :meth:`flask.json.provider.DefaultJSONProvider.loads`."""
        if (
            not kwargs
            and type(s) is bytes
            and type(current()) is RequestContext
            and (
                _SUSPICIOUS not in s[::_STRIDE].translate(_DIGITS_TO_ZERO)
                or _MAY_NOT_FIT not in s.translate(_DIGITS_TO_ZERO)
            )
        ):
            try:
                return orjson.loads(s)
            except orjson.JSONDecodeError:
                pass
        return super().loads(s, **kwargs)


def _encoder(default: Any, ascii_only: bool, sort: bool) -> Any:  # noqa: FBT001 - json's words
    """Make the encoder that ``json.dumps`` makes; ``None`` where it has none in C.

    It does not look out for circles, so that threads may share it: one ends in a
    :class:`RecursionError`, upon which the standard library has its say.
    """
    in_c = getattr(encoder, "c_make_encoder", None) is _c_make_encoder is not None
    if not in_c:
        return None
    escape = encoder.encode_basestring_ascii if ascii_only else encoder.encode_basestring
    skip_keys, allow_nan = False, True
    try:
        return _c_make_encoder(None, default, escape, None, ":", ",", sort, skip_keys, allow_nan)
    except TypeError:
        return None
