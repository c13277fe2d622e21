"""Whether this Carboy is one of machine code."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def is_compiled() -> bool:
    """Tell whether what runs for every request was compiled when this package was built.

    It does the same either way; see ``docs/compiled.md``.
    """
    place = Path(__file__).parent / "crate"
    return any((place / f"crate{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
