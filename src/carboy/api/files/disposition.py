"""``Content-Disposition``: what a file is called and whether it is shown or saved."""

from __future__ import annotations

import unicodedata
from typing import Literal
from urllib.parse import quote

from carboy.backing.storage.stored import safe_name

__all__ = ["Disposition", "disposition_header"]

Disposition = Literal["inline", "attachment"]
# RFC 8187, section 3.2.1: attr-char, without those that quote() never escapes
_ATTRIBUTE_CHARACTERS = "!#$&+^`|"


def disposition_header(disposition: Disposition, name: str) -> str:
    """Write the header, with the name in ASCII and, where that loses something, in UTF-8.

    Sources: RFC 6266, section 4.3 and appendix D; RFC 8187, section 3.2.
    """
    name = safe_name(name)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    # Some browsers decode percent signs in the plain form, and backslashes are escapes.
    plain = plain.replace("\\", "_").replace('"', "_").replace("%", "_").strip() or "file"
    header = f'{disposition}; filename="{plain}"'
    if plain == name:
        return header
    return f"{header}; filename*=UTF-8''{quote(name, safe=_ATTRIBUTE_CHARACTERS)}"
