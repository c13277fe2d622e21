# ruff: noqa: E501, C901 - tables of what is tried
"""Schemas and data at random, for holding compiled code against marshmallow's own."""

import datetime as dt
import enum
import uuid
from decimal import Decimal

from marshmallow import (
    EXCLUDE,
    INCLUDE,
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_dump,
    post_load,
    pre_load,
    validate,
    validates,
    validates_schema,
)

CALLS = []
"""What code of the project's own was called with, in order."""


class Colour(enum.StrEnum):
    RED = "red"


class Shout(fields.String):
    """A field of the project's own, both ways."""

    def _serialize(self, value, attr, obj, **rest):
        CALLS.append(("shout out", repr(value)))
        return None if value is None else f"{value}!"

    def _deserialize(self, value, attr, data, **rest):
        CALLS.append(("shout in", repr(value)))
        return super()._deserialize(value, attr, data, **rest) + "?"


class Positive(fields.Integer):
    """One that changes a parameter only."""

    def __init__(self, **rest):
        super().__init__(validate=validate.Range(min=1), **rest)


def short(value):
    CALLS.append(("short", repr(value)))
    if len(str(value)) > 3:
        raise ValidationError("Too long for us.")


class Part(Schema):
    p = fields.Integer(required=True, strict=True)
    q = fields.String(load_default="dq", validate=validate.Length(max=5))


class Hooked(Schema):
    p = fields.Integer(required=True)

    @post_load
    def note(self, data, **rest):
        CALLS.append(("post_load", repr(sorted(data))))
        return {**data, "noted": True}


SCALARS = (
    None, True, False, 0, 1, -5, 7, 2**70, 0.0, 1.5, -0.0, float("nan"), float("inf"), "", "a", "abc",
    "x" * 90, "5", " 7 ", "1e3", "NaN", "sNaN", "1_000", "٣", "true", "no", "é", "ann@example.com",
    "a@b", "a..b@c.de", "a@localhost", '"q"@x.org', "a@[1.2.3.4]", "a@b.co\n", "@", b"bytes",
    b"\xff", "2024-01-02T03:04:05", "2024-01-02T03:04:05Z", "2024-01-02", "03:04", "2024-13-01",
    "20240102T030405", dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC),  # noqa: DTZ001
    dt.date(2020, 1, 1), dt.time(3, 4), Decimal("1.10"), Decimal("NaN"), Decimal("Infinity"),
    Decimal("1E+5"), "1.10", "1.115", str(uuid.UUID(int=7)), uuid.UUID(int=7), uuid.UUID(int=7).hex,
    Colour.RED, object,
)  # fmt: skip
COMPOUND = (
    [], ["a"], ["ab", "cd"], ["a", 1], [None], [1, 2], ("a",), {}, {"x": 1}, {"p": 1}, {"p": "2"},
    {"p": 1, "q": "s"}, {"p": 1, "q": "toolong"}, {"p": 1, "more": 1}, [{"p": 1}], [{"p": "2"}],
    [{"p": 1}, {"q": 3}], [{"p": 1}, 5],
)  # fmt: skip
GOOD = {
    "String": ("abc", "ab"), "Email": ("ann@example.com", "b.c@example.org"), "Integer": (1, 4),
    "Positive": (2,), "Float": (1.25,), "Boolean": (True, False), "Decimal": ("1.50", "2", 3),
    "DateTime": ("2024-01-02T03:04:05",), "AwareDateTime": ("2024-01-02T03:04:05+00:00",),
    "NaiveDateTime": ("2024-01-02T03:04:05",), "Date": ("2024-01-02",), "Time": ("03:04:05",),
    "UUID": (str(uuid.UUID(int=9)),), "Raw": ("r", 1), "Shout": ("s",),
    "Nested": ({"p": 1, "q": "s"}, {"p": 1}), "List": (["ab", "cd"], [1, 2], [{"p": 1}]),
}  # fmt: skip
STORED = {
    "Decimal": (Decimal("1.50"), Decimal(7)), "DateTime": (dt.datetime(2024, 1, 2),),  # noqa: DTZ001
    "AwareDateTime": (dt.datetime(2024, 1, 2, tzinfo=dt.UTC),),
    "NaiveDateTime": (dt.datetime(2024, 1, 2),),  # noqa: DTZ001
    "Date": (dt.date(2024, 1, 2),), "Time": (dt.time(3, 4),), "UUID": (uuid.UUID(int=3),),
}  # fmt: skip


NEARLY = {
    "String": (Colour.RED, b"bytes", "x" * 90, "", "a", "A1", None, 5), "Email": ("a..b@c.de", "a@b", Colour.RED),
    "Integer": (True, 1.0, "5", 0, 1, 4, 5, None), "Positive": (0, True, "2"),
    "Float": (float("nan"), float("inf"), 1, True, "1.5", 0.0, 1.0, 4.0), "Boolean": (1, 0, "true", None),
    "Decimal": ("NaN", "Infinity", "1.115", "1e400", 1.5, True, Decimal("1.5"), Decimal("NaN")),
    "DateTime": ("2024-01-02", "2024-13-01", dt.datetime(2020, 1, 1)),  # noqa: DTZ001
    "AwareDateTime": ("2024-01-02T03:04:05", dt.datetime(2020, 1, 1)),  # noqa: DTZ001
    "NaiveDateTime": ("2024-01-02T03:04:05Z", dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
    "Date": (dt.datetime(2020, 1, 1), "2024-01"), "Time": ("25:00", dt.time(1)),  # noqa: DTZ001
    "UUID": ("{" + str(uuid.UUID(int=7)) + "}", uuid.UUID(int=7), 7), "Raw": (None, []),
    "Nested": ({"p": "2"}, {"p": 1, "more": 1}, None, []), "List": (("ab",), [None], ["a", 1], {}, []),
}  # fmt: skip
"""What is almost right, by kind of field."""


def options(random):
    given = {}
    if random.random() < 0.4:
        given["required"] = True
    elif random.random() < 0.3:
        given["load_default"] = random.choice([None, "dflt", 5, lambda: "called"])
    if random.random() < 0.3:
        given["allow_none"] = random.choice([True, False])
    if random.random() < 0.15:
        given["dump_default"] = random.choice([None, "dd", lambda: "ddc"])
    if random.random() < 0.15:
        given["data_key"] = f"k{random.randint(0, 10**6)}"
    if random.random() < 0.1:
        number = random.randint(0, 10**6)
        given["attribute"] = random.choice([f"at{number}", f"n.e{number}", f"not-a-name-{number}"])
    if random.random() < 0.08:
        given[random.choice(["load_only", "dump_only"])] = True
    if random.random() < 0.05:
        given["error_messages"] = {"invalid": "CUSTOM", "null": "CNULL", "required": "CREQ"}
    if random.random() < 0.04:
        given["pre_load"] = lambda value: value
    if random.random() < 0.04:
        given["post_load"] = repr
    return given


def lengths(random):
    return random.choice([
        [], [], [validate.Length(max=random.randint(1, 5))], [validate.Length(2, 80)],
        [validate.Length(equal=3)], [validate.OneOf(["a", "abc"])], [validate.Regexp("^[a-z]+$")],
        [validate.OneOf(iter(["a", "abc"]))], [validate.Length(max=5), short], [short],
        [validate.Length(min=1, error="Write more.")], [validate.NoneOf(["abc"])],
    ])  # fmt: skip


def ranges(random):
    bounds = {"min_inclusive": random.random() < 0.5, "max_inclusive": random.random() < 0.5}
    return random.choice([
        [], [], [validate.Range(min=random.choice([None, 0, 1]), max=random.choice([None, 4]), **bounds)],
        [validate.OneOf({1, 4})], [short],
    ])  # fmt: skip


MAKERS = (
    lambda random, given: fields.Float(validate=ranges(random)),
    lambda random, given: fields.Float(validate=ranges(random)),
    lambda random, given: fields.String(validate=lengths(random), **given),
    lambda random, given: fields.String(validate=lengths(random), **given),
    lambda random, given: fields.Email(**given),
    lambda random, given: fields.Integer(
        strict=random.random() < 0.5, as_string=random.random() < 0.2, validate=ranges(random), **given
    ),
    lambda random, given: Positive(**given),
    lambda random, given: fields.Float(
        allow_nan=random.random() < 0.3, as_string=random.random() < 0.2, validate=ranges(random), **given
    ),
    lambda random, given: fields.Boolean(
        **({"truthy": {"oui"}} if random.random() < 0.2 else {}), **given
    ),
    lambda random, given: fields.Decimal(
        places=random.choice([None, 1, 2]), as_string=random.random() < 0.5,
        allow_nan=random.random() < 0.2, **given,
    ),
    lambda random, given: fields.DateTime(
        format=random.choice([None, "iso", "rfc", "timestamp", "%Y-%m-%d"]), **given
    ),
    lambda random, given: fields.AwareDateTime(
        default_timezone=random.choice([None, dt.UTC]), **given
    ),
    lambda random, given: fields.NaiveDateTime(timezone=random.choice([None, dt.UTC]), **given),
    lambda random, given: fields.Date(format=random.choice([None, "%d.%m.%Y"]), **given),
    lambda random, given: fields.Time(**given),
    lambda random, given: fields.UUID(**given),
    lambda random, given: fields.Raw(**given),
    lambda random, given: fields.List(fields.String(validate=lengths(random)), **given),
    lambda random, given: fields.List(fields.Integer(allow_none=random.random() < 0.3), **given),
    lambda random, given: fields.List(fields.Nested(Part), **given),
    lambda random, given: fields.List(fields.Date(), validate=validate.Length(max=1), **given),
    lambda random, given: fields.Nested(
        random.choice([Part, Part(), Part(only=("p",)), Part(unknown=EXCLUDE), Hooked, lambda: Part]),
        **({"unknown": random.choice([EXCLUDE, INCLUDE])} if random.random() < 0.3 else {}), **given,
    ),
    lambda random, given: fields.Nested(Part, many=True, **given),
    lambda random, given: fields.Pluck(Part, "p", **given),
    lambda random, given: Shout(**given),
    lambda random, given: fields.Function(
        lambda obj: "fn", **{name: value for name, value in given.items() if name != "attribute"}
    ),
    lambda random, given: fields.Constant("C"),
    lambda random, given: fields.Enum(Colour, **given),
)  # fmt: skip


def hooks(random):
    def note(self, data, **rest):
        CALLS.append(("hook", repr(data)))
        return data

    def refuse(self, data, **rest):
        if len(data) % 2:
            raise ValidationError("Odd.")

    def look(self, value, **rest):
        CALLS.append(("validates", repr(value)))

    known = (
        ("before", pre_load(note), 0.05), ("after", post_load(note), 0.07),
        ("shown", post_dump(note), 0.05), ("refuse", validates_schema(refuse), 0.07),
        ("look", validates("f0")(look), 0.05),
    )  # fmt: skip
    return {name: hook for name, hook, chance in known if random.random() < chance}


def make_schema(random):
    """Make a schema class, and the names of its fields."""
    while True:
        members = {
            f"f{number}": random.choice(MAKERS)(random, options(random))
            for number in range(random.randint(1, 8))
        }
        try:
            kind = type("Made", (Schema,), {**members, **hooks(random)})
            kind()
        except ValueError:  # two fields for one name
            continue
        return kind


def schema_options(random):
    return {
        "unknown": random.choice([RAISE, EXCLUDE, INCLUDE]),
        "partial": random.choice([None, None, None, True, False, ("f0", "f1.p")]),
        "many": random.random() < 0.15,
    }


def value_for(random, field, good):
    kind = type(field).__name__
    if kind == "Nested" and field.many:
        return random.choice(([{"p": 1, "q": "s"}], [{"p": 1}, {"p": 2}]))
    return random.choice(good.get(kind, GOOD.get(kind, ("x",))))


def odd(random, field):
    nearly = NEARLY.get(type(field).__name__)
    if nearly is not None and random.random() < 0.7:
        return random.choice(nearly)
    return random.choice(SCALARS if random.random() < 0.7 else COMPOUND)


def payload(random, schema):
    """Make an object as a caller sends it: mostly right."""
    sent = {}
    for name, field in schema.fields.items():
        chance = random.random()
        if chance < 0.8:
            sent[field.data_key or name] = value_for(random, field, GOOD)
        elif chance < 0.95:
            sent[field.data_key or name] = odd(random, field)
    if random.random() < 0.15:
        sent["more"] = 1
    return sent


class Thing:
    """Something with attributes, some of which are computed."""

    def __init__(self, values):
        self.__dict__.update(values)

    @property
    def f0(self):
        CALLS.append("f0")
        if "_f0" not in self.__dict__:
            raise AttributeError("f0")
        return self._f0


class Keyed:
    """Something that is neither a dict nor plain."""

    def __init__(self, values):
        self._values = values

    def __getitem__(self, name):
        return self._values[name]


def stored(random, schema):
    """Make an object as a project keeps it."""
    values = {}
    for name, field in schema.fields.items():
        if random.random() < 0.93:
            good = random.random() < 0.9
            value = value_for(random, field, STORED) if good else odd(random, field)
            values[(field.attribute or name).split(".")[0]] = value
    kind = random.choice(
        [dict, dict, Thing, Thing, Keyed, lambda given: None, lambda given: "text"]
    )
    if kind is Thing and "f0" in values:
        values["_f0"] = values.pop("f0")
    return kind(values)


def row_names(random, schema):
    """Make the names of a row's values: most that the schema shows, and more, in any order."""
    shown = {field.attribute or name: None for name, field in schema.dump_fields.items()}
    names = [name for name in shown if random.random() < 0.95]
    names += ["more"] * (random.random() < 0.3)
    names += names[:1] * (random.random() < 0.05)
    random.shuffle(names)
    return names


def row(random, schema, names):
    """Make a row: mostly of values as a database has them."""
    fields_of = {field.attribute or name: field for name, field in schema.fields.items()}
    return tuple(
        value_for(random, fields_of[name], STORED)
        if name in fields_of and random.random() < 0.9
        else random.choice(SCALARS)
        for name in names
    )
