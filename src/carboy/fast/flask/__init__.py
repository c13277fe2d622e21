"""Flask, without the work that nobody observes.

:class:`Flask` is a :class:`flask.Flask`: same routes, hooks, signals, sessions, errors and answers,
byte for byte. An ordinary request skips what nothing looks at; whatever this package does not
know goes through Flask's own code.
"""

from carboy.fast.flask.flask import Flask

__all__ = ["Flask"]
