"""gunicorn, imported without WEB_CONCURRENCY: it reads that at once, and fails if it is no number.

The settings read it as well, and say what is wrong with it in one line.
"""

from __future__ import annotations

import os
from importlib import import_module

_VARIABLE = "WEB_CONCURRENCY"

_given = os.environ.pop(_VARIABLE, None)
try:
    import_module("gunicorn.config")
finally:
    if _given is not None:
        os.environ[_VARIABLE] = _given
