"""What is seen of one request, in the order in which it was seen."""

import re

import flask

SEEN = []
"""Emptied before every request."""

KEPT = []
"""Files that a request was given, to see whether they were closed."""


def text(value):
    """Write a value so that two apps write it alike, wherever their contexts are defined."""
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {text(str(value))}"
    written = re.sub(r"\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT", "a date", repr(value))
    written = re.sub(r" at 0x\w+", "", written)
    # Where it was noticed depends on how many calls are around.
    written = re.sub(r"(maximum recursion depth exceeded) [\w ]+", r"\1", written)
    return written.replace("<carboy.fast.flask.context.", "<flask.ctx.")


def note(*what):
    """Remember that something happened."""
    SEEN.append(tuple(one if isinstance(one, str) else text(one) for one in what))


def contexts():
    """Say which contexts are there."""
    return f"{flask.has_app_context()} {flask.has_request_context()}"
