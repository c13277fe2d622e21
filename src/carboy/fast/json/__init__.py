"""Strict JSON: what is read is exactly what was meant, and what is written every reader accepts."""

from carboy.fast.json.reading import NUMBER_MAX_DIGITS, loads
from carboy.fast.json.writing import dumps

__all__ = ["NUMBER_MAX_DIGITS", "dumps", "loads"]
