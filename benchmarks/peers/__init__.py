"""Carboy and its peers side by side, on the same API and the same database: ``make bench``."""
