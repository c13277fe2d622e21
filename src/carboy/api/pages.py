"""Views that answer with a page rather than with data."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import request

P = ParamSpec("P")
R = TypeVar("R")


def page(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that a view answers with a page a browser shows.

    Its answers get security headers under which a page may load the service's own
    scripts, styles and images. Place it below the route::

        @app.get("/")
        @page
        def front(): ...
    """

    @wraps(view)
    def declared(*args: P.args, **kwargs: P.kwargs) -> R:
        request.environ["carboy.policy"] = "page"
        return view(*args, **kwargs)

    return declared
