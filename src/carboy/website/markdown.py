"""Markdown as HTML that is safe to show, whoever wrote it.

Source: CommonMark 0.31, with the tables and strikethrough of GitHub Flavored Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from carboy.errors import CarboyError

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["markdown"]

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "details",
    "dfn", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small",
    "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "time", "tr", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title", "hreflang"},
    "abbr": {"title"},
    "code": {"class"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_LANGUAGE = re.compile(r"language-[\w+#.-]+", re.ASCII)


def markdown(text: str) -> Markup:
    """Turn Markdown into HTML that can be shown as it is.

    HTML in *text* stays where it is harmless. Scripts, styles, event handlers, forms, frames and
    addresses other than ``http``, ``https``, ``mailto``, ``tel`` and relative ones are gone;
    links carry ``rel="noopener noreferrer"``. In templates also a filter: ``{{ text|markdown }}``.

    :param text: of any origin. Converting takes time in proportion to its length: bound it.
    :return: marked as safe for templates.
    :raises CarboyError: if the extra ``content`` is not installed.
    """
    # Marked as safe: nothing but what is allowed is left.
    return Markup(_converter()(text))  # noqa: S704


@cache
def _converter() -> Callable[[str], str]:
    try:
        import nh3  # an extra
        from markdown_it import MarkdownIt
    except ImportError:
        raise CarboyError(
            "Markdown needs markdown-it-py and nh3. Install them: pip install 'carboy[content]'"
        ) from None
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    cleaner = nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filtered,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
    )

    def convert(text: str) -> str:
        tokens = parser.parse(text)
        _align_without_style(tokens)
        return cleaner.clean(parser.renderer.render(tokens, parser.options, {}))

    return convert


def _align_without_style(tokens: Sequence[Token]) -> None:
    """Say how columns are aligned by an attribute: a strict policy for content allows no style."""
    for token in tokens:
        style = token.attrs.pop("style", None) if token.type in ("th_open", "td_open") else None
        if isinstance(style, str):
            token.attrSet("align", style.removeprefix("text-align:"))


def _filtered(tag: str, attribute: str, value: str) -> str | None:
    # Other classes would give foreign text the looks of the page's own parts.
    if (tag, attribute) == ("code", "class") and not _LANGUAGE.fullmatch(value):
        return None
    return value
