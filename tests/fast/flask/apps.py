# ruff: noqa: E501 - tables of what is tried
"""Apps at random: the same random numbers make the same app of any class of Flask's."""

import contextlib
import logging
from copy import copy

import flask

from . import hooks, parts, routes, views
from .trace import note, text

ROUTE_KEY = "fuzz.route"
DENSE, BODIES = routes.DENSE, routes.BODIES


class Stock(flask.Flask):
    """Flask as it is, which also writes what `carboy.Flask` adds: the rule, into the environment."""

    route_key = None

    def preprocess_request(self):
        request = flask.request
        if self.route_key is not None and request.url_rule is not None:
            request.environ[self.route_key] = request.url_rule.rule
        return super().preprocess_request()


class Records(logging.Handler):
    def emit(self, record):
        note(
            "log",
            record.levelname,
            record.getMessage(),
            *(text(one) for one in (record.exc_info or ())[1:2]),
        )


@contextlib.contextmanager
def refused(what):
    """Go on after what Flask refuses: it must be refused for both."""
    try:
        yield
    except (ValueError, TypeError, AssertionError, LookupError) as error:
        note("refused", what, error)


def add_views(random, scaffold, made, mood, count):
    """Add rules with their views; what Flask refuses is refused for both."""
    for _ in range(count):
        name = f"view{len(made)}"
        rule, given = routes.path(random, mood), routes.options(random, mood)
        view = views.view(random, name, reads=mood == BODIES)
        if mood == DENSE:
            view.required_methods = ()
        added = [
            (rule, given),
            *((other, given | more) for other, more in routes.twin_rules(random, rule)),
        ]
        for one, kept in added:
            with refused(one):
                scaffold.add_url_rule(one, name, view, **kept)
                made.append(f"{scaffold.name}: {one} {kept}")


def blueprints(random, app, made, mood, chance):
    for name in random.sample(("bp", "admin", "shop"), random.choice((0, 0, 1, 2))):
        outer = flask.Blueprint(
            name, __name__, url_prefix=random.choice((None, "/a", "/users", "/<int:v8>", "/b/"))
        )
        add_views(random, outer, made, mood, random.randint(1, 4))
        hooks.add(random, outer, name, chance)
        if random.random() < 0.4:
            inner = flask.Blueprint("inner", __name__, url_prefix="/b")
            add_views(random, inner, made, mood, random.randint(1, 3))
            hooks.add(random, inner, f"{name}.inner", chance)
            outer.register_blueprint(
                inner, **random.choice(({}, {"url_prefix": "/c"}, {"name": "renamed"}))
            )
        given = random.choice(({}, {}, {"name": f"{name}2"}, {"url_prefix": "/c"}))
        with refused(name):
            app.register_blueprint(outer, **given)


def make(random, kind):  # noqa: C901 - one app, part by part
    """Make an app of a class, and list its rules."""
    mood = random.choices((DENSE, BODIES, None), (45, 15, 40))[0]
    busy, odd = random.random() < 0.3, random.random() < 0.12
    if odd and random.random() < 0.5:
        kind = parts.own_class(random, kind)
    matching = (
        random.choice(
            ({"host_matching": True, "static_host": "localhost"}, {"subdomain_matching": True})
        )
        if random.random() < 0.03
        else {}
    )
    app = kind(
        "made", root_path="/nowhere", static_folder=random.choice((None, "static")), **matching
    )
    app.logger = logging.Logger("made")  # noqa: LOG001 - one of its own
    app.logger.addHandler(Records())
    app.url_map.converters.update(routes.CONVERTERS)
    for name, chance in (
        ("strict_slashes", 0.15),
        ("merge_slashes", 0.15),
        ("redirect_defaults", 0.1),
    ):
        if random.random() < chance:
            setattr(app.url_map, name, False)
    for name, choices in parts.CONFIG:
        if random.random() < (0.25 if odd else 0.02):
            app.config[name] = copy(random.choice(choices))
    if random.random() < 0.12:
        app.config["MAX_CONTENT_LENGTH"] = random.choice((3, 10, 40))
    if random.random() < 0.6:
        app.secret_key = "k" * 20
    if odd:
        parts.change(random, app)
    if random.random() < 0.15:
        parts.json_options(random, app)
    app.route_key = ROUTE_KEY if random.random() < 0.3 else None
    made = []
    chance = random.choice((0.15, 0.5)) if busy else 0
    hooks.add(random, app, "app", chance)
    count = random.randint(4, 26) if mood == DENSE else random.randint(2, 14)
    add_views(random, app, made, mood, count)
    blueprints(random, app, made, mood, chance)
    if random.random() < 0.3:
        hooks.connect(random, app, random.choice((0.1, 0.3, 0.9)))
    return app, made


def change(random, app, made):
    """Change a running app."""
    chance = random.random()
    if chance < 0.25:
        parts.configure(random, app)
    elif chance < 0.35:
        hooks.later(random, app)
    elif chance < 0.5:
        parts.json_options(random, app)
    elif chance < 0.68:
        app.url_map.add(routes.direct(random))
    elif chance < 0.78:
        name = random.choice([*app.view_functions])
        app.view_functions[name] = views.view(random, f"{name} anew")
    elif chance < 0.82:
        app._got_first_request = False
        add_views(random, app, made, DENSE, 2)
        hooks.add(random, app, "second", 0.2)
    elif chance < 0.86:
        hooks.connect(random, app, 0.3)
    elif chance < 0.9:
        hooks.disconnect(app)
    else:
        random.choice((parts.change, parts.change, parts.strictness))(random, app)
