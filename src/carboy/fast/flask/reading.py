"""Bodies of a known length, read in as few steps as their source has them."""

from __future__ import annotations

from typing import IO

from werkzeug.exceptions import ClientDisconnected

__all__ = ["exactly"]


def exactly(source: IO[bytes], length: int) -> bytes:
    """Read just *length* bytes.

    :raises ClientDisconnected: if there are fewer, as Werkzeug does.
    """
    try:
        data = source.read(length) if length else b""
        while len(data) < length:
            more = source.read(length - len(data))
            if not more:
                raise ClientDisconnected
            data += more
    except (OSError, ValueError) as error:
        raise ClientDisconnected from error
    return data
