"""An app, served by ``carboy run`` on a free port of this machine for as long as a test takes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from carboy.errors import CarboyError
from carboy.load.lifeline import end_with
from carboy.load.plan import LoadError
from carboy.load.target import status_of

READY_TIMEOUT_S = 60.0
# Longer than any sensible GUNICORN_GRACEFUL_TIMEOUT with STOP_DELAY_S.
STOP_TIMEOUT_S = 90.0
_LOG_LINES_SHOWN = 5
_UNAVAILABLE = 503
_SERVE = "from carboy.load.service import serve; serve()"


class Service:
    """The app at work; made by :func:`started`."""

    def __init__(self, app: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.app = app
        self.url = ""
        self._process = process
        self._log = log

    def wait_until_ready(self) -> None:
        """Wait for the port, then for readiness.

        :raises CarboyError: as the app or the server said it, if it ended; or if it is
            still not ready after ``READY_TIMEOUT_S``.
        """
        line = self._process.stdout.readline().decode() if self._process.stdout else ""
        found = re.fullmatch(r"Listening at (\S+)\n", line)
        if found is None:
            self._process.wait(STOP_TIMEOUT_S)
            raise self._refusal()
        self.url = found[1]
        deadline = time.monotonic() + READY_TIMEOUT_S
        while status_of(f"{self.url}/health/ready") in (None, _UNAVAILABLE):
            if self._process.poll() is not None:
                raise self._refusal()
            if time.monotonic() > deadline:
                raise LoadError(
                    f"{self.app} was not ready after {READY_TIMEOUT_S:.0f} s: /health/ready "
                    "answers 503. Run it alone to see why: carboy run " + self.app
                )
            time.sleep(0.05)

    def check_alive(self) -> None:
        """Make sure that it has served to the end.

        :raises LoadError: if it has not.
        """
        status = self._process.poll()
        if status is not None:
            raise LoadError(
                f"{self.app} ended during the test, with status {status}. {self._last_words()}"
            )

    def stop(self) -> None:
        """Let requests in flight be answered, then end it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, with its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _refusal(self) -> LoadError:
        said = [line for line in self._lines() if line.startswith("Error: ")]
        message = "\n".join(line.removeprefix("Error: ") for line in said)
        kind = type("ServiceRefused", (LoadError,), {"exit_code": self._process.returncode or 1})
        refused: LoadError = kind(message or f"{self.app} did not start. {self._last_words()}")
        return refused

    def _last_words(self) -> str:
        lines = self._lines()[-_LOG_LINES_SHOWN:]
        if not lines:
            return "It wrote nothing to its log."
        return "Its log ends with:\n" + "\n".join(lines)

    def _lines(self) -> list[str]:
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()


@contextmanager
def started(app: str, log: Path | None = None) -> Iterator[Service]:
    """Serve *app* until the block is left, with the settings there are but for its address.

    :param app: ``MODULE:APP``, as for :func:`carboy.server.discovery.find`.
    :param log: file for its log; by default one that is thrown away.
    :raises CarboyError: see :meth:`Service.wait_until_ready`.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if name not in _ADDRESS},
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": "0",
    }
    with _opened(log) as (path, file):
        process = subprocess.Popen(  # noqa: S603 - our own interpreter; no shell
            [sys.executable, "-c", _SERVE, app, str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the test, which then stops the service
        )
        service = Service(app, process, path)
        try:
            service.wait_until_ready()
            yield service
        except BaseException:
            service.stop()
            raise
        else:
            service.stop()
        finally:
            if process.stdout:
                process.stdout.close()


def serve() -> None:
    """Be the service: the process that :func:`started` starts."""
    app, parent = sys.argv[1:]
    end_with(int(parent))
    from carboy.server import running  # gunicorn and Flask take their time

    try:
        running.run(app)
    except CarboyError as error:
        error.show()
        raise SystemExit(error.exit_code) from None


@contextmanager
def _opened(log: Path | None) -> Iterator[tuple[Path, BinaryIO]]:
    if log is not None:
        with log.open("wb") as file:
            yield log, file
        return
    with tempfile.NamedTemporaryFile(prefix="carboy-load-", suffix=".log") as kept:
        yield Path(kept.name), kept.file  # type: ignore[misc]


_ADDRESS = frozenset({"HTTP_HOST", "HTTP_PORT", "PORT", "HTTP_HOST_FILE", "HTTP_PORT_FILE"})
