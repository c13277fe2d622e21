"""What a resource's methods read, and how the OpenAPI document describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from carboy.api.conditional import describe_read, describe_write
from carboy.api.endpoint import Endpoint
from carboy.api.operation import Input, Link, Location, Operation, Output

if TYPE_CHECKING:
    from marshmallow import Schema

    from carboy.api.resource.plan import Plan
    from carboy.api.resource.resource import Method

__all__ = ["describe"]

MERGE_PATCH = "application/merge-patch+json"
_SUMMARIES: dict[Method, str] = {
    "list": "List the {plural}.",
    "create": "Create one {singular}.",
    "read": "Read one {singular}.",
    "replace": "Replace one {singular}.",
    "update": "Change some of one {singular}.",
    "delete": "Delete one {singular}.",
}
_VERBS: dict[Method, str] = {"read": "get", "replace": "put", "update": "patch", "delete": "delete"}
_TAG = {"ETag": "Entity tag of what is answered, for If-Match and If-None-Match."}
_CLASH = "There is one like it already, or it refers to something that does not exist."


def describe(view: Callable[..., Any], method: Method, plan: Plan, name: str) -> Callable[..., Any]:
    """Declare inputs and outputs of the view of one method.

    :param name: of the list, for the name of the operation.
    :return: the function Flask calls.
    """
    view.__doc__ = _words(method, plan)
    endpoint = Endpoint(view)
    operation = endpoint.operation
    singular = plan.singular.replace(" ", "_")
    operation.operation_id = operation.operation_id or (
        f"list_{name}" if method == "list" else f"{method}_{singular}"
    )
    _INPUTS.get(method, _nothing)(endpoint, plan)
    endpoint.answers(_output(method, plan))
    _failures(operation, method, plan)
    operation.links[:0] = _links(method, plan, f"{name}_item")  # one's own come later, and win
    if method in ("list", "read"):
        describe_read(endpoint.function)
    elif method != "create":
        describe_write(endpoint.function, required=plan.kind.if_match == "required")
    return endpoint.function


def _words(method: Method, plan: Plan) -> str:
    """Take the docstring of an overridden method; ours are about Python, not about the API."""
    from carboy.api.resource.resource import Resource  # it imports this package for its types

    own = getattr(plan.kind, method)
    if own.__doc__ and own.__doc__ != getattr(Resource, method).__doc__:
        return cleandoc(own.__doc__)
    return _SUMMARIES[method].format(singular=plan.singular, plural=plan.plural)


def _nothing(_: Endpoint, __: Plan) -> None:
    """Take no input beside the address."""


def _query(endpoint: Endpoint, plan: Plan) -> None:
    _take(endpoint, plan.query_schema, "query", "query")


def _whole(endpoint: Endpoint, plan: Plan) -> None:
    assert plan.writing is not None  # noqa: S101 - the plan refuses such a resource
    _take(endpoint, plan.writing.schema, "json", "data")


def _patch(endpoint: Endpoint, plan: Plan) -> None:
    assert plan.merging is not None  # noqa: S101 - as above
    _take(endpoint, plan.merging.first, "json", "data")
    endpoint.operation.inputs[0] = Input(
        schema=plan.merging.documented, media_types=("application/json", MERGE_PATCH)
    )


_INPUTS: dict[Method, Callable[[Endpoint, Plan], None]] = {
    "list": _query,
    "create": _whole,
    "replace": _whole,
    "update": _patch,
}


def _take(endpoint: Endpoint, schema: Schema, location: Location, argument: str) -> None:
    endpoint.takes(Input(schema=schema, location=location, argument=argument), None)


def _output(method: Method, plan: Plan) -> Output:
    if method == "delete":
        return Output(schema=None, status=204)
    if method == "list":
        link = {"Link": "The other pages, as links of the body."}
        return Output(schema=plan.page_schema, headers=_TAG | link)
    if method == "create":
        place = {"Location": f"Address of the {plan.singular}."}
        return Output(schema=plan.schema, status=201, headers=_TAG | place)
    return Output(schema=plan.schema, headers=_TAG)


def _links(method: Method, plan: Plan, item: str) -> Iterator[Link]:
    """Lead from a list to its first row, and from a row to what can be done with it."""
    there: tuple[Method, ...]
    if method == "list":
        listed: Any = plan.page_schema.fields.get("items")
        row = getattr(getattr(listed, "inner", None), "schema", None)
        key, there = _answered(row, plan), ("read",)
        taken = None if key is None else {plan.key.key: f"items.0.{key}"}
    elif method == "create":
        key, there = _answered(plan.schema, plan), tuple(_VERBS)
        taken = None if key is None else {plan.key.key: key}
    else:
        taken, there = {}, ("replace", "update", "delete") if method == "read" else ()
    if taken is None:
        return
    for one in there:
        if one in plan.methods:
            tag = plan.kind.if_match == "required" and one != "read"
            given = {**taken, "If-Match": "$response.header.ETag"} if tag else taken
            yield Link(item, given, method=_VERBS[one], optional=True)


def _answered(schema: Schema | None, plan: Plan) -> str | None:
    """Find what the key of a row is called in an answer; ``None``: it is not answered."""
    for name, field in schema.dump_fields.items() if schema is not None else ():
        if (field.attribute or name) == plan.key.key:
            return name if field.data_key is None else field.data_key
    return None


def _failures(operation: Operation, method: Method, plan: Plan) -> None:
    found: dict[int, str] = {}
    if method not in ("list", "create"):
        found[404] = f"There is no such {plan.singular}."
    if method == "delete":
        found[409] = "Something refers to it still."
    elif method not in ("list", "read") and plan.may_clash():
        found[409] = _CLASH
    operation.errors = found | operation.errors
