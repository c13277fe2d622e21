"""How one setting is declared: type, default, meaning, limits."""

from __future__ import annotations

import math
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

_FALSE = {"0", "false", "no", "off", "n", "f"}
_TRUE = {"1", "true", "yes", "on", "y", "t"}


REQUIRED = object()
"""The default of a setting that must be given, declared as ``NAME: str``."""


class Setting(NamedTuple):
    """One setting as a class declares it; see :func:`setting`."""

    default: Any = REQUIRED
    doc: str = ""
    secret: bool = False
    env: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    group: str = "Project"


def setting(  # noqa: PLR0913 - each is a keyword with a default
    default: Any,
    doc: str,
    *,
    secret: bool = False,
    env: tuple[str, ...] = (),
    min: float | None = None,  # noqa: A002 - the field's own word
    max: float | None = None,  # noqa: A002
    group: str = "Project",
) -> Any:
    """Declare a setting in a subclass of :class:`~carboy.settings.Settings`.

    :param default: used when no source names a value.
    :param doc: its meaning in one or two sentences, units included.
    :param secret: never print the value; in URLs, the password.
    :param env: variables to read, first match wins; by default the setting's own name.
    :param min: smallest value allowed.
    :param max: largest value allowed.
    :param group: heading under which ``carboy settings`` and the docs list it.
    :return: a declaration; typed ``Any`` so that ``PORT: int = setting(...)`` type-checks.
    """
    return Setting(default, doc, secret, env, min, max, group)


def parse(annotation: Any, declared: Setting, raw: Any) -> Any:
    """Turn what a source gave into the declared type.

    :param annotation: ``str``, ``int``, ``float``, ``bool``, ``Path``, ``Literal[...]``,
        ``tuple[T, ...]`` (comma-separated) or one of them ``| None``. A secret that is
        text may be ``bytes`` in code.
    :param raw: text from the environment, or a value given in code.
    :raises ValueError: with the reason, without the value.
    """
    kind, optional = _without_none(annotation)
    if raw is None or (raw == "" and optional):
        if optional:
            return None
        raise ValueError("a value is needed")
    origin = get_origin(kind)
    if origin is tuple:
        item = get_args(kind)[0]
        parts = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(parts, list | tuple | set | frozenset):
            raise ValueError("write a list, separated by commas")
        texts = [part.strip() if isinstance(part, str) else part for part in parts]
        return tuple(parse(item, declared, text) for text in texts if text != "")
    if origin is Literal:
        choices = get_args(kind)
        for choice in choices:
            if str(raw).lower() == str(choice).lower():
                return choice
        raise ValueError(f"use one of {', '.join(map(str, choices))}")
    if kind is bool:
        return _boolean(raw)
    if kind is Path:
        return Path(raw)
    return _scalar(kind, declared, raw)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind not in (NoneType, bytes)]
        if len(kinds) == 1:
            return kinds[0], NoneType in get_args(annotation)
    return annotation, False


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("use true or false")


def _scalar(kind: Any, declared: Setting, raw: Any) -> Any:
    if kind is str:
        if isinstance(raw, bytes) and declared.secret:
            return raw
        if not isinstance(raw, str):
            raise ValueError("write text")
        return raw.strip()
    if kind not in (int, float):
        raise TypeError(f"A setting cannot be of type {kind!r}: use str, int, float, bool or Path.")
    wanted = _wanted(kind, declared)
    try:
        value = kind(raw)
    except (TypeError, ValueError):
        raise ValueError(wanted) from None
    too_small = declared.min is not None and value < declared.min
    too_large = declared.max is not None and value > declared.max
    if not math.isfinite(value) or too_small or too_large or value != float(raw):
        raise ValueError(wanted)
    return value


def _wanted(kind: Any, declared: Setting) -> str:
    noun = "a whole number" if kind is int else "a number"
    low, high = declared.min, declared.max
    if low is not None and high is not None:
        return f"use {noun} from {low} to {high}"
    if low is not None:
        return f"use {noun} of {low} or more"
    if high is not None:
        return f"use {noun} up to {high}"
    return f"use {noun}"
