"""Regular expressions: from Python's dialect to ECMA 262, which JSON Schema speaks.

Source: JSON Schema Validation 2020-12, section 6.3.3; ECMA-262, section 22.2 (with
the ``u`` flag, under which an escape without meaning is an error).
"""

from __future__ import annotations

import re

_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_QUANTIFIER = re.compile(r"\{(\d*)(,?)(\d*)\}")
_NO_COUNTERPART = re.compile(r"\(\?(?:\(|>|[aiLmsux-]+[:)])|\(\?P[^<=>]")
_UNTRANSLATABLE_FLAGS = re.IGNORECASE | re.VERBOSE | re.MULTILINE | re.LOCALE


def to_ecma(pattern: re.Pattern[str]) -> str | None:
    r"""Write *pattern*, which ``re.match`` anchors at the start, as an ECMA 262 one.

    ``\d``, ``\w`` and ``\s`` keep their letters, although Python's cover all of
    Unicode: the result may be narrower, never wider, except in their negations.

    :return: ``None`` where ECMA 262 has no counterpart: case-insensitive and verbose
        patterns, inline flags, conditionals, atomic groups, possessive quantifiers.
    """
    if pattern.flags & _UNTRANSLATABLE_FLAGS:
        return None
    try:
        body = _Translation(pattern.pattern, dotall=bool(pattern.flags & re.DOTALL)).run()
    except _NoCounterpartError:
        return None
    if body.branches:
        return f"^(?:{body.text})"
    return body.text if body.text.startswith("^") else f"^{body.text}"


class _NoCounterpartError(Exception):
    """Something that cannot be said in ECMA 262."""


class _Translation:
    """One pass over a Python pattern; ``branches`` tells of a ``|`` outside any group."""

    def __init__(self, source: str, *, dotall: bool) -> None:
        self.source = source
        self.any = r"[\s\S]" if dotall else "."
        self.at = 0
        self.depth = 0
        self.branches = False
        self.parts: list[str] = []
        self.groups = 0
        self.numbers: dict[str, int] = {}

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def run(self) -> _Translation:
        while self.at < len(self.source):
            self.parts.append(self._next())
        return self

    def _next(self) -> str:  # noqa: PLR0911 - one return per kind of token
        char = self.source[self.at]
        if char == "\\":
            return self._escape(inside=False)
        if char == "[":
            return self._set()
        if char == "(":
            return self._group()
        if char == "{":
            return self._braces()
        self.at += 1
        if char in "*+?":
            return self._refuse_possessive(char)
        if char == ")":
            self.depth -= 1
        elif char == "|" and not self.depth:
            self.branches = True
        elif char == ".":
            return self.any
        return f"\\{char}" if char in "}]/" else char

    def _refuse_possessive(self, quantifier: str) -> str:
        if self.source[self.at : self.at + 1] == "+":
            raise _NoCounterpartError
        return quantifier

    def _group(self) -> str:
        if _NO_COUNTERPART.match(self.source, self.at):
            raise _NoCounterpartError
        if self.source.startswith("(?#", self.at):
            self.at = self.source.index(")", self.at) + 1
            return ""
        if self.source.startswith("(?P=", self.at):
            end = self.source.index(")", self.at)
            number = self.numbers[self.source[self.at + 4 : end]]
            self.at = end + 1
            # in an empty group's company, a digit that follows is not part of the number
            return (
                f"\\{number}(?:)" if self.source[self.at : self.at + 1].isdigit() else f"\\{number}"
            )
        self.depth += 1
        if self.source.startswith("(?P<", self.at):
            end = self.source.index(">", self.at)
            self.numbers[self.source[self.at + 4 : end]] = self._capture()
            self.at = end + 1
            return "("
        if self.source.startswith("(?", self.at):
            # the character after it (":", "=", "!" or "<") is no quantifier
            self.at += 3
            return self.source[self.at - 3 : self.at]
        self._capture()
        self.at += 1
        return "("

    def _capture(self) -> int:
        """Count one more capturing group; names become numbers, which both dialects write alike."""
        self.groups += 1
        return self.groups

    def _braces(self) -> str:
        found = _QUANTIFIER.match(self.source, self.at)
        if found is None or not (found[1] or found[3]):
            self.at += 1
            return "\\{"
        self.at = found.end()
        return self._refuse_possessive(f"{{{found[1] or '0'}{found[2]}{found[3]}}}")

    def _set(self) -> str:
        self.at += 1
        made = ["["]
        if self.source.startswith("^", self.at):
            made.append("^")
            self.at += 1
        first = True
        while first or self.source[self.at] != "]":
            char = self.source[self.at]
            if char == "\\":
                made.append(self._escape(inside=True))
            else:
                self.at += 1
                made.append(f"\\{char}" if char in "[]" else char)
            first = False
        self.at += 1
        return "".join([*made, "]"])

    def _escape(self, *, inside: bool) -> str:  # noqa: PLR0911 - one return per kind of escape
        char = self.source[self.at + 1]
        self.at += 2
        if char == "A":
            return "^"
        if char in "Zz":
            return "$"
        if char == "a":
            return "\\x07"
        if char == "N":
            raise _NoCounterpartError
        if char == "U":
            point = int(self.source[self.at : self.at + 8], 16)
            self.at += 8
            return chr(point)
        if char == "0" or (char.isdigit() and inside):
            return self._octal()
        if inside and char == "-":
            return "\\-"
        if char.isalnum() or char in _SYNTAX:
            return f"\\{char}"
        return char

    def _octal(self) -> str:
        found = re.compile(r"[0-7]{1,3}").match(self.source, self.at - 1)
        if found is None:  # pragma: no cover - Python's compiler refuses such a pattern
            raise _NoCounterpartError
        self.at = found.end()
        return f"\\x{int(found[0], 8) & 0xFF:02x}"
