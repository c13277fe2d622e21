"""``carboy run``: from an app's name to a server on its port."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import carboy.server.first_import  # noqa: F401 - before whatever imports gunicorn

# isort: split
from carboy import logs
from carboy.server.listening import bind
from carboy.server.metrics_folder import forget_process, metrics_folder
from carboy.server.options import options
from carboy.server.preflight import preflight
from carboy.server.sharing import share


def run(target: str | None = None, *, reload: bool = False, debug: bool = False) -> NoReturn:
    """Serve the app until a signal ends it; this process becomes the server's master.

    In this order: import libraries that the app imports, load the app and its settings, take
    the port, run the app's ``carboy.start`` callables, listen, start the workers.

    :param target: as for :func:`carboy.server.discovery.find`.
    :param reload: restart workers when a source file changes, as ``RELOAD`` does.
    :param debug: write tracebacks of an app that cannot be loaded.
    :raises CarboyError: if the app, its settings or the port do not allow a start.
    :raises SystemExit: when the server ends: 0 after a signal asked it to.
    """
    if reload:
        os.environ["RELOAD"] = "true"  # so that the app and its checks know, too
    # Nothing listens to signals yet, and as process 1 of a container the default is to
    # ignore SIGTERM.
    signal.signal(signal.SIGTERM, _leave)
    with metrics_folder(), _quiet_interrupt():
        share(target)
        with preflight(target, debug=debug) as check:
            settings = check.settings()
            options(settings)  # raises what gunicorn would only print
            port = bind(settings.HTTP_HOST, settings.HTTP_PORT)
            check.start()
        forget_process(check.pid)
        logs.configure(settings)
        from carboy.server.master import Master, Service  # only now is it certain to be needed

        Master(Service(target, settings, debug=debug), port).run()
    raise SystemExit(0)


@contextmanager
def _quiet_interrupt() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def _leave(signum: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
