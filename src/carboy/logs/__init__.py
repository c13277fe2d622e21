"""The standard ``logging`` module, set up from settings, with the request's ids on every record.

Nothing here replaces ``logging``: views and libraries log as they always did, and a
project that configured logging itself keeps what it configured.
"""

from carboy.logs.configuration import coloured, configure, enable_again
from carboy.logs.escaping import printable
from carboy.logs.formats import make_formatter
from carboy.logs.lines import Lines
from carboy.logs.output import Shortcut, write_line
from carboy.logs.records import NO_ID, SelfWritten, current_ids, mark_records

__all__ = [
    "NO_ID",
    "Lines",
    "SelfWritten",
    "Shortcut",
    "coloured",
    "configure",
    "current_ids",
    "enable_again",
    "make_formatter",
    "mark_records",
    "printable",
    "write_line",
]
