"""From the sources of assets to files that can be cached for good."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from carboy.errors import CarboyError
from carboy.website import scripts, stylesheets
from carboy.website.manifest import Manifest, remove_unfinished, write_whole
from carboy.website.sources import JOINED, Sources

__all__ = ["COMPRESSED", "build"]

COMPRESSED = ".gz"
_DIGITS = 16
_COMPRESSIBLE = frozenset(
    {".css", ".html", ".ico", ".js", ".json", ".map", ".otf", ".svg", ".ttf", ".txt", ".wasm",
     ".webmanifest", ".xml"}
)  # fmt: skip
_log = logging.getLogger("carboy")


def build(sources: Sources, folder: Path, *, minify: bool) -> Manifest:
    """Write the assets into *folder*, unless the build there is of the same sources.

    Files are written under a name that contains their hash, whole or not at all, and the
    manifest last: whoever reads meanwhile sees the old build or the new one. Builds at the same
    time take turns. What the build before last wrote is removed.

    :param minify: leave out what a browser does not need, and add compressed copies.
    :raises CarboyError: naming file and line of what is wrong with a source.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            return _build(sources, folder, minify=minify)
    except OSError as error:
        raise CarboyError(
            f"The assets cannot be built into {folder}: {error.strerror or error} "
            f"({error.filename or folder}). Let this user write there."
        ) from error


def _build(sources: Sources, folder: Path, *, minify: bool) -> Manifest:
    contents = sources.read()
    fingerprint = sources.fingerprint(contents)
    old = Manifest.load(folder)
    if old and old.fingerprint == fingerprint and old.is_whole(folder) and old.minified >= minify:
        return old
    remove_unfinished(folder)
    files: dict[str, str] = {}
    for name, data in _outputs(sources, contents, files, minify=minify):
        _write(folder / files[name], data, compress=minify)
    previous = () if old is None else tuple(old.files.values())
    if old is not None and old.files == files:
        previous = old.previous
    new = Manifest(fingerprint, minify, files, tuple(sorted(set(previous) - set(files.values()))))
    new.save(folder)
    if old is not None:
        for name in old.kept - new.kept:
            (folder / name).unlink(missing_ok=True)
            (folder / f"{name}{COMPRESSED}").unlink(missing_ok=True)
    return new


def _outputs(
    sources: Sources, contents: Mapping[str, bytes], files: dict[str, str], *, minify: bool
) -> Iterator[tuple[str, bytes]]:
    """Give each asset and enter its hashed name into *files*; those that others use, first."""
    single = [name for name in contents if name not in sources.parts]
    for name in single:
        if not name.endswith(JOINED):
            files[name] = _hashed(name, contents[name])
            yield name, contents[name]
    others = dict(files)
    texts = {name: (name,) for name in single if name.endswith(JOINED)} | sources.bundles
    for name, parts in texts.items():
        make = _stylesheet if name.endswith(".css") else _script
        # A script may end without a semicolon, or with a comment.
        between = "\n" if name.endswith(".css") else "\n;\n"
        data = between.join(
            make(part, name, _text(part, contents[part]), others, minify=minify) for part in parts
        ).encode()
        files[name] = _hashed(name, data)
        yield name, data


def _stylesheet(
    part: str, output: str, text: str, others: Mapping[str, str], *, minify: bool
) -> str:
    text = stylesheets.with_addresses(text, part, output, others)
    if minify and not part.endswith(".min.css"):
        text = stylesheets.minified(text)
    return text


def _script(part: str, output: str, text: str, others: Mapping[str, str], *, minify: bool) -> str:
    del output, others
    scripts.check(text, part)
    if minify and not part.endswith(".min.js"):
        short = scripts.minified(text)
        if short is None:
            _log.warning("%s stays as it is: no template literal inside of another can be "
                         "minified.", part)  # fmt: skip
        text = text if short is None else short
    return text


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CarboyError(f"{name}, line {line}: not UTF-8. Save the file as UTF-8.") from None


def _hashed(name: str, data: bytes) -> str:
    path = PurePosixPath(name)
    digest = hashlib.sha256(data).hexdigest()[:_DIGITS]
    return str(path.with_name(f"{path.stem}.{digest}{path.suffix}"))


def _write(path: Path, data: bytes, *, compress: bool) -> None:
    # One that was cut short by a crash is replaced.
    if not path.is_file() or path.read_bytes() != data:
        write_whole(path, data)
    if compress and path.suffix in _COMPRESSIBLE:
        short = gzip.compress(data, 9, mtime=0)
        if len(short) < len(data):
            write_whole(path.with_name(f"{path.name}{COMPRESSED}"), short)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for other builds of this folder, in whatever process."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
