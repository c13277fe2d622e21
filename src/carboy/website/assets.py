"""``Assets``: stylesheets, scripts and pictures under addresses that never change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import cast

import click
from flask import Flask, Response, current_app, g, url_for
from flask.cli import AppGroup

from carboy.errors import CarboyError
from carboy.website.building import COMPRESSED, build
from carboy.website.delivery import deliver
from carboy.website.manifest import Manifest
from carboy.website.sources import Sources, Stamp

__all__ = ["Assets"]

_KEY = "carboy.assets"
_BUILD = "Build them: flask assets build"


class Assets:
    """The assets of an app: built into its static folder, addressed by ``asset_url``.

    Templates say ``{{ asset_url("site.css") }}``. Names of files contain a hash of their content,
    so a browser keeps them for a year and asks for new ones at once. In Production they are built
    beforehand, by ``flask assets build``; elsewhere whenever a source has changed.

    :param app: the app, when it exists already.
    :param folder: where the sources are, relative to the app's package. Every file below it
        is an asset.
    :param bundles: name of a bundle → the files it joins, in order, such as
        ``{"site.css": ["reset.css", "layout.css"]}``.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        folder: str = "assets",
        bundles: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._folder = folder
        self._bundles = dict(bundles or {})
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register on an app, before or after ``Carboy(app)``.

        :raises CarboyError: if the app has no static folder, or a bundle cannot be.
        """
        if app.static_folder is None or "static" not in app.view_functions:
            raise CarboyError(
                "Assets are built into the app's static folder, and it has none. Make it with "
                'one: Flask(__name__, static_folder="static").'
            )
        folder = Path(app.root_path) / self._folder
        built = Built(app, Sources(folder, self._bundles), Path(app.static_folder))
        app.extensions[_KEY] = built
        app.add_template_global(_asset_url, "asset_url")
        original = cast("Callable[..., Response]", app.view_functions["static"])
        app.view_functions["static"] = partial(_static, original)
        app.extensions.setdefault("carboy.start", []).append(built.current)
        app.cli.add_command(_commands)

    @staticmethod
    def url(name: str) -> str:
        """Give the address of an asset; ``asset_url`` in templates.

        :param name: of a file below the folder of sources, or of a bundle.
        :raises LookupError: if there is no such asset.
        :raises CarboyError: if the assets cannot be built, or in Production are not.
        """
        return _asset_url(name)


class Built:
    """The build that one app serves.

    :ivar folder: where it is.
    """

    def __init__(self, app: Flask, sources: Sources, folder: Path) -> None:
        self.folder = folder
        self.sources = sources
        self._app = app
        self._lock = Lock()
        self._manifest: Manifest | None = None
        self._stamp: Stamp | None = None

    def current(self) -> Manifest:
        """Give what is to be served; outside Production, after building it if need be.

        :raises CarboyError: naming the remedy.
        """
        with self._lock:
            if self._is_production():
                self._manifest = self._manifest or self._checked()
                return self._manifest
            stamp = self.sources.stamp()
            if self._manifest is None or stamp != self._stamp:
                self._manifest, self._stamp = build(self.sources, self.folder, minify=False), stamp
            return self._manifest

    def build(self) -> Manifest:
        """Build for Production."""
        return build(self.sources, self.folder, minify=True)

    def _is_production(self) -> bool:
        carboy = self._app.extensions.get("carboy")
        return bool(carboy and carboy.settings.profile == "Production")

    def _checked(self) -> Manifest:
        found = Manifest.load(self.folder)
        if found is None or not found.minified or not found.is_whole(self.folder):
            raise CarboyError(f"The assets are not in {self.folder}. {_BUILD}")
        # An image may have been made without the sources.
        if self.sources.folder.is_dir():
            fingerprint = self.sources.fingerprint(self.sources.read())
            if found.fingerprint != fingerprint:
                raise CarboyError(f"The assets in {self.folder} are of other sources than those "
                                  f"in {self.sources.folder}. {_BUILD}")  # fmt: skip
        return found

    def address(self, name: str) -> str:
        """Find the file that an asset is served from; once per request it is looked for changes."""
        manifest = g.get(_KEY)
        if manifest is None:
            manifest = self.current()
            g.setdefault(_KEY, manifest)
        try:
            return str(manifest.files[name])
        except KeyError:
            bundle = self.sources.parts.get(name)
            hint = f"it is a part of {bundle}" if bundle else f"there are {_listed(manifest.files)}"
            raise LookupError(f"There is no asset {name!r}; {hint}.") from None


def _asset_url(name: str) -> str:
    return url_for("static", filename=_built().address(name))


def _static(original: Callable[..., Response], filename: str) -> Response:
    built = _built()
    if filename in built.current().kept:
        return deliver(built.folder, filename)
    return original(filename=filename)


def _built() -> Built:
    built: Built = current_app.extensions[_KEY]
    return built


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names)) or "none"


_commands = AppGroup("assets", help="Build stylesheets, scripts and pictures for Production.")


@_commands.command("build")
def _build_command() -> None:
    """Write every asset into the static folder, minified, under a name with its hash."""
    built = _built()
    files = built.build().files
    for name, file in sorted(files.items()):
        path = built.folder / file
        line = f"{name} -> {file}  {path.stat().st_size} bytes"
        short = path.with_name(f"{path.name}{COMPRESSED}")
        if short.is_file():
            line += f", {short.stat().st_size} compressed"
        click.echo(line)
    click.echo(f"{len(files)} assets in {built.folder}")
