"""Scripts: minifying, where that is safe, and what cannot work in one file."""

from __future__ import annotations

import re

from carboy.errors import CarboyError

__all__ = ["check", "minified"]

_RELATIVE_IMPORT = re.compile(
    r"""^[ \t]*(?:import|export)\b[^;'"\n]*["']\.{1,2}/[^"'\n]+["']""", re.MULTILINE
)
_BACKTICK = re.compile(r"(?<!\\)`")
_BRACES = re.compile(r"\{[^{}]*\}")


def check(text: str, source: str) -> None:
    """Refuse modules that import each other: their addresses change with each build.

    :raises CarboyError: with the line.
    """
    if found := _RELATIVE_IMPORT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise CarboyError(
            f"{source}, line {line}: a module cannot import another by its name, since published "
            "names carry a hash. Join scripts into one bundle, or put what a JavaScript bundler "
            "wrote into the folder of assets."
        )


def minified(text: str) -> str | None:
    """Leave out what a browser does not need; comments with ``/*!`` stay.

    :return: ``None`` for a script that rjsmin would damage, with one template literal
        inside of another: it takes the inner one for code.
    :raises CarboyError: if the extra ``assets`` is not installed.
    """
    if any(_unclosed(segment) for segment in _BACKTICK.split(text)):
        return None
    try:
        from rjsmin import jsmin  # type: ignore[import-untyped] # an extra, for building only
    except ImportError:
        raise CarboyError(
            "Assets are minified with rjsmin. Install it: pip install 'carboy[assets]'"
        ) from None
    return str(jsmin(text, keep_bang_comments=True))


def _unclosed(segment: str) -> bool:
    """Tell whether a substitution begins here and ends beyond the next backtick."""
    shorter = _BRACES.sub("", segment)
    while shorter != segment:
        segment, shorter = shorter, _BRACES.sub("", shorter)
    return "${" in segment
