"""Every address of the shop: the front door, and the domains under their version."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for
from marshmallow import fields

from carboy import Blueprint
from shop.auth import auth
from shop.checkout.views import checkout, orders
from shop.products.views import products
from shop.users.views import profiles, users

# Closed: what is for everybody says so.
version_1 = Blueprint("v1", __name__, url_prefix="/api/v1", requires=True)
for domain in (auth.blueprint, users, profiles, products, checkout, orders):
    version_1.register_blueprint(domain)

front_door = Blueprint("front", __name__, tags=["Front door"])


@front_door.get("/")
@front_door.output({"message": fields.String(), "links": fields.Dict()})
def greet() -> dict[str, Any]:
    """Greet, and say where to go."""
    return {
        "message": current_app.config["MSG"],
        "links": {
            "products": url_for("v1.products.products"),
            "categories": url_for("v1.products.list_categories"),
            "register": url_for("v1.users.register"),
            "sign_in": url_for("v1.auth.sign_in"),
            "documentation": "/docs",
        },
    }
