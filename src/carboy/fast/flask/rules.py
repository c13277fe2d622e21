"""Single rules: which have nothing unusual about them, and what their values become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from werkzeug.routing import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    PathConverter,
    Rule,
    UnicodeConverter,
    UUIDConverter,
)

__all__ = ["Route", "converts_plainly", "is_plain"]

_CONVERTERS: Final = frozenset(
    {AnyConverter, FloatConverter, IntegerConverter, PathConverter, UnicodeConverter, UUIDConverter}
)


class Route:
    """A rule without anything unusual about it.

    :ivar direct: what is called in place of :attr:`view` by whom needs no response.
    :ivar view: view function last seen, if it is no coroutine function.
    :ivar plain: whether there are no values in the path.
    :ivar open_to: method → the guard that need not be asked again.
    """

    __slots__ = ("_converters", "direct", "open_to", "plain", "rule", "view")

    def __init__(self, rule: Any) -> None:
        self.rule = rule
        self.view: Any = None
        self.direct: Any = None
        self.plain = not rule._converters
        self.open_to: dict[str, Any] = {}
        self._converters = [
            (name, _conversion(converter)) for name, converter in rule._converters.items()
        ]

    def arguments(self, values: tuple[str, ...]) -> dict[str, Any]:
        """Convert the *values* of the path.

        :raises ValueError: if the converter refuses one.
        """
        return {
            name: convert(value)
            for (name, convert), value in zip(self._converters, values, strict=False)
        }


def is_plain(rule: Any, url_map: Any) -> bool:
    """Tell whether a match of *rule* is all there is to it."""
    kind = type(rule)  # by name, see response.py
    return (
        kind is Rule
        and not rule.alias
        and not rule.build_only
        and not rule.websocket
        and rule.redirect_to is None
        and converts_plainly(rule)
        # A rule with defaults may redirect to another one of its endpoint.
        and not any(other.defaults for other in url_map._rules_by_endpoint[rule.endpoint])
    )


def converts_plainly(rule: Any) -> bool:
    """Tell whether all converters of *rule* are Werkzeug's."""
    return all(
        type(converter) in _CONVERTERS and "to_python" not in vars(converter)
        for converter in rule._converters.values()
    )


def _conversion(converter: Any) -> Callable[[str], Any]:
    kind = type(converter)  # by name, see response.py
    if kind is UnicodeConverter:
        return str
    if kind is IntegerConverter and not (
        converter.fixed_digits or converter.min is not None or converter.max is not None
    ):
        return int
    return converter.to_python  # type: ignore[no-any-return]
