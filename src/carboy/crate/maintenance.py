"""Refuse traffic while the service is being worked on."""

from __future__ import annotations

import json
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from carboy.errors import Unavailable
from carboy.settings import Settings

_MESSAGE = "The service is in maintenance. Try again shortly."
_RETRY_AFTER_S = 60
_LOOK_EVERY_NS = 250_000_000


class Notice(NamedTuple):
    """What callers are told while maintenance is on."""

    message: str = _MESSAGE
    retry_after_s: int = _RETRY_AFTER_S
    since: str = ""

    def refusal(self) -> Unavailable:
        """Make the answer (503 with ``Retry-After``)."""
        return Unavailable(self.message, retry_after_s=self.retry_after_s, code="maintenance")


class Maintenance:
    """The switch: a file, so that every process sees it and it survives a restart.

    Each process looks four times a second at most, so a change is seen by all within
    one second and costs a request next to nothing.

    :param path: the switch file; maintenance is on while it exists.

    :ivar off_until_ns: before this time of :func:`time.perf_counter_ns` there is no need to
        ask, as maintenance was off and nobody has looked since.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.off_until_ns = self._looked_ns = -_LOOK_EVERY_NS
        self._seen: tuple[int, int, int] | None = None
        self._notice: Notice | None = None

    @classmethod
    def from_settings(cls, settings: Settings, instance_path: Path) -> Self:
        """Find the switch that a service with these settings obeys."""
        return cls(Path(settings.MAINTENANCE_FILE or instance_path / "maintenance.json"))

    def on(self, message: str | None = None, retry_after_s: int | None = None) -> None:
        """Start maintenance, or change what callers are told.

        :param message: one sentence for the callers.
        :param retry_after_s: seconds after which they should try again.
        :raises OSError: if the file cannot be written; then nothing has changed.
        """
        notice = {
            "message": message or _MESSAGE,
            "retry_after_s": _RETRY_AFTER_S if retry_after_s is None else retry_after_s,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, written = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(notice, file)
                file.flush()
                os.fsync(file.fileno())
            # Workers may run as another user than whoever toggles the switch.
            Path(written).chmod(0o644)
            Path(written).replace(self.path)
        except BaseException:
            Path(written).unlink(missing_ok=True)
            raise
        self.off_until_ns = self._looked_ns = -_LOOK_EVERY_NS

    def off(self) -> None:
        """End maintenance; no error when it was off.

        :raises OSError: if the file cannot be removed.
        """
        self.path.unlink(missing_ok=True)
        self._looked_ns = -_LOOK_EVERY_NS

    def is_on(self) -> bool:
        """Tell whether maintenance is on at this moment."""
        self._look()
        return self._notice is not None

    def notice(self, now_ns: int | None = None) -> Notice | None:
        """Give what callers are to be told, ``None`` when maintenance is off.

        :param now_ns: of :func:`time.perf_counter_ns`, when the caller has it at hand.
        """
        now_ns = time.perf_counter_ns() if now_ns is None else now_ns
        if now_ns - self._looked_ns >= _LOOK_EVERY_NS:
            self._looked_ns = now_ns
            self._look()
            if self._notice is None:
                self.off_until_ns = now_ns + _LOOK_EVERY_NS
        return self._notice

    def _look(self) -> None:
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._seen = self._notice = None
            return
        except OSError:
            return  # what was seen last stands
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            self._notice = _read(self.path)
            self.off_until_ns = -_LOOK_EVERY_NS
            self._seen = seen


def _read(path: Path) -> Notice:
    """Read the file; it is there, so whatever it holds maintenance is on."""
    try:
        held = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return Notice()
    if not isinstance(held, dict):
        return Notice()
    message, retry_after_s, since = (
        held.get(name) for name in ("message", "retry_after_s", "since")
    )
    # Lone surrogates, which JSON can name, would fail where the answer is encoded.
    told = message.encode("utf-8", "replace").decode() if isinstance(message, str) else ""
    if not isinstance(retry_after_s, int) or isinstance(retry_after_s, bool) or retry_after_s < 0:
        retry_after_s = _RETRY_AFTER_S
    return Notice(told or _MESSAGE, retry_after_s, since if isinstance(since, str) else "")
