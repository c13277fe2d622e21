"""Stylesheets: where ``url(...)`` leads after files got hashed names, and minifying.

Source: CSS Syntax Module Level 3, sections 4.3.5 (strings) and 4.3.6 (addresses).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from carboy.errors import CarboyError

__all__ = ["minified", "with_addresses"]

_TOKEN = re.compile(
    r"""
    /\*.*?\*/
    | (?P<import>@import\b)
    | (?<![\w-])url\(\s*(?:
        "(?P<double>(?:[^"\\\n]|\\.)*)" | '(?P<single>(?:[^'\\\n]|\\.)*)' | (?P<bare>[^"'()\s]*)
      )\s*\)
    | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*'
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|/|\#|$", re.IGNORECASE)


def with_addresses(text: str, source: str, output: str, hashed: Mapping[str, str]) -> str:
    """Let each relative ``url(...)`` lead to the file's hashed name.

    :param source: name of the stylesheet, which addresses are relative to.
    :param output: name of the file that *text* goes into.
    :param hashed: name → hashed name of everything a stylesheet may use.
    :raises CarboyError: for a file that is not there, and for ``@import``.
    """

    def replaced(found: re.Match[str]) -> str:
        line = text.count("\n", 0, found.start()) + 1
        if found["import"]:
            raise CarboyError(
                f"{source}, line {line}: @import does not work in a bundle. List the file as a "
                "part of the bundle; a stylesheet from elsewhere belongs into a <link>."
            )
        address = next((found[kind] for kind in ("double", "single", "bare") if found[kind]), None)
        if address is None:
            return found[0]
        if _ELSEWHERE.match(address):
            # rcssmin drops spaces inside of url("..."), which breaks pictures given as data:
            return found[0].replace(address, address.replace(" ", "%20"))
        return f'url("{_hashed(address, source, output, hashed, line)}")'

    return _TOKEN.sub(replaced, text)


def minified(text: str) -> str:
    """Leave out what a browser does not need; comments with ``/*!`` stay.

    :raises CarboyError: if the extra ``assets`` is not installed.
    """
    try:
        from rcssmin import cssmin  # type: ignore[import-untyped] # an extra, for building only
    except ImportError:
        raise CarboyError(
            "Assets are minified with rcssmin. Install it: pip install 'carboy[assets]'"
        ) from None
    return str(cssmin(text, keep_bang_comments=True))


def _hashed(address: str, source: str, output: str, hashed: Mapping[str, str], line: int) -> str:
    path = re.split("[?#]", address, maxsplit=1)[0]
    name = posixpath.normpath(posixpath.join(posixpath.dirname(source), unquote(path)))
    if name not in hashed:
        raise CarboyError(f"{source}, line {line}: url({address}) leads to no file, {name}.")
    relative = posixpath.relpath(hashed[name], posixpath.dirname(output) or ".")
    return quote(relative) + address[len(path) :]
