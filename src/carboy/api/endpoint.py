"""What happens around one view function: inputs are read before it, its answer made after it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, cast

from flask import current_app
from marshmallow import Schema
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from carboy.api.answers import BODILESS, empty, succeed
from carboy.api.directly import called_directly
from carboy.api.operation import Input, Location, Operation, Output, declare
from carboy.api.parsing import Reading, Unknown, read_all
from carboy.api.rows import dumped
from carboy.backing.records import Record, Records
from carboy.fast.flask.context import current
from carboy.fast.flask.response import DIRECT, Written, response_of
from carboy.fast.schema import dump

__all__ = ["Endpoint", "Guard"]

_ATTRIBUTE = "__carboy_endpoint__"
_OK = 200
_UNTOUCHED = (WerkzeugResponse, HTTPException)
_HEADERS = (Headers, dict, list, tuple)
_FORMS: frozenset[Location] = frozenset({"form", "files"})
Finish = Callable[[Any, int, Any], Any]
Guard = Callable[[Callable[[], Any]], Any]
"""Called with what makes the answer; answers itself, or calls that, whose errors pass through."""


class Endpoint:
    """A view and what was declared directly above it.

    Decorators that stand together share one endpoint, so that all inputs are checked
    before anything is answered. A decorator from elsewhere between them starts another:
    what it does happens between the two, as its place says.

    :ivar guards: what stands between the inputs, once they are read, and the view; the last
        one outermost.
    :ivar function: what Flask calls; it has the name and the signature of the view.
    """

    def __init__(self, view: Callable[..., Any]) -> None:
        self.view = view
        self.readings: list[Reading] = []
        self.guards: list[Guard] = []
        self.inputs: list[Input] = []
        self.output: Output | None = None
        self.function = self._wrapped()
        setattr(self.function, _ATTRIBUTE, self)

    @classmethod
    def at(cls, view: Callable[..., Any]) -> Endpoint | None:
        """Find the endpoint whose function *view* is."""
        found = getattr(view, _ATTRIBUTE, None)
        # A decorator that uses functools.wraps copies the attribute onto a function of its own.
        return found if isinstance(found, cls) and found.function is view else None

    @classmethod
    def around(cls, view: Callable[..., Any]) -> Endpoint:
        """Take the endpoint whose function *view* is, or make one around it."""
        return cls.at(view) or cls(view)

    @classmethod
    def innermost(cls, view: Callable[..., Any]) -> Endpoint:
        """Find the endpoint next to the function that was written; there must be one."""
        found, inner = cls.at(view), cast("Any", view)
        while inner := getattr(inner, "__wrapped__", None):
            found = cls.at(inner) or found
        assert found is not None  # noqa: S101 - a blueprint puts one around every view
        return found

    @property
    def operation(self) -> Operation:
        """What the OpenAPI document reads."""
        return declare(self.function)

    def takes(self, declared: Input, unknown: Unknown | None) -> None:
        """Read one more part of the request.

        :param unknown: see :class:`~carboy.api.parsing.Reading`.
        :raises TypeError: if the declarations contradict each other or the view.
        """
        self._refuse_contradiction(declared)
        self.inputs.insert(0, declared)  # decorators apply from the bottom up
        self.readings.insert(0, Reading(declared, unknown))
        self.operation.inputs.insert(0, declared)

    def answers(self, output: Output) -> None:
        """Declare the answer of a success.

        :raises TypeError: if there is one already.
        """
        if self.output is not None:
            raise TypeError(f"{self.name} declares two outputs; keep one.")
        self.output = self.operation.output = output

    @property
    def name(self) -> str:
        """Name of the view, for messages."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def respond(self, value: Any, finish: Finish = succeed) -> Any:
        """Make the response of what the view returned, or leave it to Flask.

        :param finish: makes it from data, status and headers.
        :raises TypeError: if it does not fit what was declared.
        """
        if type(value) is Written:
            return response_of(value)
        data, status, headers = _parts(value)
        if isinstance(data, _UNTOUCHED):
            return value
        output = self.output
        if output is not None:
            return self._declared(output, data, status, headers, finish)
        if data is None or isinstance(data, (dict, list)):
            return finish(data, _OK if status is None else _code(status), headers)
        return value

    def _declared(
        self, output: Output, data: Any, status: Any, headers: Any, finish: Finish
    ) -> Any:
        code = output.status if status is None else _code(status)
        if output.schema is None:
            if data is not None:
                raise TypeError(f"{self.name} declares an answer without a body and returned one.")
            return empty(code, headers)
        if code in BODILESS:
            return empty(code, headers)
        return finish(self._dumped(data, output.schema, output.wrap), code, headers)

    def _dumped(self, data: Any, schema: Schema, wrap: str) -> Any:
        if data is None:
            raise TypeError(f"{self.name} returned nothing and declares a body.")
        if wrap:
            inside: Any = schema.fields[wrap]
            return {wrap: self._dumped(data, inside.schema, "")}
        if isinstance(data, (Record, Records)) and schema.many is isinstance(data, Records):
            return dumped(schema, data)
        if (
            not schema.many
            and isinstance(data, (list, tuple, Records))
            and not hasattr(data, "_fields")
        ):
            raise TypeError(
                f"{self.name} returned a list, and its schema describes one object. "
                f"Declare {type(schema).__name__}(many=True)."
            )
        return dump(schema, data)

    def _wrapped(self) -> Callable[..., Any]:
        view = self.view
        readings = self.readings
        guards = self.guards
        respond = self.respond

        def guarded(run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            def proceed() -> Any:
                return respond(run(*args, **kwargs))

            answered: Callable[[], Any] = proceed
            for guard in guards:
                answered = partial(guard, answered)
            return answered()

        @wraps(view)
        def endpoint(*args: Any, **kwargs: Any) -> Any:
            if readings:
                kwargs.update(read_all(readings, current().request))
            if guards:
                return guarded(view, *args, **kwargs)
            return respond(view(*args, **kwargs))

        @wraps(view)
        def endpoint_of_coroutine(*args: Any, **kwargs: Any) -> Any:
            if readings:
                kwargs.update(read_all(readings, current().request))
            return guarded(current_app.ensure_sync(view), *args, **kwargs)

        if inspect.iscoroutinefunction(view):
            return endpoint_of_coroutine
        setattr(endpoint, DIRECT, (endpoint, called_directly(self, endpoint)))
        return endpoint

    def _refuse_contradiction(self, declared: Input) -> None:
        for other in self.inputs:
            if other.argument == declared.argument:
                raise TypeError(
                    f"{self.name} has two inputs named {declared.argument!r}; "
                    "give one of them another name with argument=."
                )
            pair = {other.location, declared.location}
            if len(pair) == 1 or ("json" in pair and pair & _FORMS):
                raise TypeError(
                    f"{self.name} takes {other.location} and {declared.location}; "
                    "a request has only one of them. Keep one input, or merge the schemas."
                )
        parameters = inspect.signature(self.view).parameters
        if declared.argument not in parameters and not any(
            parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
        ):
            raise TypeError(
                f"{self.name} has no parameter {declared.argument!r} for its input from "
                f"{declared.location}. Add it, or name another with argument=."
            )


def _parts(value: Any) -> tuple[Any, Any, Any]:
    """Take apart what Flask lets a view return: data, status and headers."""
    if type(value) is tuple:  # a named tuple is data
        if len(value) == 3:  # noqa: PLR2004 - as Flask counts
            return value
        if len(value) == 2:  # noqa: PLR2004
            data, other = value
            return (data, None, other) if isinstance(other, _HEADERS) else (data, other, None)
    return value, None, None


def _code(status: Any) -> int:
    """Read a status as Flask does: a number, or text such as ``"201 Created"``."""
    return int(status.split()[0]) if isinstance(status, str) else int(status)
