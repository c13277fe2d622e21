"""Flask's own call is left out only where it is Flask's."""

import flask
import pytest

import carboy
from carboy.server.gunicorn.desk import calls_inside


def test_the_call_of_flask_is_left_out():
    assert calls_inside(flask.Flask("shop"))
    assert calls_inside(carboy.Flask("shop"))


def test_a_call_that_was_replaced_before_is_made(monkeypatch):
    """Sentry's SDK does so, before there is an app."""
    genuine = flask.Flask.__call__

    def traced(self, environ, start_response):
        return genuine(self, environ, start_response)

    traced.__module__, traced.__qualname__ = genuine.__module__, genuine.__qualname__
    monkeypatch.setattr(flask.Flask, "__call__", traced)
    assert not calls_inside(carboy.Flask("shop"))


class Own(carboy.Flask):
    def __call__(self, environ, start_response):
        return super().__call__(environ, start_response)


@pytest.mark.parametrize("app", [Own("shop"), lambda *_: [], flask.Flask("shop").wsgi_app])
def test_anything_else_is_called(app):
    assert not calls_inside(app)
