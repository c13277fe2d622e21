# ruff: noqa: E501 - tables of what is tried
"""Rules at random, close enough to one another that they compete for paths."""

import re
from itertools import count

import flask
from werkzeug.routing import BaseConverter, Rule, ValidationError

from .trace import note


class Traced(BaseConverter):
    """A converter that says when it is used, and sees the session and the request."""

    regex = "[a-z]+"

    def to_python(self, value):
        note("to_python", value, len(flask.session), flask.request.method)
        if value == "bad":
            raise ValidationError
        return value.upper()

    def to_url(self, value):
        return value.lower()


class Failing(BaseConverter):
    def to_python(self, value):
        if value == "7":
            raise ZeroDivisionError("converter")
        return [value]


class Slashed(BaseConverter):
    """One that takes slashes too, like a path."""

    part_isolating = False
    regex = "[^/].*?"
    weight = 150


class Listed(BaseConverter):
    """One that takes none, and says nothing of it."""

    regex = r"\w+(?:\+\w+)*"

    def to_python(self, value):
        return value.split("+")


class Light(BaseConverter):
    weight = 10
    regex = "[ab]"


DENSE = "dense"
"""Rules of few kinds of parts, so that many of them want the same paths."""
BODIES = "bodies"
"""Views that read what they are sent."""

CONVERTERS = {
    "traced": Traced,
    "failing": Failing,
    "slashed": Slashed,
    "listed": Listed,
    "light": Light,
}

STATIC = ("a", "b", "c", "users", "x.y", "A", "7", "é", "a b", "%41", "")
DYNAMIC = (
    "<{}>", "<{}>", "<int:{}>", "<int:{}>", "<string:{}>", "<float:{}>", "<uuid:{}>", "<any(a, b, users):{}>",
    "<int(min=2, max=50):{}>", "<int(fixed_digits=2):{}>", "<int(signed=True):{}>", "<string(length=2):{}>",
    "<string(minlength=2, maxlength=3):{}>", "<traced:{}>", "<failing:{}>", "<listed:{}>", "<light:{}>", "<default:{}>",
)  # fmt: skip
MIXED = ("pre<int:{}>", "<int:{}>.json", "<{}>-<int:{}>", "v<{}>", "<float:{}>x")
LONG = ("<path:{}>", "<path:{}>", "<slashed:{}>", "<path:{}>.txt")
VALUES = {
    "int": ("1", "42", "007", "10", "99", "7"), "float": ("1.5", "0.25", "10.0"), "path": ("a", "a/b", "a/b/c", "7/x"),
    "uuid": ("00000000-0000-0000-0000-000000000005",), "any": ("a", "b", "users"), "slashed": ("a", "b/a"),
    "traced": ("abc", "bad", "a"), "failing": ("7", "a"), "listed": ("a+b", "a"), "light": ("a", "b"),
    "string": ("ab", "a", "abc", "zz"), "default": ("a", "b", "zz", "7", "x y", "users"),
}  # fmt: skip
ODD = (
    "", "²", "²", "\udcff", "\udcff", "٣", "-1", "é", "x y", "%2F", ".", "..", "1.", "\u20ac", "a+b", "0", "A", "\x00",
    "a\n", "1\n", "1" * 5000,
)  # fmt: skip
METHODS = (
    ["GET"],
    ["GET"],
    ["GET"],
    ["POST"],
    ["GET", "POST"],
    ["DELETE"],
    ["put"],
    ["OPTIONS", "GET"],
    ["BREW"],
    ["HEAD"],
)

PLACEHOLDER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>")


def segment(random, dense, names):
    chance = random.random()
    if chance < 0.45:
        chosen = random.choice(STATIC[:3] if dense else STATIC)
    elif chance < 0.93:
        chosen = random.choice(DYNAMIC[:5] if dense else DYNAMIC)
    else:
        chosen = random.choice(MIXED)
    return re.sub(r"\{\}", lambda _: next(names), chosen)


def path(random, mood):
    """Write a rule."""
    dense = mood == DENSE
    names = (f"v{number}" for number in count())
    parts = [
        segment(random, dense, names)
        for _ in range(random.choices((0, 1, 2, 3, 4), (1, 5, 7, 5, 1))[0])
    ]
    if random.random() < (0.07 if dense else 0.15):
        parts.append(re.sub(r"\{\}", lambda _: next(names), random.choice(LONG)))
        if random.random() < 0.2:
            parts.append(random.choice(("edit", "<int:last>")))
    written = "/" + "/".join(parts)
    return written + "/" if written != "/" and random.random() < 0.4 else written


def options(random, mood):
    """Choose what else a rule is given."""
    dense = mood == DENSE
    given = {"methods": list(random.choice(METHODS[:6] if dense else METHODS))}
    if mood == BODIES:
        return {"methods": ["POST", "PUT"]}
    if random.random() < (0.5 if dense else 0.2):
        given["strict_slashes"] = random.random() < 0.15
    if dense:
        return given
    for name, choose, chance in (
        ("methods", lambda: None, 0.15), ("merge_slashes", lambda: False, 0.06), ("provide_automatic_options", lambda: random.random() < 0.3, 0.1),
        ("defaults", lambda: {"v9": random.choice((1, "a", None))}, 0.08), ("alias", lambda: True, 0.03), ("websocket", lambda: True, 0.02),
        ("build_only", lambda: True, 0.02), ("redirect_to", lambda: random.choice(("/a", "b/<v0>", redirect)), 0.04),
    ):  # fmt: skip
        if random.random() < chance:
            given[name] = choose()
    return given


def redirect(adapter, **values):
    note("redirect_to", sorted(values))
    return "/" + "-".join(map(str, values.values()))


def twin_rules(random, rule):
    """Give a rule for the same endpoint that has a value by default where *rule* asks for it."""
    found = re.search(r"/<int:(v\d)>$", rule)
    if found is None or random.random() < 0.5:
        return
    yield rule[: found.start()] + "/", {"defaults": {found[1]: random.choice((1, 42))}}


def direct(random):
    """Give a rule for the map itself, past the app, whose endpoint may lack a view."""
    endpoint = random.choice(("view0", "view1", "absent"))
    return Rule(path(random, DENSE), endpoint=endpoint, methods=random.choice((None, ["GET"])))


def filled(random, rule):
    """Write a path that *rule* may match."""

    def value(found):
        if random.random() < 0.08:
            return random.choice(ODD)
        return random.choice(VALUES.get(found[1] or "default", VALUES["default"]))

    return PLACEHOLDER.sub(value, rule)


def bent(random, written):
    """Change a path a little: mostly near to another rule."""
    if random.random() < 0.4:
        return written.rstrip("/") if written.endswith("/") else f"{written}/"
    return random.choice((
        lambda p: p + "/", lambda p: p.rstrip("/"), lambda p: p + "/a", lambda p: p.rsplit("/", 1)[0], lambda p: p.replace("/", "//", 1),
        lambda p: p + "//", lambda p: p.replace("a", "b"), lambda p: p[:-1], str.upper, lambda p: p.replace("/", "/a/", 1), lambda p: "//" + p,
        lambda p: p.replace("/", "///"), lambda p: p.replace("1", "-1"), lambda p: p + "²", lambda p: "/." + p, lambda p: p + "/..", lambda p: p[1:],
        lambda p: p + "?", lambda p: p + "\n", lambda p: p.replace("a", "%61"), lambda p: p + "|", lambda p: "/a" + p, lambda p: p.replace("/", "//"),
        lambda p: p[: p.rfind("/")] + "/" + p[p.rfind("/"):],
    ))(written)  # fmt: skip
