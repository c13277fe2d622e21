"""Carboy itself as a project installs it: a pinned release, or a wheel of what runs here."""

from __future__ import annotations

import hashlib
import re
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path

import carboy
from carboy.generator.errors import GeneratorError
from carboy.generator.index import fetch, fetch_own

_PACKAGE = Path(carboy.__file__).parent
_COMPILED = (".pyc", *EXTENSION_SUFFIXES)
_METADATA = ("METADATA", "entry_points.txt", "licenses/LICENSE")
# The earliest date a zip file can hold: the same files give the same bytes on any day.
_DATE = (1980, 1, 1, 0, 0, 0)
_DIGITS = 10


@dataclass(frozen=True)
class Carboy:
    """What a project is pinned to.

    :param version: exact; of an unpublished one, with a local part that follows its contents
        (PEP 440).
    :param content: the wheel.
    :param is_published: whether an index has it.
    :param compiled: another wheel of it, which suits some machines better.
    """

    version: str
    content: bytes
    is_published: bool = False
    compiled: bytes = b""

    @property
    def wheel(self) -> str:
        """File name below ``wheels/``; empty when an index has it."""
        return "" if self.is_published else f"carboy-{self.version}-py3-none-any.whl"

    @property
    def hashes(self) -> tuple[str, ...]:
        """Of the wheels, ``sha256:…``."""
        wheels = [self.content, self.compiled] if self.compiled else [self.content]
        return tuple(f"sha256:{hashlib.sha256(wheel).hexdigest()}" for wheel in wheels)


def running(scratch: Path) -> Carboy:
    """Say how a project installs the Carboy that runs here.

    Installed from an index, it is pinned by its version; the hashes are those of the wheel there
    that runs everywhere, and of the one for this machine if there is one.
    From a checkout, or from a file (PEP 610), no index has it: it is packed into a wheel, from
    the files that run here.

    :param scratch: folder to work in.
    :raises GeneratorError: if this Carboy is not installed at all, or the index cannot be read.
    """
    try:
        installed = distribution("carboy")
    except PackageNotFoundError:
        raise GeneratorError(
            "This Carboy is not installed, and a project cannot be pinned to it. "
            "Install it, in its folder, with: pip install --editable '.[new]'"
        ) from None
    if installed.read_text("direct_url.json") is None and "+" not in installed.version:
        wheel = fetch(installed.version, scratch).read_bytes()
        own = fetch_own(installed.version, scratch).read_bytes()
        compiled = b"" if own == wheel else own
        return Carboy(installed.version, wheel, is_published=True, compiled=compiled)
    return pack(files_of(installed), installed.version.partition("+")[0])


def pack(files: dict[str, bytes], release: str) -> Carboy:
    """Pack files into a wheel whose version follows their contents.

    Two wheels of different contents have different versions: pip replaces one by the other, and
    `carboy upgrade` sees that there is something to do.

    :param files: content by path, ``carboy/…``; metadata below ``dist-info/``.
    :param release: the version without its local part.
    """
    metadata = files["dist-info/METADATA"].decode()
    general = re.sub(r"^Version: .*$", "Version: ", metadata, count=1, flags=re.MULTILINE)
    files = {**files, "dist-info/METADATA": general.encode()}
    version = f"{release}+c{_digest(files)[:_DIGITS]}"
    files["dist-info/METADATA"] = general.replace(
        "Version: \n", f"Version: {version}\n", 1
    ).encode()
    files["dist-info/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: carboy {release}\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n"
    ).encode()
    return Carboy(version, _zipped(files, version))


def files_of(installed: Distribution) -> dict[str, bytes]:
    """Read what :func:`pack` packs: the package that runs here, and its metadata."""
    files = {f"carboy/{name}": content for name, content in _package().items()}
    for name in _METADATA:
        files[f"dist-info/{name}"] = (installed.read_text(name) or "").encode()
    return files


def _package() -> dict[str, bytes]:
    """Read every file of the package; what was compiled, by Python or for it, stays behind."""
    found = sorted(path for path in _PACKAGE.rglob("*") if path.is_file())
    return {
        path.relative_to(_PACKAGE).as_posix(): path.read_bytes()
        for path in found
        if "__pycache__" not in path.parts and not path.name.endswith(_COMPILED)
    }


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


def _zipped(files: dict[str, bytes], version: str) -> bytes:
    """Make the wheel (PyPA, "Binary distribution format")."""
    info = f"carboy-{version}.dist-info"
    named = {
        name.replace("dist-info/", f"{info}/") if name.startswith("dist-info/") else name: content
        for name, content in files.items()
    }
    record = "".join(
        f"{name},sha256={_record_digest(content)},{len(content)}\n"
        for name, content in sorted(named.items())
    )
    named[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        # The metadata last, as the format asks for.
        for name in sorted(named, key=lambda name: (name.startswith(info), name)):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3  # Unix: the permissions above count
            archive.writestr(entry, named[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _record_digest(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
