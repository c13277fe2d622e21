"""granian itself, and the little of it that is used."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from carboy.errors import CarboyError
from carboy.server.granian.promises import Loop
from carboy.server.listening import turn_newcomers_away
from carboy.settings import Settings

# What is used of granian is not all meant for others: these versions are tried, and hold.
_KNOWN = ((2, 8, 9), (2, 9, 0))
# Never: a thread that ends takes its thread-local objects along, and a crew counts on it.
_IDLE_S = 10 * 365 * 24 * 3600
_HEAD_BYTES = 64 * 1024


class Engine:
    """One worker's share of granian: its own threads for sockets, and some to call from.

    :param listener: the port, shared with the other workers.
    :param settings: the server's.
    :param backlog: connections the kernel may queue.
    :param connections: how many may be open at once.
    :param threads: how many call from there.
    :raises CarboyError: if granian is missing or of another kind than known.

    :ivar ended: set when everything that was accepted is answered.
    """

    def __init__(
        self, listener: Any, settings: Settings, *, backlog: int, connections: int, threads: int
    ) -> None:
        native = _native()
        self._fd = os.dup(listener.fileno())
        self._loop = Loop()
        self._signal = native.WorkerSignal()
        self._scheduler: type[Any] = native.CallbackScheduler
        self.ended = threading.Event()
        try:
            self._worker = _worker(native, self._fd, settings, (backlog, connections, threads))
        except (TypeError, AttributeError) as error:
            self.close()
            raise CarboyError(_unknown(_version())) from error

    def close(self) -> None:
        """Let go of the port, when it was never started."""
        os.close(self._fd)

    def start(self, handle: Callable[[Any], None]) -> None:
        """Accept connections; *handle* is called with every request, by several threads."""
        # Its lines at INFO are about connections that clients end, and about itself.
        logging.getLogger("_granian").setLevel(logging.WARNING)
        self._signal.add_cb(self.ended.set)
        scheduler = self._scheduler(self._loop, handle, None, None, None)
        scheduler._schedule_fn = handle  # noqa: SLF001 - granian's own way to set it
        self._worker.serve_mtr(scheduler, self._loop, self._signal)

    def stop_accepting(self) -> None:
        """Leave new connections to others, and go on with those there are.

        granian can only do both or neither. So its listening socket is exchanged, under
        the same number, for one to which nobody connects.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            turn_newcomers_away(deaf)
            deaf.listen(1)
            deaf.setblocking(False)  # noqa: FBT003 - the standard library's signature
            os.dup2(deaf.fileno(), self._fd)

    def finish(self) -> None:
        """Close connections that wait for a request, the others after their answers."""
        self._signal.set()


def check(settings: Settings) -> None:
    """Make sure that granian is there and is what it is taken for.

    :raises CarboyError: naming what to install.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as any_socket:
        Engine(any_socket, settings, backlog=1, connections=1, threads=1).close()


def _native() -> Any:
    try:
        version = _version()
    except ImportError as error:
        raise CarboyError(
            "SERVER=granian needs granian. Install it with: pip install 'carboy[fast]'"
        ) from error
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    if not _KNOWN[0] <= numbers < _KNOWN[1]:
        raise CarboyError(_unknown(version))
    return import_module("granian._granian")


def _version() -> str:
    import granian  # an extra

    return granian.__version__


def _unknown(version: str) -> str:
    return (
        f"SERVER=granian does not know granian {version}. Install another with: "
        "pip install 'carboy[fast]', or set SERVER=gunicorn."
    )


def _worker(native: Any, fd: int, settings: Settings, bounds: tuple[int, int, int]) -> Any:
    from granian.http import HTTP1Settings  # an extra

    backlog, connections, threads = bounds
    has_backlog = sys.platform.startswith(("linux", "freebsd"))
    holder = native.SocketHolder(fd, False, *([backlog] if has_backlog else []))  # noqa: FBT003
    read_s = max(settings.HTTP_READ_TIMEOUT_S, settings.GUNICORN_KEEPALIVE)
    return native.ASGIWorker(
        worker_id=1,
        sock=(None, holder),
        ipc=None,
        threads=1,
        blocking_threads=1,
        py_threads=threads,
        py_threads_idle_timeout=_IDLE_S,
        backpressure=connections,
        http_mode="1",
        http1_opts=HTTP1Settings(
            header_read_timeout=int(read_s * 1000),
            keep_alive=settings.GUNICORN_KEEPALIVE > 0,
            max_buffer_size=_HEAD_BYTES,
        ),
        websockets_enabled=False,
        ssl_crl=[],
    )
