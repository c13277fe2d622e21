"""Memory that one request has freed, for the next one."""

from __future__ import annotations

__all__ = ["BLOCK_BYTES", "keep"]

BLOCK_BYTES = 4 * 1024 * 1024
"""Blocks up to this size are kept, and of each thread twice as much in all."""


def keep() -> None:
    """Have the C library keep some freed megabytes instead of giving them back at once.

    By default glibc returns what is free at the end of a thread's memory as soon as it is more
    than twice the largest block that was ever freed: after each upload of a megabyte all of it,
    and the next one pays for new pages, which took longer than to read and parse it. A block
    that is freed moves the threshold. Other C libraries go their own ways.

    Source: mallopt(3), ``M_MMAP_THRESHOLD`` and ``M_TRIM_THRESHOLD``.
    """
    bytearray(BLOCK_BYTES)
