"""Forms with files, taken apart in one step instead of chunk by chunk.

Werkzeug searches every 64 KiB for the boundary by a regular expression and moves what is left.
A form that is at hand as a whole, and written as clients write it (RFC 7578, section 4; RFC 2046,
section 5.1.1), is cut at its boundaries by :meth:`bytes.find` instead. Whatever may be something
else is left to Werkzeug: line breaks that are no CRLF, blanks behind a boundary, text before the
first or behind the last, continued headers, too much of anything.
"""

from __future__ import annotations

import io
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from werkzeug.datastructures import FileStorage, Headers
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import File, MultipartDecoder
from werkzeug.wrappers import Request
from werkzeug.wsgi import LimitedStream

from carboy.fast.flask.reading import as_much

__all__ = ["WHOLE_BYTES_MAX", "quickened"]

WHOLE_BYTES_MAX = 2 * 1024 * 1024
"""Largest form that is read at once; so much a thread may hold while it takes one apart."""

# Werkzeug holds its limit of memory against what a chunk of 64 KiB leaves over, too. With fields of
# no more than that, and a limit far above, it is not reached.
_FIELD_BYTES_MAX = 64 * 1024
_MEMORY_BYTES_LEAST = 4 * _FIELD_BYTES_MAX
_HEADERS_BYTES_MAX = 4096
_ENDS = (b"--", b"--\r\n")

Part = tuple[Headers, memoryview]


def quickened(parser: FormDataParser) -> FormDataParser:
    """Have a parser take apart in one step what it can; one that is not Werkzeug's own stays."""
    if type(parser) is FormDataParser and _stock() == _STOCK:
        parser.__class__ = _Quick
    return parser


class _Quick(FormDataParser):
    """Parses as Werkzeug does, quicker where a form is plain."""

    taken_apart = 0
    """How many forms were taken apart in one step, for the tests."""

    def _parse_multipart(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str],
    ) -> Any:
        memory, boundary = self.max_form_memory_size, options.get("boundary", "")
        if (
            content_length is None
            or content_length > WHOLE_BYTES_MAX
            or (memory is not None and memory < _MEMORY_BYTES_LEAST)
            or not (boundary and boundary.isascii())
        ):
            return super()._parse_multipart(stream, mimetype, content_length, options)
        body, is_whole = _read(stream, content_length)
        found = None
        if is_whole:
            found = self._taken_apart(body, boundary.encode("ascii"), content_length)
        if found is None:
            # Whatever else is wrong with what came of it is said first.
            again = io.BytesIO(body) if is_whole else _BrokenOff(body)
            _, *found = super()._parse_multipart(again, mimetype, content_length, options)
        return stream, *found

    def _taken_apart(self, body: bytes, boundary: bytes, length: int) -> list[Any] | None:
        """Give fields and files of a plain form; ``None``: it may be something else."""
        parts = _parts(body, b"--" + boundary)
        if parts is None or len(parts) > (self.max_form_parts or WHOLE_BYTES_MAX):
            return None
        said = [_disposition(headers) for headers, _ in parts]
        if not all(
            about is not None and ("filename" in about or len(content) <= _FIELD_BYTES_MAX)
            for about, (_, content) in zip(said, parts, strict=True)
        ):
            return None
        genuine = MultiPartParser(self.stream_factory)
        fields: list[tuple[Any, str]] = []
        files: list[tuple[Any, FileStorage]] = []
        for about, (headers, content) in zip(cast("list[Any]", said), parts, strict=True):
            name = about.get("name")
            if "filename" in about:
                event = File(name=name, filename=about["filename"], headers=headers)
                files.append((name, _kept(genuine, event, content, length)))
            else:
                charset = genuine.get_part_charset(headers)
                fields.append((name, bytes(content).decode(charset, "replace")))
        _Quick.taken_apart += 1
        return [self.cls(fields), self.cls(files)]


class _BrokenOff(io.BytesIO):
    """What came of a body; whoever asks for more is told that the client has gone."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found:
            raise ClientDisconnected
        return found


def _read(stream: Any, length: int) -> tuple[bytes, bool]:
    """Read up to *length* bytes; past Werkzeug's watch over the length, which is this one.

    :return: and whether that is the whole of the body.
    """
    if type(stream) is LimitedStream and stream._pos == 0 and stream.limit == length:
        body = as_much(stream._stream, length)
        stream._pos = len(body)
        return body, len(body) == length
    read: bytes = stream.read(length)
    return (read if len(read) == length else read + stream.read()), True


def _parts(body: bytes, mark: bytes) -> list[Part] | None:
    """Cut a form at its boundaries; ``None``: it is not plain."""
    before = 2 if body.startswith(b"\r\n") else 0  # as Werkzeug's own client writes it
    if not body.startswith(mark + b"\r\n", before):
        return None
    parts: list[Part] = []
    view = memoryview(body)
    start = before + len(mark) + 2
    while (at := body.find(mark, start)) >= 0:
        part = _part(body, view, start, at - 2)
        if part is None or body[at - 2 : at] != b"\r\n":
            return None
        parts.append(part)
        behind = at + len(mark)
        if body.startswith(b"\r\n", behind):
            start = behind + 2
        else:
            return parts if body[behind : behind + 5] in _ENDS else None
    return None


def _part(body: bytes, view: memoryview, start: int, end: int) -> Part | None:
    """Split a part into headers and content; ``None``: it is not plain."""
    gap = body.find(b"\r\n\r\n", start, min(end, start + _HEADERS_BYTES_MAX))
    if gap < 0:
        return None
    lines = body[start:gap].split(b"\r\n")
    headers = []
    for line in lines:
        if b"\r" in line or b"\n" in line or line[:1] in b" \t":
            return None
        try:
            name, _, value = line.decode().partition(":")
        except UnicodeDecodeError:
            return None
        headers.append((name.strip(" \t"), value.strip(" \t")))
    return Headers(headers), view[gap + 4 : end]


def _disposition(headers: Headers) -> dict[str, str] | None:
    value = headers.get("content-disposition")
    return None if value is None else parse_options_header(value)[1]


def _kept(genuine: MultiPartParser, event: File, content: memoryview, length: int) -> FileStorage:
    """Put a file where the request wants it: in memory, unless it says otherwise.

    Werkzeug's own kind of file goes to disk above 500 kB. All of this one is in memory already,
    and still goes to disk when a view asks for its descriptor.
    """
    factory = getattr(genuine.stream_factory, "__func__", None)
    file: IO[bytes]
    if factory is Request._get_file_stream:
        file = cast("IO[bytes]", SpooledTemporaryFile(WHOLE_BYTES_MAX, "rb+"))  # noqa: SIM115
        file.write(content)
    else:
        file = genuine.start_file_streaming(event, length)
        file.write(bytes(content))
    file.seek(0)
    return FileStorage(file, event.filename, event.name, headers=event.headers)


def _stock() -> tuple[Any, ...]:
    """Give what this takes the place of, to see whether somebody has replaced it."""
    return (
        FormDataParser._parse_multipart,
        MultiPartParser.parse,
        MultiPartParser.start_file_streaming,
        Request._get_file_stream,
        MultipartDecoder.next_event,
        MultipartDecoder.receive_data,
    )


_STOCK = _stock()
