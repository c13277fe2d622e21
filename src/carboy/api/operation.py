"""What is known about one endpoint: what it takes, what it answers, how it is documented.

The blueprint writes it onto the view function; validation, serialisation and the
OpenAPI document read it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from marshmallow import Schema

Location = Literal["json", "query", "form", "files", "headers", "cookies"]
_ATTRIBUTE = "__carboy_operation__"


@dataclass(frozen=True)
class Input:
    """One part of the request: where it is found and what it must look like.

    :param argument: name of the view's parameter that receives it.
    :param example: shown in the OpenAPI document.
    :param wrap: name of the one field of *schema* that the view receives; empty: all of it.
    """

    schema: Schema
    location: Location = "json"
    argument: str = "data"
    example: Any = None
    wrap: str = ""


@dataclass(frozen=True)
class Output:
    """The answer of a success; no schema: no body.

    :param headers: response header → what it means.
    :param wrap: name of the one field of *schema* that the view returns; empty: all of it.
    """

    schema: Schema | None
    status: int = 200
    description: str = ""
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    example: Any = None
    wrap: str = ""


@dataclass
class Operation:
    """Everything declared about one view function.

    :param errors: status → when it is answered, beyond those known from the inputs.
    :param security: names of security schemes, any of which will do; ``None``: as the document
        says.
    :param extra: merged into the OpenAPI operation object as it is.
    """

    inputs: list[Input] = field(default_factory=list)
    output: Output | None = None
    errors: dict[int, str] = field(default_factory=dict)
    summary: str = ""
    description: str = ""
    tags: list[str] = field(default_factory=list)
    operation_id: str = ""
    deprecated: bool = False
    hidden: bool = False
    security: list[str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Read the operation of a view function; ``None`` where nothing was declared."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


def declare(view: Callable[..., Any]) -> Operation:
    """Give the view function an operation to write on, or the one it has."""
    found = operation_of(view)
    if found is None:
        found = Operation()
        setattr(view, _ATTRIBUTE, found)
    return found
