"""The request of the lane: what it needs is there, the rest is made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import flask
from flask.globals import _cv_app
from werkzeug.datastructures import EnvironHeaders
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream, _get_server

from carboy.fast.flask.form import quickened
from carboy.fast.flask.lazily import lazily
from carboy.fast.flask.provider import JSONProvider
from carboy.fast.flask.reading import exactly

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["Request"]

_new = object.__new__
_LENGTH_DIGITS = 18


class Request(flask.Request):
    """A :class:`flask.Request` that the lane fills without taking the environment apart."""

    form_read = False
    """Whether there may be files to close."""
    _body_length: int | None = None

    @classmethod
    def on(cls, environ: WSGIEnvironment, method: str, path: str) -> Request:
        """Make what ``flask.Request(environ)`` makes.

        :param method: in capital letters.
        :param path: decoded.
        """
        self: Any = _new(cls)
        self.environ = environ
        self.method = method
        self.path = path if path[:1] == "/" and path[1:2] != "/" else "/" + path.lstrip("/")
        self.scheme = environ["wsgi.url_scheme"]
        self.remote_addr = environ.get("REMOTE_ADDR")
        query = environ.get("QUERY_STRING")
        self.query_string = query.encode("latin1") if query else b""
        root = environ.get("SCRIPT_NAME")
        self.root_path = _decoded(root).rstrip("/") if root else ""
        self.shallow = False
        environ["werkzeug.request"] = self
        return cast("Request", self)

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
        self.form_read = True
        super()._load_form_data()

    @cached_property
    def stream(self) -> Any:
        """See :attr:`werkzeug.wrappers.Request.stream`; at its end after :meth:`get_data`."""
        length = self._body_length
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
        own = self.__dict__
        environ = self.environ
        announced = environ.get("CONTENT_LENGTH")
        if (
            as_text
            or parse_form_data
            or not cache
            or not announced
            or not announced.isdecimal()
            or not announced.isascii()
            or len(announced) > _LENGTH_DIGITS
            or "_cached_data" in own
            or "stream" in own
            or "wsgi.input_terminated" in environ
            or "HTTP_TRANSFER_ENCODING" in environ
            or self.shallow
            or not self._fits(length := int(announced))
        ):
            return super().get_data(cache, as_text, parse_form_data)  # type: ignore[call-overload]
        data = exactly(environ["wsgi.input"], length)
        self._cached_data = data
        self._body_length = length
        return data

    def _fits(self, length: int) -> bool:
        """Tell whether a body of *length* bytes is within the limit, as far as one is known."""
        limit = self._max_content_length
        if limit is None:
            context = _cv_app.get(None)
            if context is None:
                return False
            limit = context.app.config["MAX_CONTENT_LENGTH"]
        return limit is None or length <= limit

    def get_json(
        self,
        force: bool = False,  # noqa: FBT001, FBT002 - Werkzeug's signature
        silent: bool = False,  # noqa: FBT001, FBT002
        cache: bool = True,  # noqa: FBT001, FBT002
    ) -> Any:
        """See :meth:`werkzeug.wrappers.Request.get_json`."""
        if (
            cache
            and type(self.json_module) is JSONProvider
            and self._cached_json is flask.Request._cached_json
            and (force or self.environ.get("CONTENT_TYPE") == "application/json")
        ):
            data = self.get_data()
            try:
                value = self.json_module.loads(data)
            except ValueError:
                pass  # what becomes of it is Werkzeug's business
            else:
                self._cached_json = (value, value)
                return value
        return super().get_json(force, silent, cache)


def _decoded(text: str) -> str:
    """Decode a string of WSGI (PEP 3333, "Unicode Issues")."""
    return text.encode("latin1").decode(errors="replace")
