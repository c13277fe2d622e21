"""Locust at work: the process that sends the requests, told what to do on standard input.

The first line there is the plan; when standard input is closed, the test ends early, so none
outlives whoever asked for it. It answers with lines of JSON on a pipe of their own, as
locustfiles may print: ``started``, ``progress`` every second, and ``result``; or ``refused``
with the reason.
"""

# Locust's hooks and its main have no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import locust  # replaces sockets, threads and sleep: before whatever uses them
import locust.stats
from locust.env import Environment
from locust.main import main as run_locust
from locust.runners import LocalRunner

from carboy.load.hook import Requests
from carboy.load.recorder import Recorder
from carboy.load.routes import RouteNames

_PROGRESS_INTERVAL_S = 1.0
_PLOT_POINTS = 60
_PLOT_INTERVAL_MAX_S = 5.0
_ERROR_LENGTH_MAX = 200


class Complaints(logging.Handler):
    """Keeps the last error that Locust logged: what it says before it gives up.

    Nothing is written: exceptions of users are counted, not repeated a thousand times.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """See :class:`logging.Handler`."""
        self.last = record.getMessage().strip()


class Driver:
    """One test.

    :param plan: as ``session`` writes it.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._recorder = Recorder()
        self._exceptions: Counter[tuple[str, str]] = Counter()
        self._complaints = Complaints()
        self._refusal = ""
        self._environment: Environment | None = None

    def run(self) -> None:
        """Let Locust's own command line do it, so that all of its options and hooks work."""
        events = locust.events
        events.init.add_listener(self._begin)
        events.test_start.add_listener(self._forget)
        events.reset_stats.add_listener(self._forget)
        events.user_error.add_listener(self._note_exception)
        events.quit.add_listener(self._report)
        options = list(self._plan["options"])
        if not any(option.startswith(("--log", "-L")) for option in options):
            options.append("--skip-log-setup")
            logging.getLogger().addHandler(self._complaints)
        sys.argv = ["locust", *options]
        try:
            run_locust()
        except SystemExit as left:
            if self._environment is None:
                self._send(refused=self._refusal or self._why(left))
            raise
        except Exception as error:
            if self._environment is not None:
                raise
            self._send(refused=self._why(error))

    def _begin(self, environment: Environment, runner: Any, web_ui: Any, **_rest: Any) -> None:
        if type(runner) is not LocalRunner:
            self._refuse(
                "`carboy load` sends its requests from one process. For workers, leave out "
                "--master, --worker and --processes here, or run `locust` itself."
            )
        page = f"http://{web_ui.host}:{web_ui.port}" if web_ui else None
        if web_ui and not _is_free(web_ui.host, web_ui.port):
            self._refuse(
                f"{page} is in use, perhaps by Locust's page of another test. End that, "
                "or choose another port: -- --web-port 8090"
            )
        self._environment = environment
        logging.getLogger("locust.stats_logger").disabled = True  # the figures are shown by us
        locust.stats.PERCENTILES_TO_CHART = [0.5, 0.95, 0.99]
        locust.stats.HISTORY_STATS_INTERVAL_SEC = min(
            _PLOT_INTERVAL_MAX_S, max(0.5, self._plan["time_s"] / _PLOT_POINTS)
        )
        names = RouteNames(self._plan["paths"], self._plan["url"])
        environment.events.request = Requests(environment.events.request, names, self._recorder)
        environment.events.spawning_complete.add_listener(self._after_spawning)
        self._send(started=True, has_shape=environment.shape_class is not None, page=page)
        for task in (self._tell_progress, self._end_early):
            threading.Thread(target=task, daemon=True).start()

    def _refuse(self, message: str) -> NoReturn:
        self._refusal = message
        raise SystemExit(1)

    def _forget(self, **_rest: Any) -> None:
        self._recorder.clear()
        self._exceptions.clear()

    def _after_spawning(self, **_rest: Any) -> None:
        if self._environment is not None and self._environment.reset_stats:
            self._forget()

    def _note_exception(self, exception: BaseException, tb: Any, **_rest: Any) -> None:
        own = [
            frame
            for frame in traceback.extract_tb(tb)
            if Path(frame.filename).name == Path(self._plan["locustfile"]).name
        ]
        where = f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""
        error = f"{type(exception).__name__}: {exception}"[:_ERROR_LENGTH_MAX]
        self._exceptions[error, where] += 1

    def _tell_progress(self) -> None:
        while self._environment is not None and self._environment.runner is not None:
            time.sleep(_PROGRESS_INTERVAL_S)
            total = self._environment.stats.total
            self._send(
                progress={
                    "users": self._environment.runner.user_count,
                    "requests": self._recorder.requests,
                    "failed": self._recorder.failed,
                    "requests_per_s": round(total.current_rps, 1),
                    "p95_ms": total.get_current_response_time_percentile(0.95)
                    or total.get_response_time_percentile(0.95),
                }
            )

    def _end_early(self) -> None:
        """Wait until standard input is closed; requests in flight may then be answered."""
        select.select([sys.stdin], [], [])
        if self._environment is not None and self._environment.runner is not None:
            self._environment.runner.quit()
            if self._environment.web_ui is not None:
                self._environment.web_ui.stop()

    def _report(self, **_rest: Any) -> None:
        if self._environment is None:
            return
        runner = self._environment.runner
        exceptions = [
            {"count": count, "error": error, "where": where}
            for (error, where), count in self._exceptions.most_common()
        ]
        self._send(
            result={
                **self._recorder.summary(),
                "exceptions": exceptions,
                "generator_was_busy": bool(runner and runner.cpu_warning_emitted),
            }
        )

    def _why(self, error: BaseException) -> str:
        name = self._plan["locustfile"]
        if isinstance(error, SystemExit):
            if error.code == 2:  # noqa: PLR2004 - argparse's status
                return "Locust does not take these options; what is wrong is written above."
            said = self._complaints.last or f"it left with status {error.code}"
            return f"Locust cannot use {name}. It says: {said}"
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == name), None)
        place = f" (line {line})" if line else ""
        return f"{name} cannot be loaded: {type(error).__name__}: {error}{place}. Correct it."

    def _send(self, **message: Any) -> None:
        with contextlib.suppress(
            BrokenPipeError
        ):  # nobody listens any more; standard input ends, too
            os.write(self._plan["pipe"], json.dumps(message).encode() + b"\n")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def main() -> None:
    """Be the driver."""
    # Raised wherever a user happens to be, KeyboardInterrupt would leave no figures.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Driver(json.loads(sys.stdin.readline())).run()
