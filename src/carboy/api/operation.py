"""What is known about one endpoint: what it takes, what it answers, how it is documented.

The blueprint writes it onto the view function; validation, serialisation and the
OpenAPI document read it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from marshmallow import Schema

if TYPE_CHECKING:
    from carboy.api.deprecation import Deprecation
    from carboy.api.idempotency import Idempotent
    from carboy.api.limits import Limit

Location = Literal["json", "query", "form", "files", "headers", "cookies"]
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something (RFC 9110, section 9.2.1)."""

_ATTRIBUTE = "__carboy_operation__"
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Input:
    """One part of the request: where it is found and what it must look like.

    :param argument: name of the view's parameter that receives it.
    :param example: shown in the OpenAPI document.
    :param wrap: name of the one field of *schema* that the view receives; empty: all of it.
    :param media_types: of a JSON body, for the OpenAPI document; every type that ends in
        ``+json`` is read.
    """

    schema: Schema
    location: Location = "json"
    argument: str = "data"
    example: Any = None
    wrap: str = ""
    media_types: tuple[str, ...] = ("application/json",)


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


@dataclass(frozen=True)
class Link:
    """Where to go from an answer: another operation, and what of the answer it takes.

    :param to: name of a view of the same blueprint, or an operation id of the document.
    :param parameters: parameter of that operation → field of the data, by its names with dots
        between them (``user.id``, ``items.0.id``), or a runtime expression of OpenAPI, which
        begins with ``$``. Variables of the address that both have are passed on.
    :param method: of the view that is meant, where it has several.
    :param optional: there is no link where the operation is not in the document, or its
        envelope does not say where the data is. Otherwise that is an error.

    Source: OpenAPI 3.1.0, section 4.8.20.
    """

    to: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    method: str = ""
    optional: bool = False


@dataclass
class Operation:
    """Everything declared about one view function.

    :param errors: status → when it is answered, beyond those known from the inputs.
    :param security: names of security schemes, any of which will do; ``None``: as the document
        says.
    :param deprecation: since when it is deprecated, and the headers that say so.
    :param idempotency: what becomes of a request that is sent again.
    :param limits: how often it may be called; ``None``: as its blueprint or the app says.
    :param parameters: more OpenAPI parameter objects.
    :param answers: status → OpenAPI response object, for answers that are no data, such as
        files; they take the place of *output*. The schema of a content may be marshmallow's.
    :param links: where to go from a success.
    :param refuses: a known caller may be answered 403, if *security* names schemes.
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
    deprecation: Deprecation | None = None
    hidden: bool = False
    security: list[str] | None = None
    idempotency: Idempotent | None = None
    limits: tuple[Limit, ...] | None = None
    parameters: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    refuses: bool = True
    extra: dict[str, Any] = field(default_factory=dict)


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Read the operation of a view function; ``None`` where nothing was declared."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Operation) else None


def parts_of(view: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Give a view function, and the methods of a class-based one."""
    yield view
    kind = getattr(view, "view_class", None)
    yield from filter(None, (getattr(kind, method, None) for method in _METHODS))


def declare(view: Callable[..., Any]) -> Operation:
    """Give the view function an operation to write on, or the one it has."""
    found = operation_of(view)
    if found is None:
        found = Operation()
        setattr(view, _ATTRIBUTE, found)
    return found


def declare_apart(view: Callable[..., Any]) -> Operation:
    """Give a function that wraps a view an operation of its own, equal to the view's so far.

    What is then declared on it does not reach the view, which may be routed elsewhere too.
    """
    known = operation_of(view) or Operation()
    own = replace(
        known,
        inputs=list(known.inputs),
        errors=dict(known.errors),
        tags=list(known.tags),
        parameters=list(known.parameters),
        answers=dict(known.answers),
        links=list(known.links),
        extra=dict(known.extra),
    )
    setattr(view, _ATTRIBUTE, own)
    return own
