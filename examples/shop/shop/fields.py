"""Schema fields the domains share."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from shop.database import ID_MAX


class Text(fields.String):
    """Text of bounded length, without control characters.

    PostgreSQL cannot store a NUL, and the rest garble terminals and logs.
    White space at both ends is dropped before the length is looked at.

    :param longest: most characters.
    :param shortest: fewest characters.
    :param lines: allow line breaks and tabs.
    :param rules: further validators.
    """

    def __init__(
        self,
        longest: int,
        *,
        shortest: int = 1,
        lines: bool = False,
        rules: Sequence[validate.Validator] = (),
        **rest: Any,
    ) -> None:
        self._length = validate.Length(min=shortest, max=longest)
        super().__init__(validate=[self._length, *rules], **rest)
        self._allowed = "\n\r\t" if lines else ""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs).strip()
        self._length(text)  # first: normalising takes time that grows with the square of it
        if any(unicodedata.category(c) in ("Cc", "Cs") and c not in self._allowed for c in text):
            raise ValidationError("Control characters are not allowed.")
        return unicodedata.normalize("NFC", text)


class Reference(fields.Integer):
    """The id of a row: a whole number, not text, that fits the database's 64 bits."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=1, max=ID_MAX), **rest)


class Amount(fields.Decimal):
    """Money as text with two decimals, ``"12.50"``: a JSON number would be a binary fraction.

    A fraction of a cent is refused rather than rounded.
    """

    def __init__(self, **rest: Any) -> None:
        super().__init__(places=2, as_string=True, **rest)

    def _validated(self, value: Any) -> Decimal:
        rounded = super()._validated(value)
        if rounded != Decimal(str(value)):
            raise ValidationError("Must have no more than two decimals.")
        return rounded
