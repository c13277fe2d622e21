"""The line of a request, as JSON."""

from __future__ import annotations

import time
from json.encoder import encode_basestring_ascii as quoted
from typing import Final

_quoted: Final = quoted
NAME: Final = "carboy.access"
_THOUSANDTHS: Final = tuple(f"{number:03d}" for number in range(1000))  # formatting one costs more


def about_method(method: str) -> str:
    """Write what stands between the client and the path."""
    return f',"method":{_quoted(method)},"path":'


def about_answer(route: str, status: int) -> str:
    """Write what stands between the path and the duration."""
    return f',"route":{_quoted(route)},"status":{status},"duration_ms":'


# The second whose beginning is written: replaced as a whole by whoever sees that it is over.
_second = (0.0, "")


def line_of(  # noqa: PLR0913, PLR0917 - what a line says, for every request
    created: float,
    duration_us: int,
    request_id: str,
    trace_id: str,
    client: str,
    method: str,
    path: str,
    answer: str,
    sent: int,
    agent: str,
) -> str:
    """Write a line.

    :param trace_id: may be empty.
    :param method: of :func:`about_method`.
    :param answer: of :func:`about_answer`.
    :param agent: quoted.
    """
    second, beginning = _second
    past = created - second
    if not 0.0 <= past < 1.0:
        second, beginning = _began(created)
        past = created - second
    trace = f'"{trace_id}"' if trace_id else "null"
    return (
        f'{beginning}{_THOUSANDTHS[int(past * 1000)]}Z","level":"info","logger":"{NAME}",'
        f'"event":"request","request_id":"{request_id}","trace_id":{trace},'
        f'"client":{_quoted(client)}{method}{_quoted(path)}{answer}'
        f"{duration_us // 1000}.{_THOUSANDTHS[duration_us % 1000]},"
        f'"bytes":{sent},"user_agent":{agent}}}\n'
    )


def _began(created: float) -> tuple[float, str]:
    global _second  # noqa: PLW0603 - as said there
    whole = float(int(created))
    _second = whole, time.strftime('{"time":"%Y-%m-%dT%H:%M:%S.', time.gmtime(whole))
    return _second
