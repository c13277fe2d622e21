"""What was said before the command's name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Invocation:
    """The options of ``carboy`` itself.

    :param app: ``MODULE:APP``, ``None`` to look in the current folder.
    :param debug: show tracebacks.
    """

    app: str | None
    debug: bool
