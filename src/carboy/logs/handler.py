"""The handler of this package."""

from __future__ import annotations

import logging
from typing import TextIO


class Output(logging.StreamHandler[TextIO]):
    """The handler that :func:`carboy.logs.configure` gives the root logger."""
