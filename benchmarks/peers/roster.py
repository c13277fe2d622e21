"""Who takes part, and on which server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

_BIN = Path(sys.executable).parent
_BENCHMARKS = Path(__file__).parents[1]
OWN = "carboy"
THREADS = 4


@dataclass(frozen=True)
class Peer:
    """A framework with its service.

    :param package: its distribution, whose version is stated.
    :param server: ``granian``, ``gunicorn``, ``uvicorn``; ``carboy`` is ``carboy run``.
    :param interface: ``wsgi`` or ``asgi``.
    :param framework: whether it is one; what is none sets the floor and wins nothing.
    :param own: whether it is Carboy.
    :param settings: of its environment, beside those that all have.
    """

    name: str
    title: str
    package: str
    server: str
    interface: str = "wsgi"
    framework: bool = True
    own: bool = False
    settings: tuple[tuple[str, str], ...] = ()

    def command(self, port: int) -> list[str]:
        """Say how its service is started: one worker process, with threads as suit it."""
        name = OWN if self.own else self.name.replace("-", "_")
        target = f"peers.services.{name}_service:app"
        return [str(_BIN / self.server), *_ARGUMENTS[self.server](self, port), target]

    def on(self, server: str) -> Peer:
        """Give it on another server."""
        return replace(self, server=server)


def _granian(peer: Peer, port: int) -> Sequence[str]:
    # More would take the interpreter's lock from each other: with four, Falcon's JSON took twice
    # the processor time, and reads from a database gained nothing.
    threads = ["--blocking-threads", "1"] if peer.interface == "wsgi" else []
    return [
        *("--interface", peer.interface, "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--no-ws", "--log-level", "warning", *threads),
    ]


def _gunicorn(_peer: Peer, port: int) -> Sequence[str]:
    return [
        *("--bind", f"127.0.0.1:{port}", "--workers", "1", "--worker-class", "gthread"),
        *("--threads", str(THREADS), "--keep-alive", "75", "--no-control-socket"),
        *("--log-level", "warning"),
    ]


def _carboy(_peer: Peer, _port: int) -> Sequence[str]:
    return ["run"]  # all else is in the environment, see running.py


def _uvicorn(_peer: Peer, port: int) -> Sequence[str]:
    return [
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
    ]


_ARGUMENTS = {"carboy": _carboy, "granian": _granian, "gunicorn": _gunicorn, "uvicorn": _uvicorn}
PEERS = {
    peer.name: peer
    for peer in (
        Peer(OWN, "Carboy, everything on", "carboy", "carboy", own=True),
        Peer(
            "carboy-granian", "… with SERVER=granian", "carboy", "carboy",
            own=True, settings=(("SERVER", "granian"),),
        ),
        Peer(
            "carboy-sources", "… not compiled", "carboy", "carboy",
            own=True, settings=(("PYTHONPATH", f"{_BENCHMARKS}:{_BENCHMARKS.parent / 'src'}"),),
        ),
        Peer("wsgi", "bare WSGI", "orjson", "granian", framework=False),
        Peer("falcon", "Falcon + orjson", "falcon", "granian"),
        Peer("litestar", "Litestar", "litestar", "granian", "asgi"),
        Peer("fastapi", "FastAPI", "fastapi", "uvicorn", "asgi"),
        Peer("apiflask", "APIFlask", "apiflask", "gunicorn"),
        Peer("smorest", "flask-smorest", "flask-smorest", "gunicorn"),
        Peer("rest-framework", "Django REST framework", "djangorestframework", "gunicorn"),
        Peer("ninja", "django-ninja", "django-ninja", "gunicorn"),
        Peer("flask", "Flask + extensions", "flask", "gunicorn"),
    )
}  # fmt: skip
