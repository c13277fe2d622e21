"""The reference service: users who sign in, a catalogue of products, checkout.

Laid out as a large application: a package per domain, each with models (what is
kept), schemas (what is sent), views (HTTP) and commands (the command line); what
takes more than a few lines stands in a module of its own, without HTTP.
"""

from __future__ import annotations

from carboy import Carboy, Flask, Settings
from shop.api import front_door, version_1
from shop.auth import auth
from shop.checkout.commands import orders_cli
from shop.checkout.models import Order, OrderLine
from shop.database import db
from shop.products.commands import shop_cli
from shop.products.models import Product
from shop.products.pictures import storage
from shop.settings import ShopSettings
from shop.stats import stats
from shop.users.commands import users_cli
from shop.users.models import User


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app.

    :param settings: by default read from the environment.
    """
    app = Flask(__name__)
    Carboy(app, settings or ShopSettings)
    db.init_app(app)
    auth.init_app(app)
    storage.init_app(app)
    app.register_blueprint(front_door)
    app.register_blueprint(version_1)
    for commands in (shop_cli, users_cli, orders_cli, stats):
        app.cli.add_command(commands)
    app.shell_context_processor(
        lambda: {"db": db, "User": User, "Product": Product, "Order": Order, "OrderLine": OrderLine}
    )
    return app
