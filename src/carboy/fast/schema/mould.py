"""What the schemas of one class have in common that were made with the same arguments."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import marshmallow
from marshmallow.orderedset import OrderedSet

from carboy.fast.schema.plain import is_constructed_plainly

__all__ = ["NO_ARGUMENTS", "Arguments", "Mould", "construct", "has_moulds", "mould_of", "names_of"]

_KEY = "_carboy_moulds"
_MOULDS_LIMIT = 64
# What the outcome of compiled code depends on, beside the fields.
_watched = attrgetter(
    "_init_fields", "_bind_field", "on_bind_field", "_normalize_nested_options", "set_class",
    "dict_class", "_serialize", "get_attribute", "_do_load", "_deserialize", "_call_and_store",
    "_invoke_field_validators", "_hooks", "error_messages",
)  # fmt: skip
_COLLECTIONS = frozenset({tuple, list, set, frozenset, OrderedSet})
_TEXT = frozenset({str})


class Arguments(NamedTuple):
    """Of the constructor, those that decide what the fields are."""

    only: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    load_only: tuple[str, ...] = ()
    dump_only: tuple[str, ...] = ()


NO_ARGUMENTS = Arguments()


class Mould:
    """A schema that nobody else has, and so nobody changes, and the code compiled for it.

    :ivar declared: the fields that the class had.
    :ivar code: by its kind.
    :ivar uses: of code of a kind that is not compiled yet.
    """

    __slots__ = ("arguments", "code", "declared", "messages", "pattern", "uses")

    def __init__(self, kind: type[marshmallow.Schema], arguments: Arguments) -> None:
        self.arguments = arguments
        self.declared = dict(kind._declared_fields)  # noqa: SLF001 - as marshmallow's constructor
        self.pattern: marshmallow.Schema = object.__new__(kind)
        construct(self.pattern, arguments)
        self.messages: dict[str, str] = dict(self.pattern.error_messages)
        self.code: dict[str, Any] = {}
        self.uses: dict[str, int] = {}


class _Moulds:
    """The moulds of a class, good as long as the class is what it was."""

    __slots__ = ("_declared", "_messages", "_options", "_said", "_watched", "made", "of", "plain")

    def __init__(self, kind: type[marshmallow.Schema]) -> None:
        self.of = kind
        self.made: dict[Arguments, Mould | None] = {}
        self.plain = is_constructed_plainly(kind)
        self._declared = dict(kind._declared_fields)  # noqa: SLF001 - as marshmallow's constructor
        self._options = _copied(vars(kind.opts))
        self._watched = _watched(kind)
        found = (vars(one).get("error_messages") for one in kind.__mro__)
        self._messages = [one for one in found if one]
        self._said = [dict(one) for one in self._messages]

    def are_good(self) -> bool:
        """Tell whether the class is what it was when these were made."""
        kind = self.of
        return (
            kind._declared_fields == self._declared  # noqa: SLF001 - as marshmallow's constructor
            and vars(kind.opts) == self._options
            and _watched(kind) == self._watched
            and self._messages == self._said
        )


def has_moulds(kind: type[marshmallow.Schema]) -> bool:
    """Tell whether a class has any moulds."""
    moulds: _Moulds | None = getattr(kind, _KEY, None)
    return moulds is not None and bool(moulds.made) and moulds.of is kind


def mould_of(
    kind: type[marshmallow.Schema], arguments: Arguments, *, at_once: bool = False
) -> Mould | None:
    """Find what schemas of a class have in common; ``None``: nothing that is known.

    The first schema that is made with some arguments makes no mould, unless *at_once*: it may
    stay the only one.
    """
    moulds: _Moulds | None = getattr(kind, _KEY, None)
    if moulds is None or moulds.of is not kind or not moulds.are_good():
        moulds = _Moulds(kind)
        setattr(kind, _KEY, moulds)
    made = moulds.made
    mould = made.get(arguments)
    if mould is None and moulds.plain:
        if at_once or arguments in made:
            mould = _made(kind, arguments)
        if len(made) >= _MOULDS_LIMIT:
            made.clear()
        made[arguments] = mould
    return mould


def _made(kind: type[marshmallow.Schema], arguments: Arguments) -> Mould | None:
    try:
        return Mould(kind, arguments)
    except Exception:  # noqa: BLE001 - marshmallow, which is asked next, says what is wrong
        return None


def construct(schema: marshmallow.Schema, arguments: Arguments, **rest: Any) -> None:
    """Construct a schema as marshmallow does."""
    marshmallow.Schema.__init__(schema, **arguments._asdict(), **rest)


def names_of(given: Any) -> tuple[str, ...] | None:
    """Give names of fields as they may be kept; ``None``: they are not plain text."""
    if type(given) not in _COLLECTIONS or not {*map(type, given)} <= _TEXT:
        return None
    return tuple(given)


def _copied(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: type(value)(value) if type(value) in (list, dict, set) else value
        for name, value in options.items()
    }
