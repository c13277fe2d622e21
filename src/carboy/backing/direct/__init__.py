"""Statements on the driver's own connection, where nobody could tell the difference.

Between a statement and its rows SQLAlchemy does much that most statements do not need: it makes
objects, keeps them, and tells whoever listens. What needs none of it is executed here, rendered
once and prepared by the driver. Everything else goes through SQLAlchemy, as ever.
"""

from carboy.backing.direct.lane import Lane
from carboy.backing.direct.prepared import Bound, Prepared

__all__ = ["Bound", "Lane", "Prepared"]
