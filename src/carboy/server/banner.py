"""What a person at a terminal reads when the server is up."""

from __future__ import annotations

import sys
from typing import Any

from carboy import __version__
from carboy.server.listening import address
from carboy.settings import Settings

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def announce(settings: Settings, listens_at: tuple[Any, ...]) -> None:
    """Print where the server listens, if anybody needs to be told.

    A person in Development does; so does whoever asked for a free port (``HTTP_PORT=0``)
    and reads ``Listening at URL`` from standard output. Everyone else has the log.

    :param listens_at: as ``getsockname`` gives it.
    """
    host, port = listens_at[:2]
    if sys.stdout.isatty() and settings.APP_ENV == "Development":
        url = f"http://{address(_ANY_ADDRESS.get(host, host), port)}"
        docs = f"API docs: {url}/docs\n" if settings.API_DOCS else ""
        _say(f"Carboy {__version__}, {settings.APP_ENV}: {url} (stop it with Ctrl-C)\n{docs}")
    elif settings.HTTP_PORT == 0:
        _say(f"Listening at http://{address(host, port)}\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
