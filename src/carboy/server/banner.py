"""What a person at a terminal reads when the server is up."""

from __future__ import annotations

import sys
from typing import Any

from carboy import __version__
from carboy.settings import Settings

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def announce(settings: Settings, address: tuple[Any, ...]) -> None:
    """Print where the server listens, if anybody needs to be told.

    A person in Development does; so does whoever asked for a free port (``HTTP_PORT=0``)
    and reads ``Listening at URL`` from standard output. Everyone else has the log.

    :param address: as ``getsockname`` gives it.
    """
    host, port = address[:2]
    if sys.stdout.isatty() and settings.APP_ENV == "Development":
        url = _url(_ANY_ADDRESS.get(host, host), port)
        docs = f"API docs: {url}/docs\n" if settings.API_DOCS else ""
        _say(f"Carboy {__version__}, {settings.APP_ENV}: {url} (stop it with Ctrl-C)\n{docs}")
    elif settings.HTTP_PORT == 0:
        _say(f"Listening at {_url(host, port)}\n")


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
