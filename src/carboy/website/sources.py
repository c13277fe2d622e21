"""The sources of assets: a folder, and which of its files are joined."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from carboy.errors import CarboyError

__all__ = ["JOINED", "Sources"]

JOINED = (".css", ".js")
# Raise it when the same sources give other files than before.
_FORMAT = 1

Stamp = tuple[tuple[str, int, int], ...]


class Sources:
    """The files below a folder, and the bundles some of them are joined into.

    :param folder: every file below it is an asset, except those whose name begins with a dot
        and those that are part of a bundle.
    :param bundles: name of the bundle → its parts, in order.
    :raises CarboyError: for a bundle that cannot be.
    """

    def __init__(self, folder: Path, bundles: Mapping[str, Sequence[str]]) -> None:
        self.folder = folder
        self.bundles = {name: tuple(parts) for name, parts in bundles.items()}
        self.parts = {part: name for name, parts in self.bundles.items() for part in parts}
        for name, parts in bundles.items():
            kind = PurePosixPath(name).suffix
            if isinstance(parts, str) or not parts:
                raise CarboyError(f"The bundle {name} needs a list of files: [{parts!r}].")
            if kind not in JOINED or any(not part.endswith(kind) for part in parts):
                raise CarboyError(
                    f"The bundle {name} cannot be made of {', '.join(parts)}. Join .css files into "
                    "a .css bundle, and .js files into a .js bundle."
                )

    def stamp(self) -> Stamp:
        """Say cheaply whether a file may have changed, by time and size."""
        found = []
        for name in self._names():
            # Editors put files beside the one they save, and take them away.
            with suppress(FileNotFoundError):
                status = (self.folder / name).stat()
                found.append((name, status.st_mtime_ns, status.st_size))
        return tuple(found)

    def read(self) -> dict[str, bytes]:
        """Read every file.

        :raises CarboyError: if there is no such folder, a part of a bundle is missing, or a
            bundle is called like a file that is no part of one.
        """
        if not self.folder.is_dir():
            raise CarboyError(
                f"There is no folder {self.folder}, which Assets is to read. Make it, or name "
                'another one: Assets(folder="...").'
            )
        contents = {}
        for name in self._names():
            with suppress(FileNotFoundError):
                contents[name] = (self.folder / name).read_bytes()
        for part, bundle in self.parts.items():
            if part not in contents:
                raise CarboyError(
                    f"The bundle {bundle} is to contain {part}, which is not in {self.folder}."
                )
        for bundle in self.bundles:
            if bundle in contents and bundle not in self.parts:
                raise CarboyError(
                    f"The bundle {bundle} is called like a file in {self.folder}. Rename one of "
                    "them, or make the file a part of the bundle."
                )
        return contents

    def fingerprint(self, contents: Mapping[str, bytes]) -> str:
        """Digest everything that a build is made from."""
        files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
        told = json.dumps([_FORMAT, self.bundles, files], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def _names(self) -> Iterator[str]:
        for root, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if not name.startswith(".") and not name.endswith("~"):
                    yield (Path(root) / name).relative_to(self.folder).as_posix()
