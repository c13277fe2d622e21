"""``Content``: texts in Markdown files, shown as cards and pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from flask import Flask
from markupsafe import Markup

from carboy.errors import CarboyError
from carboy.website.markdown import markdown

__all__ = ["Card", "Content"]

_FENCE = "---"
_FIELDS = ("title", "order", "link")
_LINK = re.compile(r"(?:https?://[^\s/]\S*|/(?!/)\S*|#\S+|mailto:\S+)")


@dataclass(frozen=True)
class Card:
    """One text with a title.

    :param name: of its file, without the ending.
    :param title: for a heading.
    :param order: cards are shown in the order of these numbers.
    :param link: where it leads: an address, a path of this website, or nowhere (empty).
    :param html: the text, safe to show.
    """

    name: str
    title: str
    order: int
    link: str
    html: Markup


class Content:
    """The texts of an app: Markdown files with a title.

    A file begins with what is said about it, between two lines of three hyphens; only the title
    has to be there::

        ---
        title: Orders
        order: 1
        link: /orders
        ---
        Every order has a **number**.

    Templates have ``cards(folder)``, ``card(name)`` and the filter ``markdown``. Texts are read
    again when their files change.

    :param app: the app, when it exists already.
    :param folder: where the texts are, relative to the app's package.
    """

    def __init__(self, app: Flask | None = None, *, folder: str = "content") -> None:
        self._folder = folder
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register on an app; texts with an error refuse the start of ``carboy run``."""
        texts = Texts(Path(app.root_path) / self._folder)
        app.extensions["carboy.content"] = texts
        app.add_template_filter(markdown, "markdown")
        for function in (markdown, texts.cards, texts.card):
            app.add_template_global(function, function.__name__)
        app.extensions.setdefault("carboy.start", []).append(texts.check)


class Texts:
    """The files below *folder*; each is read once, and again when it has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, int], Card]] = {}
        self._lock = Lock()

    def cards(self, folder: str = "") -> list[Card]:
        """Read every text of a folder.

        :param folder: below that of the content; empty: that itself. Not what lies below it.
        :return: by ``order``, then by name.
        :raises CarboyError: naming file and line of what cannot be read.
        """
        place = self._folder / folder
        if not place.is_dir():
            raise CarboyError(f"There is no folder {place} to read texts from. Make it.")
        found = [self._card(path) for path in place.glob("[!.]*.md")]
        return sorted(found, key=lambda card: (card.order, card.name))

    def card(self, name: str) -> Card:
        """Read one text.

        :param name: of its file below the folder of the content, without the ending ``.md``.
        :raises CarboyError: if it is not there, or cannot be read.
        """
        return self._card(self._folder / f"{name}.md")

    def check(self) -> None:
        """Read everything.

        :raises CarboyError: with one line for each text that cannot be read.
        """
        problems = []
        for path in sorted(self._folder.rglob("[!.]*.md")):
            try:
                self._card(path)
            except CarboyError as error:
                problems.append(error.message)
        if problems:
            raise CarboyError("\n".join(problems))

    def _card(self, path: Path) -> Card:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            with self._lock:
                known = self._read.get(path)
            if known is None or known[0] != stamp:
                known = stamp, parsed(path.stem, path.read_bytes(), str(path))
                with self._lock:
                    self._read[path] = known
        except OSError as error:
            raise CarboyError(f"{path}: {error.strerror}. A text has to be there.") from None
        return known[1]


def parsed(name: str, data: bytes, place: str) -> Card:
    """Take a text apart.

    :param place: its file, for messages.
    :raises CarboyError: naming file and line.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CarboyError(f"{place}, line {line}: not UTF-8. Save the file as UTF-8.") from None
    if not lines or lines[0].rstrip() != _FENCE:
        raise CarboyError(
            f"{place}, line 1: a text begins with a line {_FENCE}, title: …, and a line {_FENCE}."
        )
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        raise CarboyError(f"{place}, line 1: no second line {_FENCE} ends what begins here.")
    told: dict[str, str] = {}
    order = 0
    for number, said in enumerate(lines[1:end], 2):
        if not said.strip() or said.startswith("#"):
            continue
        try:
            field, value = _field(said, told)
            order = int(value) if field == "order" else order
        except ValueError as error:
            raise CarboyError(f"{place}, line {number}: {error}.") from None
        told[field] = value
    if "title" not in told:
        raise CarboyError(f"{place}, line {end + 1}: there is no title. Add a line title: …")
    html = markdown("\n".join(lines[end + 1 :]))
    return Card(name, told["title"], order, told.get("link", ""), html)


def _field(line: str, told: dict[str, str]) -> tuple[str, str]:
    """Read ``name: value``.

    :raises ValueError: saying what is wrong.
    """
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon or name not in _FIELDS:
        raise ValueError(f"{line.strip()!r} is none of {': …, '.join(_FIELDS)}: …")
    if name in told:
        raise ValueError(f"{name} is there twice; keep one")
    for mark in "'\"":
        if len(value) > 1 and value[0] == value[-1] == mark:
            value = value[1:-1]
    if not value:
        raise ValueError(f"{name} is empty; write something, or leave out the line")
    if name == "order" and not re.fullmatch(r"-?\d{1,9}", value, re.ASCII):
        raise ValueError(f"order is {value!r}; write a whole number")
    if name == "link" and not _LINK.fullmatch(value):
        raise ValueError(
            f"link is {value!r}; write an address beginning with https://, or a path of this "
            "website beginning with /"
        )
    return name, value
