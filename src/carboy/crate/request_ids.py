"""Ids of requests, made before they are needed."""

from __future__ import annotations

import os
from typing import Final

_BYTES: Final = 16
_AT_ONCE: Final = 256

# One store for the process: ids of two apps in it must differ as well.
_ready: list[str] = []


def new_id() -> str:
    """Give 32 hexadecimal digits that nobody was given before and nobody can guess.

    They are 128 random bits of the operating system, drawn for many requests at once
    because the call costs more than all else here. No two threads take the same one, as
    ``list.pop`` is atomic, and a process that was forked throws away what it inherited.
    """
    try:
        return _ready.pop()
    except IndexError:
        made = os.urandom(_BYTES * _AT_ONCE).hex("-", _BYTES).split("-")
        own = made.pop()
        _ready.extend(made)
        return own


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_ready.clear)
