"""A service around the blueprint under test, its requests made through the crate."""

import flask
import pytest

from carboy.api.blueprint import Blueprint
from carboy.app import Carboy


@pytest.fixture
def api():
    return Blueprint("api", __name__)


@pytest.fixture
def serve():
    """Register blueprints on an app of their own and return its test client."""

    def serve(*blueprints, app=None, **options):
        app = app or flask.Flask(__name__)
        Carboy(app, {"APP_ENV": "Testing", "API_DOCS": False}, **options)
        for blueprint in blueprints:
            app.register_blueprint(blueprint)
        return app.test_client()

    return serve
