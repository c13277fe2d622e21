"""What a file is, by its content: nobody's word is taken for it.

A table of our own: packages that guess do so from extensions as well, prefer any answer
to none, and know hundreds of formats that no service should take. Here a content is of a
type when it begins as that type must, and of none otherwise.

Sources: WHATWG, "MIME Sniffing", sections 6 and 7; RFC 2083, section 3.1 (PNG); ISO 32000-1,
section 7.5.2 (PDF); ISO/IEC 14496-12, section 4.3 (``ftyp``); RFC 9649, section 2.4 (WebP);
OpenDocument 1.2, part 3, section 3.3 (``mimetype``).
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

__all__ = ["ACTIVE", "INLINE", "KNOWN", "TEXTS", "is_of_type", "type_of"]

OCTETS = "application/octet-stream"
TEXTS = frozenset({"text/plain", "text/csv", "text/markdown", "application/json"})
"""Types that are UTF-8 text and not markup; content alone does not tell them apart."""

ACTIVE = frozenset(
    {
        "application/javascript", "application/xhtml+xml",
        "application/xml", "image/svg+xml", "text/html", "text/javascript", "text/xml",
    }
)  # fmt: skip
"""Types in which a browser runs scripts: never shown, only saved."""

_HEAD_BYTES = 4096
_TAIL_BYTES = 64 * 1024
_CHUNK_BYTES = 256 * 1024

_BEGINNINGS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        ("image/png", rb"\x89PNG\r\n\x1a\n"),
        ("image/jpeg", rb"\xff\xd8\xff"),
        ("image/gif", rb"GIF8[79]a"),
        ("image/webp", rb"RIFF....WEBPVP8"),
        ("image/avif", rb"....ftypavi[fs]"),
        ("image/heic", rb"....ftyp(?:hei[cx]|hev[cx])"),
        ("image/bmp", rb"BM.{4}\0{4}"),
        ("image/tiff", rb"II\*\0|MM\0\*"),
        ("application/pdf", rb"%PDF-\d\.\d"),
        ("application/gzip", rb"\x1f\x8b\x08"),
        ("video/quicktime", rb"....ftypqt  "),
        ("audio/mp4", rb"....ftypM4[AB] "),
        ("video/mp4", rb"....ftyp(?:iso[m2-9]|mp4[12]|avc1|M4V |dash|MSNV)"),
        ("video/webm", rb"\x1a\x45\xdf\xa3.{0,64}\x42\x82.{0,8}webm"),
        ("audio/mpeg", rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2]"),
        ("audio/wav", rb"RIFF....WAVE"),
        ("audio/flac", rb"fLaC"),
        ("audio/ogg", rb"OggS\0"),
    )
)
_ZIP = "application/zip"
_ZIP_BEGINNING = (b"PK\x03\x04", b"PK\x05\x06")
_OFFICE = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": b"word/document.xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": b"xl/workbook.xml",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (
        b"ppt/presentation.xml"
    ),
}
_OPEN_DOCUMENT = re.compile(
    rb"PK\x03\x04.{26}mimetype(application/vnd\.oasis\.opendocument\.[a-z]+|application/epub\+zip)",
    re.DOTALL,
)
_OPEN_DOCUMENTS = frozenset(
    f"application/vnd.oasis.opendocument.{kind}" for kind in ("text", "spreadsheet", "presentation")
) | {"application/epub+zip"}
_BLANK = rb"(?:\xef\xbb\xbf)?(?:\s|<!--.*?-->|<\?xml[^>]*\?>|<!doctype\s+svg[^>]*>)*"
_SVG = re.compile(_BLANK + rb"<(?:\w+:)?svg[\s>/]", re.IGNORECASE | re.DOTALL)
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|iframe|title|style|object|embed|svg)[\s>/]",
    re.IGNORECASE,
)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s", re.IGNORECASE)
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\v\f\r\x1b"})

KNOWN = frozenset(
    {name for name, _ in _BEGINNINGS}
    | {_ZIP, "image/svg+xml", "text/html", "application/xml"}
    | _OFFICE.keys()
    | _OPEN_DOCUMENTS
    | TEXTS
)
"""Every type that content can be held against."""

INLINE = frozenset(
    {
        "application/json", "application/pdf", "audio/flac", "audio/mp4", "audio/mpeg",
        "audio/ogg", "audio/wav", "image/avif", "image/bmp", "image/gif", "image/jpeg",
        "image/png", "image/webp", "text/csv", "text/plain", "video/mp4", "video/webm",
    }
)  # fmt: skip
"""Types a browser may show in place, since it runs nothing in them."""


def type_of(file: BinaryIO) -> str:
    """Name the type of a file by its content; the file is left at its beginning.

    :return: one of :data:`KNOWN`, ``text/plain`` for every plain text;
        ``application/octet-stream`` for everything else.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    found = next((name for name, beginning in _BEGINNINGS if beginning.match(head)), None)
    if found is None and head.startswith(_ZIP_BEGINNING):
        found = _packed(head, _tail(file))
    elif found is None:
        found = _marked_up(head) or ("text/plain" if _is_text(head, file) else OCTETS)
    file.seek(0)
    return found


def is_of_type(found: str, wanted: str) -> bool:
    """Tell whether content that was found to be *found* passes for *wanted*.

    Plain text passes for every kind of it; every package passes for a ZIP.
    """
    if found == wanted:
        return True
    if wanted in TEXTS:
        return found == "text/plain"
    return wanted == _ZIP and (found in _OFFICE or found in _OPEN_DOCUMENTS)


def _packed(head: bytes, tail: bytes) -> str:
    """Tell documents that are ZIP files by what they hold; the directory is at the end."""
    named = _OPEN_DOCUMENT.match(head)
    if named is not None and named[1].decode() in _OPEN_DOCUMENTS:
        return named[1].decode()
    for name, part in _OFFICE.items():
        if b"[Content_Types].xml" in head + tail and part in tail:
            return name
    return _ZIP


def _tail(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    return file.read(_TAIL_BYTES)


def _marked_up(head: bytes) -> str | None:
    if _SVG.match(head):
        return "image/svg+xml"
    # Anywhere at the head: browsers that sniff look for it there, too.
    if b"\0" not in head and _HTML.search(head):
        return "text/html"
    return "application/xml" if _XML.match(head) else None


def _is_text(head: bytes, file: BinaryIO) -> bool:
    """Tell whether all of the file is UTF-8 without control characters."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(len(head))
    chunk = head
    try:
        while chunk:
            if len(chunk.translate(None, _CONTROLS)) < len(chunk):  # quicker than a search
                return False
            decoder.decode(chunk)
            chunk = file.read(_CHUNK_BYTES)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
