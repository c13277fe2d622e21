"""Records as a handler gets them, and the text made of them."""

import logging

import pytest

from carboy.crate import Exchange
from carboy.logs import current_ids, make_formatter


def write(log_format, message, *args, colour=False, **rest):
    record = logging.getLogger("shop").makeRecord(
        "shop", logging.WARNING, __file__, 1, message, args, rest.pop("exc_info", None), **rest
    )
    return make_formatter(log_format, colour=colour).format(record)


@pytest.fixture
def formatted():
    return write


@pytest.fixture
def ids():
    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "HTTP_X_REQUEST_ID": "id-1"}
    exchange = Exchange(environ, 0)
    current_ids.set(exchange)
    yield exchange
    current_ids.set(None)
