"""gunicorn's options, from settings."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
from pathlib import Path
from typing import Any

from gunicorn.config import Config  # type: ignore[import-untyped]

from carboy.errors import SettingsError
from carboy.server.lifecycle import Lifecycle
from carboy.server.listening import address
from carboy.server.processors import usable_processors
from carboy.settings import Settings

_ARGUMENTS = "GUNICORN_CMD_ARGS"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, not a file

# As long as one header field; what browsers and nginx allow, too.
_REQUEST_LINE_BYTES = 8190

_BY_SETTING = {
    "workers": "WEB_CONCURRENCY",
    "threads": "GUNICORN_THREADS",
    "timeout": "GUNICORN_TIMEOUT",
    "graceful_timeout": "GUNICORN_GRACEFUL_TIMEOUT",
    "keepalive": "GUNICORN_KEEPALIVE",
    "max_requests": "GUNICORN_MAX_REQUESTS",
    "max_requests_jitter": "GUNICORN_MAX_REQUESTS_JITTER",
    "reload": "RELOAD",
    "loglevel": "LOG_LEVEL",
}
_ELSEWHERE = {
    **_BY_SETTING,
    "bind": "HTTP_HOST and HTTP_PORT",
    "accesslog": "ACCESS_LOG",
    "forwarded_allow_ips": "TRUSTED_PROXIES",
}
_FIXED: dict[str, Any] = {
    # Workers load the app themselves: what it opens is not shared, and a reload is one.
    "preload_app": False,
    "logger_class": "carboy.server.master.Log",
    "control_socket_disable": True,
    "accesslog": None,  # the crate writes one line per request
    # Only the crate judges forwarded headers; gunicorn would believe its neighbours.
    "forwarded_allow_ips": "",
    "secure_scheme_headers": {},
    "proc_name": "carboy",
    "daemon": False,
}


# What gunicorn's master does itself. With SERVER=granian the rest would be ignored: it is
# about gunicorn's workers and their HTTP.
_OF_THE_MASTER = frozenset({
    "backlog", "chdir", "group", "initgroups", "pidfile", "pythonpath", "raw_env",
    "reload_engine", "reload_extra_files", "reuse_port", "umask", "user", "worker_connections",
    "worker_tmp_dir",
})  # fmt: skip


def options(settings: Settings) -> dict[str, Any]:
    """Give every option of gunicorn that differs from its own default.

    :raises SettingsError: if ``GUNICORN_CMD_ARGS`` names something it may not.
    :raises CarboyError: if granian is to serve and is not installed.
    """
    from_settings = {option: getattr(settings, name) for option, name in _BY_SETTING.items()}
    return {
        **from_settings,
        "bind": address(settings.HTTP_HOST, settings.HTTP_PORT),
        "workers": settings.WEB_CONCURRENCY or usable_processors(),
        "loglevel": settings.LOG_LEVEL.lower(),
        # The workers' sign of life is a file; on a disk it may block for seconds.
        "worker_tmp_dir": str(_SHARED_MEMORY) if os.access(_SHARED_MEMORY, os.W_OK) else None,
        "limit_request_line": _REQUEST_LINE_BYTES,
        **_FIXED,
        "worker_class": _worker_class(settings),
        **_arguments(os.environ.get(_ARGUMENTS, ""), settings.SERVER),
    }


def _worker_class(settings: Settings) -> type[Lifecycle]:
    if settings.SERVER == "gunicorn":
        from carboy.server.gunicorn.worker import Worker  # each server is imported when it serves

        return Worker
    from carboy.server.granian.engine import check
    from carboy.server.granian.worker import GranianWorker

    check(settings)
    return GranianWorker


def _arguments(text: str, server: str) -> dict[str, Any]:
    """Read options that no setting covers from the variable gunicorn itself reads."""
    if not text:
        return {}
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            given = vars(Config().parser().parse_args(shlex.split(text)))
    except (SystemExit, ValueError) as error:
        reason = complaint.getvalue().strip().rpartition("error: ")[2] or str(error)
        raise SettingsError(
            [f"{_ARGUMENTS} cannot be read: {reason}. See `gunicorn --help`."]
        ) from None
    named = {name: value for name, value in given.items() if value is not None and name != "args"}
    problems = [
        f"{_ARGUMENTS} sets {name}; set {_ELSEWHERE[name]} instead."
        if name in _ELSEWHERE
        else f"{_ARGUMENTS} sets {name}, which `carboy run` decides itself. Remove it there."
        for name in named
        if name in _ELSEWHERE or name in _FIXED or name == "worker_class"
    ]
    if server == "granian":
        problems += [
            f"{_ARGUMENTS} sets {name}, which SERVER=granian cannot do. Remove it there, or set "
            "SERVER=gunicorn."
            for name in named
            if not (name in _ELSEWHERE or name in _FIXED or name in _OF_THE_MASTER)
        ]
    checked = Config()
    for name, value in named.items():
        try:
            checked.set(name, value)
        except (TypeError, ValueError) as error:
            problems.append(f"{_ARGUMENTS} sets {name}: {error}. See `gunicorn --help`.")
    if problems:
        raise SettingsError(problems)
    return named
