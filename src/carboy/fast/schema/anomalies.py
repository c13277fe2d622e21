"""What generated code calls for values and names that it does not expect."""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, missing
from marshmallow.error_store import ErrorStore
from marshmallow.utils import set_value

from carboy.fast.schema.nesting import Deserializer

__all__ = ["load_field", "new_store", "with_unknown"]


def load_field(  # noqa: PLR0913, PLR0917 - called by generated code
    schema: Schema,
    deserialize: Deserializer,
    key: str,
    place: str,
    value: Any,
    data: dict[str, Any],
    loaded: dict[str, Any],
    store: Any,
    index: int | None,
    partial: bool | None,  # noqa: FBT001 - as above
) -> Any:
    """Load a value by its field's own code."""
    if store is None:
        store = new_store()
    store_errors: Any = schema._call_and_store  # noqa: SLF001 - what marshmallow calls here
    found = store_errors(
        getter_func=lambda raw: deserialize(raw, key, data, partial),
        data=value,
        field_name=key,
        error_store=store,
        index=index,
    )
    if found is not missing:
        set_value(loaded, place, found)
    return store


def with_unknown(  # noqa: PLR0913, PLR0917 - called by generated code
    schema: Schema,
    keys: frozenset[str],
    data: dict[str, Any],
    loaded: dict[str, Any],
    unknown: str,
    store: Any,
    index: int | None,
) -> Any:
    """Treat the names that the schema does not know as *unknown* says."""
    if store is None:
        store = new_store()
    for key in set(data) - keys:
        if unknown == INCLUDE:
            loaded[key] = data[key]
        else:
            store.store_error([schema.error_messages["unknown"]], key, index)
    return store


def new_store() -> Any:
    """Make what collects errors."""
    return ErrorStore()  # type: ignore[no-untyped-call]
