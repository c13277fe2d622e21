"""Schema fields the domains share."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from shop.database import ID_MAX

# White space as in str.strip(), less the control characters, which no text may have.
_BLANK = r" \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_CONTROL_BUT_LINES = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"


class Text(fields.String):
    """Text of bounded length, without control characters.

    PostgreSQL cannot store a NUL, and the rest garble terminals and logs.
    White space at both ends is dropped, unless there are rules: those are for the text
    as it was sent. The OpenAPI document says what is refused in a pattern.

    :param longest: most characters, as sent.
    :param shortest: fewest characters; if there is one, there is one that is not white space.
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
        self._characters = _characters(blank=shortest == 0 or bool(rules), lines=lines)
        self._is_free = not rules
        super().__init__(validate=[self._length, self._characters, *rules], **rest)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        self._length(text)  # first: normalising takes time that grows with the square of it
        self._characters(text)  # before what is dropped could hide one
        return unicodedata.normalize("NFC", text.strip() if self._is_free else text)


def _characters(*, blank: bool, lines: bool) -> validate.Regexp:
    refused = _CONTROL_BUT_LINES if lines else _CONTROL
    if blank:
        pattern, error = rf"^[^{refused}]*\Z", "Control characters are not allowed."
    else:
        pattern = rf"^[^{refused}]*[^{refused}\t\n\r{_BLANK}][^{refused}]*\Z"
        error = "Write something other than white space, without control characters."
    return validate.Regexp(pattern, error=error)


class Whole(fields.Integer):
    """A whole number, not text; 3.0 is 3, as in JSON Schema."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(strict=True, **rest)

    def _validated(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        number: int = super()._validated(value)
        return number


class Reference(Whole):
    """The id of a row: a whole number that fits the database's 64 bits."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(validate=validate.Range(min=1, max=ID_MAX), **rest)


class Amount(fields.Decimal):
    """Money as text with two decimals, ``"12.50"``: a JSON number would be a binary fraction.

    A fraction of a cent is refused rather than rounded.

    :param most: largest amount, and none may be below zero; ``None``: any.
    """

    def __init__(self, most: int | None = None, **rest: Any) -> None:
        pattern = r"^-?[0-9]{1,16}(?:\.[0-9]{1,2}0*)?$"
        if most is not None:
            rest["validate"] = validate.Range(min=0, max=most)
            # JSON Schema bounds numbers, and this is text: so many digits, or just the largest.
            digits = len(str(most - 1))
            pattern = rf"^0*(?:[0-9]{{1,{digits}}}(?:\.[0-9]{{1,2}}0*)?|{most}(?:\.0+)?)$"
        described = {"type": "string", "pattern": pattern}
        super().__init__(places=2, as_string=True, metadata=described, **rest)

    def _validated(self, value: Any) -> Decimal:
        if not isinstance(value, str | Decimal):
            raise ValidationError('Write the amount as text, such as "12.50".')
        rounded = super()._validated(value)
        if rounded != Decimal(str(value)):
            raise ValidationError("Must have no more than two decimals.")
        return rounded
