"""The reference service: users, a catalogue of products, checkout.

Laid out as a large application: a package per domain, each with models (what is
kept), schemas (what is sent), views (HTTP) and commands (the command line); what
takes more than a few lines stands in a module of its own, without HTTP.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, url_for
from marshmallow import fields

from carboy import Blueprint, Carboy, Settings
from shop.checkout.commands import orders_cli
from shop.checkout.models import Order, OrderLine
from shop.checkout.views import checkout, orders
from shop.database import db
from shop.products.commands import shop_cli
from shop.products.models import Product
from shop.products.views import products
from shop.settings import ShopSettings
from shop.users.commands import users_cli
from shop.users.models import User
from shop.users.views import profiles, users


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app.

    :param settings: by default read from the environment.
    """
    app = Flask(__name__)
    Carboy(app, settings or ShopSettings)
    db.init_app(app)
    app.register_blueprint(_front_door())
    app.register_blueprint(_version_1())
    for commands in (shop_cli, users_cli, orders_cli):
        app.cli.add_command(commands)
    app.shell_context_processor(
        lambda: {"db": db, "User": User, "Product": Product, "Order": Order, "OrderLine": OrderLine}
    )
    return app


def _version_1() -> Blueprint:
    api = Blueprint("v1", __name__, url_prefix="/api/v1")
    for domain in (users, profiles, products, checkout, orders):
        api.register_blueprint(domain)
    return api


def _front_door() -> Blueprint:
    front = Blueprint("front", __name__)

    @front.get("/")
    @front.output({"message": fields.String(), "links": fields.Dict()})
    def greet() -> dict[str, Any]:
        """Greet, and say where to go."""
        return {
            "message": current_app.config["MSG"],
            "links": {
                "products": url_for("v1.products.list_products"),
                "categories": url_for("v1.products.list_categories"),
                "users": url_for("v1.users.list_users"),
                "documentation": "/docs",
            },
        }

    return front
