"""Flask's JSON as bytes: where orjson reads and writes what the standard library would."""

from __future__ import annotations

import json
from json import encoder
from typing import Any, Final

import orjson
from flask.json.provider import DefaultJSONProvider

from carboy.fast.flask.plainness import is_plain

__all__ = [
    "MANNER",
    "OWN",
    "SET",
    "SETTINGS",
    "Manner",
    "Own",
    "body_of",
    "manner_of",
    "value_of",
]

MANNER: Final = "_carboy_manner"
"""Where a provider keeps its own."""
SET: Final = "_carboy_set"
"""Where it has another object whenever something was set on it."""
SETTINGS: Final = ("compact", "default", "ensure_ascii", "mimetype", "sort_keys")
"""What of it decides how it writes."""

_DIGITS_TO_ZERO: Final = bytes.maketrans(b"0123456789", b"0000000000")
_MAY_NOT_FIT: Final = b"0" * 19  # digits of the smallest number that orjson would round
_STRIDE: Final = 6
_SUSPICIOUS: Final = b"000"  # of so many digits in a row, every sixth is three in a row
_dumps: Final = orjson.dumps
_loads: Final = orjson.loads
_DefaultJSONProvider: Final = DefaultJSONProvider
_library: Final[dict[str, Any]] = vars(json)
_standard_dumps: Final = json.dumps
_standard_loads: Final = json.loads
_c_make_encoder: Final[Any] = getattr(encoder, "c_make_encoder", None)
_AS_IT_IS: Final = orjson.OPT_APPEND_NEWLINE
_SORTED: Final = _AS_IT_IS | orjson.OPT_SORT_KEYS


class Own:
    """What the plan that was made last has found of the classes of this package.

    :ivar untouched: nobody has replaced one of their methods.
    :ivar state: another object each time.
    """

    def __init__(self) -> None:
        self.untouched = True
        self.state = object()


OWN: Final = Own()


class Manner:
    """How a provider writes, as long as nothing is set on it or on its class.

    :param provider: whose attributes are looked up once.
    :ivar encoder: of the standard library; ``None``: its ``response`` has to make the answer.
    :ivar mimetype: of the answer.
    """

    def __init__(self, provider: Any) -> None:
        own: dict[str, Any] = provider.__dict__
        kind: Any = type(provider)
        # First: what is set from here on counts from the next answer on.
        self.set = own.get(SET)
        self.state = OWN.state
        self.ascii_only = provider.ensure_ascii
        self.sort = provider.sort_keys
        self.mimetype = provider.mimetype
        self.encoder: Any = None
        if (
            OWN.untouched
            and provider.compact is not False
            and "dumps" not in own
            and "response" not in own
            and kind.dumps is _DefaultJSONProvider.dumps
            and not any(_is_computed(kind, name) for name in SETTINGS)
        ):
            self.encoder = _encoder(provider.default, self.ascii_only, self.sort)

    def __reduce__(self) -> tuple[type[bool], tuple[()]]:
        return bool, ()  # what is pickled or copied deeply makes its own


def _is_computed(kind: type, name: str) -> bool:
    """Tell whether a class has something in the place of a setting that may say anything."""
    place = next(one for one in kind.__mro__ if name in vars(one))
    return name != "default" and hasattr(vars(place)[name], "__get__")


def manner_of(provider: Any) -> Manner:
    """Give how a provider writes, which it keeps until something is set on it."""
    own: dict[str, Any] = provider.__dict__
    kept = own.get(MANNER)
    if isinstance(kept, Manner) and kept.set is own.get(SET) and kept.state is OWN.state:
        return kept
    made = Manner(provider)
    own[MANNER] = made
    return made


def body_of(provider: Any, manner: Manner, value: Any) -> bytes | None:
    """Write the body of an answer outside debug mode.

    :return: ``None`` if that is left to the provider's ``response``.
    """
    if manner.encoder is None or _library["dumps"] is not _standard_dumps:
        return None
    ascii_only = manner.ascii_only
    try:
        body: bytes | None = None
        if is_plain(value):
            body = _dumps(value, None, _SORTED if manner.sort else _AS_IT_IS)
    except (RuntimeError, TypeError):  # another thread changes it; such as a large integer
        body = None
    if body is not None and (not ascii_only or (body.isascii() and b"\x7f" not in body)):
        return body
    try:
        text = "".join(manner.encoder(value, 0))
    except RecursionError:  # a circle, perhaps: the standard library looks for them
        text = provider.dumps(value, separators=(",", ":"))
    return f"{text}\n".encode()


def value_of(data: bytes) -> Any:
    """Read a document.

    :raises ValueError: if the standard library has to, since there may be a number in it that
        orjson would round, or to say what is wrong.
    """
    if _library["loads"] is not _standard_loads:
        raise ValueError("somebody else reads JSON")
    if _SUSPICIOUS in data[::_STRIDE].translate(_DIGITS_TO_ZERO) and (
        _MAY_NOT_FIT in data.translate(_DIGITS_TO_ZERO)
    ):
        raise ValueError("a number may not fit")
    return _loads(data)


def _encoder(default: Any, ascii_only: Any, sort: Any) -> Any:
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
