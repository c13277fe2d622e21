"""Earlier versions of Carboy, made of this one."""

from __future__ import annotations

import io
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from carboy.generator.distribution import files_of, pack

TEMPLATES = "carboy/generator/templates/"


def unpacked(folder: Path, release: str, edit=None) -> Path:
    """Put a Carboy of another version into *folder*, as an installation of its wheel would be.

    :param edit: called with the files by name; templates are below :data:`TEMPLATES`.
    """
    files = files_of(distribution("carboy"))
    if edit is not None:
        edit(files)
    packed = pack(files, release)
    zipfile.ZipFile(io.BytesIO(packed.content)).extractall(folder)
    return folder
