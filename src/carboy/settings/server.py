"""The settings of the server."""

from __future__ import annotations

from typing import Literal

from carboy.settings.declaration import setting
from carboy.settings.loading import Loaded


class ServerSettings(Loaded):
    """What ``carboy run`` reads."""

    SERVER: Literal["gunicorn", "granian"] = setting(
        "gunicorn",
        "What serves HTTP: gunicorn, or granian, which needs the extra `fast`.",
        group="Server",
    )
    HTTP_HOST: str = setting("0.0.0.0", "Address to listen on.", group="Server")  # noqa: S104
    HTTP_PORT: int = setting(
        8080,
        "Port to listen on; 0 takes a free one. PORT, which platforms set, wins over HTTP_PORT.",
        env=("PORT", "HTTP_PORT"),
        min=0,
        max=65535,
        group="Server",
    )
    WEB_CONCURRENCY: int = setting(
        0, "Worker processes; 0: one per processor this process may use.", min=0, group="Server"
    )
    GUNICORN_THREADS: int = setting(
        4, "Threads per worker process.", min=1, max=1024, group="Server"
    )
    GUNICORN_TIMEOUT: int = setting(
        30,
        "Seconds without a sign of life after which a worker is replaced.",
        min=0,
        group="Server",
    )
    GUNICORN_GRACEFUL_TIMEOUT: int = setting(
        30, "Seconds that requests in flight get to finish at a stop.", min=0, group="Server"
    )
    GUNICORN_KEEPALIVE: int = setting(
        5, "Seconds an idle connection is kept open.", min=0, group="Server"
    )
    HTTP_READ_TIMEOUT_S: float = setting(
        10.0,
        "Seconds a client has to send a request; it gets more for a body, by its size.",
        min=0.1, group="Server",
    )  # fmt: skip
    HTTP_READ_BYTES_PER_S: int = setting(
        8192, "For so many bytes of a request that came, a client has one second more.",
        min=1, group="Server",
    )  # fmt: skip
    GUNICORN_MAX_REQUESTS: int = setting(
        0, "Requests after which a worker is replaced; 0: never.", min=0, group="Server"
    )
    GUNICORN_MAX_REQUESTS_JITTER: int = setting(
        0, "Random addition to GUNICORN_MAX_REQUESTS, so that workers do not leave together.",
        min=0, group="Server",
    )  # fmt: skip
    STOP_DELAY_S: float = setting(
        0.0,
        "Seconds between SIGTERM and closing the port, in which /health/ready answers 503 so that "
        "a load balancer stops sending.",
        min=0, group="Server",
    )  # fmt: skip
    RELOAD: bool = setting(
        False, "Restart workers when a source file changes. For development.", group="Server"
    )
