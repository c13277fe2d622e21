"""Exports: a whole list as CSV or NDJSON, streamed in constant memory."""

from carboy.api.exports.body import Format
from carboy.api.exports.streaming import export, exports

__all__ = ["Format", "export", "exports"]
