"""Uploads: one file of a form, checked by its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from marshmallow.fields import Field
from werkzeug.datastructures import FileStorage

from carboy.api.files.content import KNOWN, is_of_type, type_of
from carboy.backing.storage.stored import safe_name

if TYPE_CHECKING:
    from carboy.backing.storage import Storage, StoredFile

__all__ = ["File", "Upload"]

_KIB = 1024
_DEFAULT_SIZE = 10 * _KIB * _KIB


@dataclass(frozen=True)
class Upload:
    """A file that was sent and passed its checks.

    It lies in memory up to 500 kB, or up to 2 MiB in a form of that size on
    :class:`carboy.Flask`, above that in a temporary file, and is gone with the request.

    :param name: what its sender calls it, made safe.
    :param type: by its content.
    :param size: in bytes.
    :param stream: its content, from the beginning.
    """

    name: str
    type: str
    size: int
    stream: BinaryIO

    def keep(self, storage: Storage) -> StoredFile:
        """Keep it in *storage*; see :meth:`Storage.keep`."""
        self.stream.seek(0)
        return storage.keep(self.stream, name=self.name, type=self.type)


class File(Field[Upload]):
    """A file in a ``multipart/form-data`` body; the view receives an :class:`Upload`.

    For several files under one name, put it into a list with a length::

        @api.input({"pictures": List(File(types=["image/png"]), validate=Length(max=5))},
                   location="files")

    :param types: content types that are taken; any, if left out. The content decides: what
        the sender says and how the file is called count for nothing.
    :param size_max: largest file, in bytes; ``MAX_CONTENT_LENGTH`` bounds the whole body.
    :param empty: whether a file without content is taken.
    :raises TypeError: for a type that content cannot be held against.
    """

    default_error_messages = {  # noqa: RUF012 - as marshmallow declares them
        "invalid": "Not a file.",
        "empty": "The file is empty.",
        "too_large": "The file is larger than {size_max} bytes.",
        "type": "The file is not of a type that is taken here: {types}.",
    }

    def __init__(
        self,
        *,
        types: Sequence[str] = (),
        size_max: int = _DEFAULT_SIZE,
        empty: bool = False,
        **options: Any,
    ) -> None:
        if isinstance(types, str):
            raise TypeError(f"types= takes a list: types=[{types!r}].")
        if unknown := [one for one in types if one not in KNOWN]:
            raise TypeError(
                f"No content can be held against {', '.join(unknown)}. "
                f"Use some of {', '.join(sorted(KNOWN))}; or leave types= out."
            )
        super().__init__(**options)
        self.types = tuple(types)
        self.size_max = size_max
        self.empty = empty

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any
    ) -> Upload:
        del attr, data
        # Browsers send an empty part without a name where no file was chosen.
        if not isinstance(value, FileStorage) or not value.filename:
            raise self.make_error("invalid")
        stream = cast("BinaryIO", value.stream)
        size = stream.seek(0, 2)
        if size > self.size_max:
            raise self.make_error("too_large", size_max=self.size_max)
        if not size and not self.empty:
            raise self.make_error("empty")
        found = type_of(stream)
        return Upload(safe_name(value.filename), self._accepted(found), size, stream)

    def _accepted(self, found: str) -> str:
        if not self.types:
            return found
        fitting = next((one for one in self.types if is_of_type(found, one)), None)
        if fitting is None:
            raise self.make_error("type", types=", ".join(self.types))
        return found if found in self.types else fitting
