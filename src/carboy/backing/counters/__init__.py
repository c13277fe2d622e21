"""Counters that every process sees: in memory, in a SQLite file, or on Redis."""

from carboy.backing.counters.circuit import Circuit
from carboy.backing.counters.opening import open_counters
from carboy.backing.counters.window import CountersDown, Level, Window

__all__ = ["Circuit", "CountersDown", "Level", "Window", "open_counters"]
