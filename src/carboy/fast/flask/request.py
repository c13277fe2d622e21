"""The request of the lane: what it needs is there, the rest is made when it is asked for."""

from __future__ import annotations

from functools import partial
from typing import Any

import flask
from werkzeug.datastructures import EnvironHeaders
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream, _get_server

from carboy.fast.flask.form import quickened
from carboy.fast.flask.lazily import lazily
from carboy.fast.flask.reading import data_of, json_at_once, json_of
from carboy.fast.flask.watch import Methods

__all__ = ["METHODS", "Request"]


class Request(flask.Request):
    """A :class:`flask.Request` that the lane fills without taking the environment apart."""

    _carboy_form_read = False
    """Whether there may be files to close."""
    _carboy_length: int | None = None
    """Of the body that was read by :func:`data_of`."""

    @lazily
    def server(self) -> tuple[str, int | None] | None:
        """Name and port of the server."""
        return _get_server(self.environ)

    @lazily
    def host(self) -> str:
        """See :attr:`werkzeug.wrappers.Request.host`."""
        return flask.Request.host.fget(self)  # type: ignore[attr-defined,no-any-return]

    @lazily
    def headers(self) -> EnvironHeaders:
        """The headers, which look into the environment."""
        return EnvironHeaders(self.environ)

    def make_form_data_parser(self) -> FormDataParser:
        """See :meth:`werkzeug.wrappers.Request.make_form_data_parser`."""
        return quickened(super().make_form_data_parser())

    def _load_form_data(self) -> None:
        self._carboy_form_read = True
        super()._load_form_data()

    @cached_property
    def stream(self) -> Any:
        """See :attr:`werkzeug.wrappers.Request.stream`; at its end after :meth:`get_data`."""
        length = self._carboy_length
        if length is None:
            return flask.Request.stream.fget(self)  # type: ignore[attr-defined]
        stream = LimitedStream(self.environ["wsgi.input"], length)
        stream._pos = length
        return stream

    def get_data(
        self,
        cache: bool = True,  # noqa: FBT001, FBT002 - Werkzeug's signature
        as_text: bool = False,  # noqa: FBT001, FBT002
        parse_form_data: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """See :meth:`werkzeug.wrappers.Request.get_data`."""
        return data_of(self, cache=cache, as_text=as_text, parse_form_data=parse_form_data)

    def get_json(
        self,
        force: bool = False,  # noqa: FBT001, FBT002 - Werkzeug's signature
        silent: bool = False,  # noqa: FBT001, FBT002
        cache: bool = True,  # noqa: FBT001, FBT002
    ) -> Any:
        """See :meth:`werkzeug.wrappers.Request.get_json`."""
        return json_of(Request, self, force=force, silent=silent, cache=cache)


Request.json = property(  # type: ignore[assignment,method-assign]
    partial(json_at_once, Request), doc="See :attr:`werkzeug.wrappers.Request.json`."
)

METHODS = Methods(Request, "get_data", "get_json", "json")
"""Those that the lane goes past while they are as they were defined."""
