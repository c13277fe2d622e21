"""The settings of files: where they are kept, and who sends them."""

from __future__ import annotations

from collections.abc import Iterator

from carboy.settings.declaration import setting
from carboy.settings.loading import Loaded


class FileSettings(Loaded):
    """What :class:`~carboy.backing.storage.Storage` and downloads read."""

    STORAGE_URL: str = setting(
        "",
        "Where files are kept: file:///FOLDER or s3://KEY:SECRET@BUCKET/PREFIX?region=REGION; "
        "empty: the folder storage in the instance folder.",
        secret=True,
        group="Files",
    )
    ACCEL_REDIRECT: tuple[str, ...] = setting(
        (),
        "Internal locations of an nginx in front that sends files itself, as LOCATION=FOLDER; "
        "a LOCATION alone is that of the storage folder. Empty: the service sends them.",
        group="Files",
    )

    def problems(self) -> Iterator[str]:
        """See :meth:`carboy.settings.Settings.problems`."""
        yield from super().problems()
        for entry in self.ACCEL_REDIRECT:
            location, equals, folder = entry.partition("=")
            if not location.startswith("/") or (equals and not folder.startswith("/")):
                yield (
                    f"ACCEL_REDIRECT has {entry!r}. Write /LOCATION=/FOLDER, both beginning with "
                    "a slash, or /LOCATION for the storage folder."
                )
